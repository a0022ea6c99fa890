//! `tntc cluster check`, and what deploy checks before it applies anything.

use crate::support::{Kubeconfig, Namespace, StandIn, Workflow, check, found, kubectl, tntc};

fn with_secret(name: &str) -> Workflow {
    let workflow = Workflow::of_one_node(name, "ctx.dependency(\"github\"); return input;");
    workflow.replace(
        "workflow.yaml",
        "dependencies: {}",
        "dependencies: {github: {protocol: https, host: api.github.com, auth: {type: bearer-token, secret: github.token}}}",
    );
    workflow
}

#[test]
fn a_ready_cluster_passes_and_each_check_has_its_line() {
    let namespace = Namespace::new("ready");
    let answer = check(&namespace.name, &["--context", "tntc-testbed"]).exits(0);
    for line in [
        "  ✓ Kubernetes API reachable (v1.",
        &format!("  ✓ Namespace \"{}\" exists\n", namespace.name),
        "  ✓ Pod Security level \"restricted\" admits",
        "  ✓ gVisor RuntimeClass available\n",
        "  ✓ Permissions in namespace",
        "\n✓ Cluster is ready for deployment\n",
    ] {
        assert!(answer.stdout.contains(line), "{line}\n{}", answer.stdout);
    }
}

#[test]
fn what_the_cluster_lacks_is_told_all_at_once_with_what_to_do() {
    let answer = check("no-such-namespace", &["--runtime-class", "no-such-runtime"]).exits(3);
    let answer = answer.answers("  ✗ Namespace \"no-such-namespace\" not found\n    -> Create namespace: kubectl create namespace no-such-namespace\n");
    answer
        .answers("  ✗ RuntimeClass \"no-such-runtime\" not found\n    -> ")
        .answers("\n✗ Cluster is not ready for deployment\n");
    let json = check("no-such-namespace", &["-o", "json"]).exits(3).json();
    assert_eq!(json["command"], "cluster check");
    assert_eq!(json["status"], "fail");
    assert_eq!(found(&json, "namespace")["status"], "fail");
    assert_eq!(found(&json, "network-policy")["status"], "unknown");
    assert!(
        json["hints"][0]
            .as_str()
            .is_some_and(|hint| hint.contains("kubectl create namespace")),
        "{json}"
    );
}

#[test]
fn an_api_server_that_is_not_there_is_the_one_thing_told() {
    let nowhere = Kubeconfig::current().at("https://127.0.0.1:1");
    let path = nowhere.path().display().to_string();
    let json = check("any", &["--kubeconfig", &path, "-o", "json"])
        .exits(3)
        .json();
    assert_eq!(json["checks"].as_array().map(Vec::len), Some(1));
    assert!(
        json["summary"]
            .as_str()
            .is_some_and(|text| text.contains("cannot reach the Kubernetes API")),
        "{json}"
    );
}

#[test]
fn secrets_are_checked_key_by_key() {
    let namespace = Namespace::new("keys");
    let workflow = with_secret("keyed");
    check(&namespace.name, &[workflow.path()])
        .exits(1)
        .answers("  ✗ Secret \"keyed-secrets\" not found\n    -> Create secret: kubectl create secret generic keyed-secrets")
        .answers("\n✗ Cluster is not ready for deployment\n");
    let json = check(&namespace.name, &[workflow.path(), "-o", "json"]);
    let json = json.exits(1).json();
    assert_eq!(json["status"], "fail");
    assert_eq!(
        json["summary"],
        "Cluster is not ready for deployment: Secret \"keyed-secrets\" not found"
    );
    let secret = [
        "create",
        "secret",
        "generic",
        "keyed-secrets",
        "--from-literal=github={\"other\": \"x\"}",
    ];
    namespace.kubectl(secret);
    check(&namespace.name, &[workflow.path()])
        .exits(1)
        .answers("  ✗ Secret \"keyed-secrets\" lacks github.token\n");
    namespace.kubectl(["delete", "secret", "keyed-secrets"]);
    let secret = [
        "create",
        "secret",
        "generic",
        "keyed-secrets",
        "--from-literal=github={\"token\": \"x\"}",
    ];
    namespace.kubectl(secret);
    check(&namespace.name, &[workflow.path()])
        .exits(0)
        .answers("  ✓ Secret \"keyed-secrets\" has the 1 key needed\n");
}

#[test]
fn a_queue_without_its_token_is_only_a_warning() {
    let namespace = Namespace::new("queue");
    let workflow = Workflow::of_one_node("queued", "return input;");
    workflow.replace(
        "workflow.yaml",
        "{type: manual}",
        "{type: queue, subject: a.b}",
    );
    workflow.replace(
        "workflow.yaml",
        "nodes:",
        "config: {nats_url: \"nats://nats.example.com\"}\nnodes:",
    );
    let json = check(&namespace.name, &[workflow.path(), "-o", "json"])
        .exits(0)
        .json();
    assert_eq!(found(&json, "secrets")["status"], "warn", "{json}");
}

