//! The same in a gVisor sandbox, and the other way into a cluster: an image pulled from a registry.

use super::attack::Layer::Pod;
use super::attack::Outcome::Blocked;
use super::attack::{Attack, tested};
use crate::support::{Namespace, Workflow, registry_image, tntc};

/// A context of the test cluster that does not look like kind.
const CONTEXT: &str = "tntc-testbed";

/// Those that differ from a pod without gVisor: every other attack is repeated there with the same outcome.
pub const TESTED: &[Attack] = &[
    tested(
        "kernel",
        "reaches the kernel of the node",
        Blocked(Pod),
        "tests/fortress/gvisor.rs",
        "a_pulled_image_runs_in_a_real_gvisor_sandbox",
    ),
    tested(
        "everything",
        "tries on gVisor what is listed under Deno, the network and the pod",
        Blocked(Pod),
        "tests/fortress/gvisor.rs",
        "a_sandbox_holds_what_a_pod_holds",
    ),
];

#[test]
fn a_sandbox_holds_what_a_pod_holds() {
    super::pod::hold("sandboxed", &["--runtime-class", "gvisor"]);
}

#[test]
fn a_pulled_image_runs_in_a_real_gvisor_sandbox() {
    let namespace = Namespace::new("gvisor");
    let workflow = Workflow::of_one_node("sealed", "return input;");
    let deploy = [
        "deploy",
        workflow.path(),
        "--context",
        CONTEXT,
        "-n",
        &namespace.name,
        "--image",
        registry_image(),
        "--wait",
    ];
    tntc(deploy).run().exits(0);
    let pod = namespace.list("pods").into_iter().next().expect("a pod");
    assert_eq!(pod["spec"]["runtimeClassName"], "gvisor");
    assert_eq!(pod["spec"]["containers"][0]["imagePullPolicy"], "Always");
    // The kernel that the container sees is gVisor's own.
    let read = "console.log(Deno.readTextFileSync('/proc/version'))";
    let kernel = namespace.kubectl(["exec", "deployment/sealed", "--", "deno", "eval", read]);
    assert!(kernel.contains("gvisor"), "{kernel}");
    let result = tntc([
        "run",
        "sealed",
        "--context",
        CONTEXT,
        "-n",
        &namespace.name,
        "--input",
        "[7]",
    ])
    .run()
    .exits(0)
    .json();
    assert_eq!(result["outputs"]["only"][0], 7);
}
