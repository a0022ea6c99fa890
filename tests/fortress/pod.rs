//! What the container still holds when Deno's permissions have failed: code with all of them runs in it.

use serde_json::json;

use super::attack::Layer::Pod;
use super::attack::Outcome::{Blocked, Contained};
use super::attack::{Attack, answered, judge, tested};
use super::network::{address, client, kube_dns};
use super::scene::{NAME, Scene};
use super::{deno, network};
use crate::support::{
    Namespace, Workflow, deployed, endpoints, run, running_again, tntc, wait_for,
};

const fn refused(name: &'static str, what: &'static str) -> Attack {
    answered(name, what, Blocked(Pod), "Error: refused")
}

const fn read_only(name: &'static str, what: &'static str) -> Attack {
    answered(
        name,
        what,
        Blocked(Pod),
        "FilesystemLoop | Error: Read-only file system | ReadOnlyFilesystem | PermissionDenied | NotCapable | NotFound | Error",
    )
}

/// Those of `attacks/pod.ts`, but for the ones of [`network::EGRESS`].
pub const ATTACKS: &[Attack] = &[
    read_only("root-write", "writes the root file system"),
    read_only("engine-write", "writes the engine"),
    read_only("code-write", "writes the workflow's code"),
    read_only("secrets-write", "writes the mounted secrets"),
    read_only("deno-replace", "puts another program in Deno's place"),
    read_only("passwd-write", "makes itself a user"),
    read_only("hosts-write", "gives a name another address"),
    read_only("resolver-write", "sets another name server"),
    answered(
        "writable-mounts",
        "looks for mounts that it can write",
        Contained("there is /tmp, which is limited and goes with the pod"),
        "reached [\"/tmp\"]",
    ),
    answered(
        "user",
        "is root, or of root's group",
        Blocked(Pod),
        "reached \"65534:65534\"",
    ),
    answered(
        "groups",
        "is of another group",
        Blocked(Pod),
        "reached \"65534\" | reached \"\"",
    ),
    refused("become-root", "becomes root"),
    refused("become-roots-group", "becomes a member of root's group"),
    answered(
        "capabilities",
        "has a capability, or may get one",
        Blocked(Pod),
        "reached [\"0000000000000000\",\"0000000000000000\",\"0000000000000000\"]",
    ),
    answered(
        "new-privileges",
        "gets privileges from a program",
        Blocked(Pod),
        "reached \"1\"",
    ),
    answered(
        "seccomp",
        "calls the node's kernel unfiltered",
        Blocked(Pod),
        "reached \"2\" | reached \"gVisor\"",
    ),
    refused("user-namespace", "makes a user namespace, to be root in it"),
    refused("mount-namespace", "makes a mount namespace"),
    refused("mount", "mounts a file system"),
    refused("unmount", "takes a mount away"),
    refused("chroot", "changes its root directory"),
    refused("device", "makes a device"),
    refused("raw-socket", "opens a raw socket"),
    refused(
        "packet-socket",
        "opens a packet socket, to see what others send",
    ),
    refused("hostname", "changes the host's name"),
    refused("reboot", "restarts the machine"),
    refused("swap", "turns swap off"),
    answered(
        "priority",
        "takes precedence over other processes; on gVisor, over its own",
        Blocked(Pod),
        "Error: refused | reached [\"gVisor\"",
    ),
    answered(
        "token",
        "has a token of a service account",
        Blocked(Pod),
        "NotFound",
    ),
    answered(
        "service-links",
        "learns of other Services from its environment",
        Blocked(Pod),
        "reached []",
    ),
    answered("shell", "runs a shell", Blocked(Pod), "NotFound"),
    answered("other-tools", "runs curl", Blocked(Pod), "NotFound"),
    answered(
        "run-from-tmp",
        "runs a script from /tmp",
        Blocked(Pod),
        "NotFound",
    ),
    answered(
        "container-sockets",
        "finds the socket of a container runtime",
        Blocked(Pod),
        "NotFound",
    ),
    answered(
        "processes",
        "sees processes of others",
        Blocked(Pod),
        "reached []",
    ),
    answered(
        "interfaces",
        "sees the host's network interfaces",
        Blocked(Pod),
        "reached []",
    ),
    answered("disks", "sees the host's disks", Blocked(Pod), "reached []"),
    read_only(
        "core-pattern",
        "has the kernel run a program when one crashes",
    ),
    read_only("sysrq", "gives the kernel a command"),
    read_only("kernel-memory", "reads the kernel's memory"),
    read_only("own-memory-limit", "raises its memory limit"),
    read_only(
        "release-agent",
        "has the kernel run a program when a group ends",
    ),
    read_only("helper", "has the kernel run a program for a device"),
    answered(
        "own-secrets",
        "reads the workflow's secrets, when Deno's permissions have failed",
        Contained("they are its own workflow's, and no other's"),
        "reached [\"vault\"]",
    ),
];

