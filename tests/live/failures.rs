//! What a live test that fails has to say, and that it is cleaned up all the same.

use serde_json::Value;

use super::{left, live, prepared};
use crate::support::{Kubeconfig, Mesh, Namespace, Workflow, deploying, interrupt};

/// Runs a live test that must fail, and be gone afterwards; its answer.
#[track_caller]
fn failing(workflow: &Workflow, namespace: &Namespace, flags: &[&str]) -> Value {
    let answer = live(workflow, &[&["-o", "json"], flags].concat())
        .run()
        .exits(1)
        .json();
    assert_eq!(left(namespace), Vec::<Value>::new());
    answer
}

#[track_caller]
fn says(answer: &Value, field: &str, text: &str) {
    let found = answer[field].to_string();
    assert!(
        found.contains(text),
        "`{text}` is not in `{field}`: {answer}"
    );
}

#[test]
fn an_image_that_cannot_be_pulled() {
    let (workflow, namespace) = prepared("return 1;");
    let config = format!(
        "environments: {{dev: {{namespace: {}, image: \"127.0.0.1:9/absent:v1\"}}}}\n",
        namespace.name
    );
    workflow.write(".tentacular/config.yaml", &config);
    let answer = failing(&workflow, &namespace, &[]);
    says(&answer, "summary", "127.0.0.1:9/absent:v1");
    says(&answer, "events", "Failed to pull image");
    says(&answer, "hints", "tntc build --push");
}

#[test]
fn code_that_crashes_at_start() {
    let (workflow, namespace) = prepared("return 1;");
    workflow.write("nodes/only.ts", "throw new Error(\"made to fail\");\n");
    let answer = failing(&workflow, &namespace, &[]);
    says(&answer, "summary", "exit status 1");
    says(&answer, "log", "made to fail");
    says(&answer, "events", "Started");
    says(&answer, "hints", "the last lines of the container's log");
    live(&workflow, &[])
        .run()
        .exits(1)
        .says("last lines of the log:\n");
}

#[test]
fn an_engine_that_is_never_ready() {
    let (workflow, namespace) = prepared("return 1;");
    let source = "console.log(\"waiting\");\nawait new Promise((done) => setTimeout(done, 600_000));\nexport default () => 1;\n";
    workflow.write("nodes/only.ts", source);
    let answer = failing(&workflow, &namespace, &["--timeout", "8s"]);
    says(&answer, "summary", "Unhealthy: Readiness probe failed");
    says(&answer, "events", "Unhealthy");
    says(&answer, "log", "waiting");
    says(&answer, "hints", "/health");
    says(&answer, "hints", "--timeout");
}

#[test]
fn a_host_that_the_network_policy_does_not_open() {
    let (workflow, namespace) =
        prepared("return (await ctx.dependency(\"api\").fetch(\"/\")).status;");
    // Two labels are a name of the internet, and those open no private address.
    workflow.replace(
        "workflow.yaml",
        "dependencies: {}",
        "dependencies: {api: {protocol: https, host: kubernetes.default}}",
    );
    workflow.replace("workflow.yaml", "nodes:", "config: {timeout: 2s}\nnodes:");
    let answer = failing(&workflow, &namespace, &[]);
    assert_eq!(answer["execution"]["success"], false);
    says(&answer, "summary", "timed out after 2s");
    says(&answer, "hints", "NetworkPolicy");
}

#[test]
fn a_quota_that_is_exceeded() {
    let (workflow, namespace) = prepared("return 1;");
    namespace.kubectl(["create", "quota", "none", "--hard=pods=0"]);
    let answer = failing(&workflow, &namespace, &[]);
    says(&answer, "summary", "exceeded quota");
    says(&answer, "events", "exceeded quota");
    says(&answer, "hints", "ResourceQuota");
}

#[test]
fn pods_that_are_changed_on_their_way_until_pod_security_refuses_them() {
    let (workflow, namespace) = prepared("return 1;");
    let _mesh = Mesh::of(&namespace);
    let answer = failing(&workflow, &namespace, &[]);
    says(&answer, "summary", "violates PodSecurity");
    says(&answer, "events", "mesh-init");
    says(&answer, "hints", "what was changed in them on their way");
    deploying(&workflow, &namespace, &["--force", "--wait"])
        .run()
        .exits(1)
        .says("violates PodSecurity")
        .says("what was changed in them on their way");
}

#[test]
fn a_node_that_throws() {
    let (workflow, namespace) =
        prepared("ctx.log.info(\"about to\");\n  throw new Error(\"made to fail\");");
    let answer = failing(&workflow, &namespace, &[]);
    says(&answer, "execution", "node only threw: made to fail");
    says(&answer, "log", "about to");
    says(&answer, "hints", "--keep");
}

#[test]
fn a_live_test_that_takes_too_long() {
    let (workflow, namespace) = prepared("await new Promise((done) => setTimeout(done, 600_000));");
    let answer = failing(&workflow, &namespace, &["--timeout", "6s"]);
    says(&answer, "hints", "--timeout");
}

#[test]
fn a_live_test_that_is_interrupted_leaves_nothing_and_what_ran_before_runs_on() {
    let (workflow, namespace) = prepared("await new Promise((done) => setTimeout(done, 600_000));");
    deploying(&workflow, &namespace, &["--force", "--wait"])
        .run()
        .exits(0);
    let before = left(&namespace).len();
    let mut command = live(&workflow, &[]).command();
    let mut test = command.spawn().expect("tntc starts");
    let is_running = || {
        let pods = namespace.list("pods");
        let mut labels = pods.iter().map(|pod| &pod["metadata"]["labels"]);
        labels.any(|labels| labels["tentacular.dev/role"] == "trigger")
    };
    while !is_running() {
        assert!(
            test.try_wait().expect("a child").is_none(),
            "it ended early"
        );
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    interrupt(test.id());
    assert_eq!(test.wait().expect("a child").code(), Some(130));
    assert_eq!(left(&namespace).len(), before);
}

#[test]
fn a_cluster_that_cannot_be_reached() {
    let (workflow, namespace) = prepared("return 1;");
    let nowhere = Kubeconfig::current().at("https://127.0.0.1:9");
    let config = format!(
        "environments: {{dev: {{namespace: {}, kubeconfig: {}}}}}\n",
        namespace.name,
        nowhere.path().display()
    );
    let live = live(&workflow, &["-o", "json"]);
    let file = workflow.trusting_home().join(".tentacular/config.yaml");
    let trusting = std::fs::read_to_string(&file).expect("a file");
    std::fs::write(file, trusting + &config).expect("a file");
    let answer = live.run().exits(3).json();
    says(&answer, "summary", "cannot reach the Kubernetes API");
}
