//! `tntc cluster check`, and what deploy checks before it applies anything.

use serde_json::Value;

use crate::support::{Answer, Kubeconfig, Namespace, Workflow, engine_image, kubectl, tntc};

/// A `ClusterRole` and its binding to one user, deleted with the test.
struct Grant {
    user: String,
}

impl Grant {
    /// Each right is verbs and resources, as `kubectl create clusterrole` takes them.
    fn new(user: &str, rules: &Value) -> Self {
        let user = format!("{user}-{:x}", std::process::id());
        let role = serde_json::json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": user}, "rules": rules});
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), role.to_string()).expect("a role");
        kubectl(["create", "-f", &file.path().display().to_string()]);
        let role = format!("--clusterrole={user}");
        kubectl([
            "create",
            "clusterrolebinding",
            &user,
            &role,
            &format!("--user={user}"),
        ]);
        Self { user }
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        let grants = ["clusterrolebinding", "clusterrole"];
        for kind in grants {
            let deleted = std::process::Command::new("kubectl")
                .args(["delete", kind, &self.user])
                .output();
            drop(deleted);
        }
    }
}

fn check(namespace: &str, more: &[&str]) -> Answer {
    let arguments = ["cluster", "check", "-n", namespace]
        .into_iter()
        .chain(more.iter().copied());
    tntc(arguments).run()
}

/// The check of this name in an envelope.
fn found<'a>(envelope: &'a Value, name: &str) -> &'a Value {
    let checks = envelope["checks"].as_array().expect("checks");
    checks
        .iter()
        .find(|check| check["check"] == name)
        .unwrap_or(&Value::Null)
}

fn with_secret(name: &str) -> Workflow {
    let workflow = Workflow::of_one_node(name, "return input;");
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
        .answers("\n✓ Cluster is ready for deployment\n");
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

#[test]
fn a_user_without_permission_is_told_which_are_missing() {
    let namespace = Namespace::new("nobody");
    let nobody = Kubeconfig::current().acting_as("nobody");
    let path = nobody.path().display().to_string();
    check(&namespace.name, &["--kubeconfig", &path])
        .exits(3)
        .answers("? Namespace")
        .answers("create deployments.apps")
        .answers("patch networkpolicies.networking.k8s.io")
        .answers("create pods/attach")
        .answers("    -> Grant them, as somebody who may: tntc cluster check --fix -n ");
    for command in [
        ["list"].as_slice(),
        &["run", "any"],
        &["logs", "any"],
        &["status", "any"],
        &["undeploy", "any", "-y"],
    ] {
        let arguments = command.iter().copied();
        tntc(arguments.chain(["-n", &namespace.name, "--kubeconfig", &path]))
            .run()
            .exits(3)
            .says("nobody");
    }
}

#[test]
fn fix_needs_no_more_than_the_rights_to_create_and_grants_enough_for_every_command() {
    let rules = serde_json::json!([
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["create"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["create", "escalate"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings"], "verbs": ["create"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["bind"]},
    ]);
    let maker = Grant::new("maker", &rules);
    let kubeconfig = Kubeconfig::current().acting_as(&maker.user);
    let path = kubeconfig.path().display().to_string();
    let namespace = Namespace::planned("fixed");
    check(&namespace.name, &["--kubeconfig", &path, "--fix"])
        .exits(0)
        .answers(&format!("  + created namespace \"{}\"", namespace.name))
        .answers("  + created Role \"tentacular-operator\"")
        .answers(&format!("for user \"{}\"", maker.user))
        .answers("✓ Permissions in namespace");
    let again = check(
        &namespace.name,
        &["--kubeconfig", &path, "--fix", "-o", "json"],
    )
    .exits(0)
    .json();
    assert_eq!(again["fixed"], serde_json::json!([]));
    let label = &namespace.own()["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
    assert_eq!(label, "restricted");
    every_command_works(&namespace.name, &path);
}

fn every_command_works(namespace: &str, kubeconfig: &str) {
    let workflow = Workflow::of_one_node("granted", "return input;");
    workflow.replace(
        "workflow.yaml",
        "{type: manual}",
        "{type: cron, schedule: \"0 9 * * *\"}",
    );
    let deploy = [
        "deploy",
        workflow.path(),
        "--image",
        engine_image(),
        "--wait",
    ];
    for command in [
        deploy.as_slice(),
        &["run", "granted"],
        &["logs", "granted"],
        &["list"],
        &["status", "granted", "--detail"],
        &["audit", workflow.path(), "--image", engine_image()],
        &["undeploy", "granted", "--yes"],
    ] {
        let arguments = command.iter().copied();
        tntc(arguments.chain(["-n", namespace, "--kubeconfig", kubeconfig]))
            .run()
            .exits(0);
    }
}

#[test]
fn a_probe_proves_that_policies_are_enforced_and_leaves_nothing() {
    let namespace = Namespace::new("probe");
    check(&namespace.name, &["--probe"])
        .exits(0)
        .answers("  ✓ Network policies are enforced\n");
    let left = namespace.kubectl(["get", "pods,networkpolicies", "-o", "name"]);
    assert_eq!(left, "");
}