#[test]
fn deploy_tells_every_failure_at_once_and_applies_nothing() {
    let namespace = Namespace::new("refused");
    let workflow = with_secret("keyed");
    let deploy = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        "any",
        "--runtime-class",
        "no-such-runtime",
    ];
    tntc(deploy)
        .run()
        .exits(3)
        .says("RuntimeClass \"no-such-runtime\" not found; Secret \"keyed-secrets\" not found")
        .says("hint: Create secret: ");
    assert_eq!(
        namespace.list("configmaps").len(),
        1,
        "only the cluster's own kube-root-ca.crt"
    );
}

/// `tntc` where names resolve by this file alone, as `/etc/hosts` has it.
fn resolving(hosts: &str, arguments: &[&str]) -> (i32, String) {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), hosts).expect("a file of hosts");
    let mount = format!(
        "mount --bind {} /etc/hosts && exec \"$@\"",
        file.path().display()
    );
    let output = std::process::Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &mount, "sh"])
        .arg(env!("CARGO_BIN_EXE_tntc"))
        .args(arguments)
        .output();
    let output = output.expect("unshare, of util-linux, runs");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn an_external_host_with_a_private_address_is_a_warning_with_the_line_that_opens_it() {
    let namespace = Namespace::new("private");
    let workflow = Workflow::of_one_node("private", "ctx.dependency(\"git\"); return input;");
    workflow.replace(
        "workflow.yaml",
        "dependencies: {}",
        "dependencies: {git: {protocol: https, host: git.example.com}}",
    );
    let check = ["cluster", "check", workflow.path(), "-n", &namespace.name];
    let (status, said) = resolving(
        "203.0.113.1 other.example.com\n140.82.121.4 git.example.com\n",
        &check,
    );
    assert_eq!(status, 0, "{said}");
    assert!(
        said.contains("✓ External hosts have addresses that the network policy lets through"),
        "{said}"
    );
    let hosts = "10.1.2.3 git.example.com\n";
    let line = "- {toCIDR: \"10.1.2.3/32\", ports: [\"443/TCP\"], reason: git.example.com}";
    let (status, said) = resolving(hosts, &check);
    assert_eq!(status, 0, "{said}");
    assert!(
        said.contains("  ! git.example.com resolves to 10.1.2.3") && said.contains(line),
        "{said}"
    );
    let deploy = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        "any",
    ];
    let (status, said) = resolving(hosts, &deploy);
    assert_eq!(status, 0, "{said}");
    assert!(
        said.contains("warning: git.example.com resolves to 10.1.2.3") && said.contains(line),
        "{said}"
    );
}

#[test]
fn files_that_do_not_fit_a_config_map_are_told() {
    let namespace = Namespace::new("large");
    let workflow = Workflow::of_one_node("large", "return input;");
    check(&namespace.name, &[workflow.path()])
        .exits(0)
        .answers("  ✓ Workflow files fit into a ConfigMap (1 of 900 KiB)\n");
    workflow.write("nodes/data.txt", &"x".repeat(1_000_000));
    check(&namespace.name, &[workflow.path()])
        .exits(1)
        .answers("  ✗ the workflow's files have ")
        .answers("the largest is nodes/data.txt with 1000000");
}

#[test]
fn the_pod_security_level_of_the_namespace_is_told() {
    let namespace = Namespace::new("level");
    for (label, level) in [
        ("pod-security.kubernetes.io/enforce=baseline", "baseline"),
        ("pod-security.kubernetes.io/enforce-", "privileged"),
    ] {
        kubectl(["label", "--overwrite", "namespace", &namespace.name, label]);
        check(&namespace.name, &[]).exits(0).answers(&format!(
            "  ✓ Pod Security level \"{level}\" admits the workflow's pods\n"
        ));
    }
}

#[test]
fn a_cluster_that_is_too_old_is_told() {
    let old = StandIn::start(|request, _| {
        let version = r#"{"major": "1", "minor": "26", "gitVersion": "v1.26.15", "gitCommit": "", "gitTreeState": "",
            "buildDate": "", "goVersion": "", "compiler": "", "platform": ""}"#;
        (request == "GET /version").then(|| ("200 OK", version.to_owned()))
    });
    let kubeconfig = old.kubeconfig();
    let path = kubeconfig.path().display().to_string();
    check("default", &["--kubeconfig", &path]).exits(3).answers(
        "  ✗ Kubernetes v1.26.15 is too old\n    -> use a cluster of version 1.27 or newer\n",
    );
}