/// Those that have a test of their own.
pub const TESTED: &[Attack] = &[
    tested(
        "limits",
        "takes all memory, processors or disk of the node",
        Blocked(Pod),
        "tests/fortress/pod.rs",
        "the_engine_has_every_limit",
    ),
    tested(
        "pod-security",
        "is deployed where the Pod Security Standard `restricted` is enforced",
        Blocked(Pod),
        "tests/fortress/pod.rs",
        "a_pod_holds_a_node_and_what_comes_after_it",
    ),
];

/// Every attack of a node and of the container, in a pod that these flags of `deploy` make.
pub fn hold(stem: &str, flags: &[&str]) {
    let namespace = Namespace::new(stem);
    let scene = Scene::new();
    client(&namespace, "neighbour", &json!({}));
    scene.deploy(&namespace, flags);
    judge(deno::ATTACKS, &scene.in_a_pod(&namespace), stem);
    let neighbour = address(&namespace, "neighbour");
    let answers = scene.in_the_container(&namespace, &neighbour, &kube_dns());
    judge(ATTACKS.iter().chain(network::EGRESS), &answers, stem);
    scene.nothing_came_through();
    // No attack has ended the engine.
    let engine = format!("app.kubernetes.io/name={NAME}");
    let restarts = "jsonpath={.items[*].status.containerStatuses[*].restartCount}";
    let restarts = namespace.kubectl(["get", "pods", "-l", &engine, "-o", restarts]);
    assert_eq!(restarts, "0");
}

#[test]
fn a_pod_holds_a_node_and_what_comes_after_it() {
    hold("fortress", &[]);
}

#[test]
fn the_engine_has_every_limit() {
    let namespace = deployed(&network::webhook_workflow(), "limits");
    let pod = namespace.list("pods").into_iter().next().expect("a pod");
    let spec = &pod["spec"];
    assert_eq!(spec["securityContext"]["runAsGroup"], 65534);
    assert_eq!(spec["securityContext"]["fsGroup"], 65534);
    for host in ["hostNetwork", "hostPID", "hostIPC"] {
        assert_ne!(spec[host], true, "{host}");
    }
    let container = &spec["containers"][0];
    for resource in ["memory", "cpu", "ephemeral-storage"] {
        assert!(
            container["resources"]["limits"][resource].is_string(),
            "{resource}"
        );
    }
    assert_eq!(
        container["livenessProbe"]["terminationGracePeriodSeconds"],
        5
    );
}

/// Deno ends the process itself when a flag is missing that an unstable interface needs, and says so.
#[test]
fn a_node_that_ends_the_process_costs_a_restart() {
    let body = "if (!(input as { end?: boolean }).end) return \"served\";\n  \
        return new Worker(\"data:,\", { type: \"module\", deno: { permissions: { net: true } } } as WorkerOptions);";
    let workflow = Workflow::of_one_node("ender", body);
    let namespace = deployed(&workflow, "ender");
    let ended = tntc([
        "run",
        "ender",
        "-n",
        &namespace.name,
        "--input",
        "{\"end\": true}",
    ])
    .run();
    assert_ne!(ended.status, 0, "{ended:?}");
    wait_for("a restart", || running_again(&namespace, "ender"));
    wait_for("an endpoint", || (endpoints(&namespace) > 0).then_some(()));
    assert_eq!(
        run("ender", &namespace, &json!({}))["outputs"]["only"],
        "served"
    );
}
