//! Where settings come from, and what kind changes.

use serde_json::json;

use crate::support::{Kubeconfig, Namespace, Workflow, deploying, example, kubectl, run, tntc};

#[test]
fn on_kind_the_adjustments_are_told() {
    let workflow = example("word-counter");
    let answer = tntc(["deploy", workflow.path(), "--dry-run"])
        .run()
        .exits(0);
    let context = kubectl(["config", "current-context"]);
    let cluster = context
        .trim()
        .strip_prefix("kind-")
        .expect("the test cluster's context is named as kind names it");
    answer
        .says(&format!(
            "Detected kind cluster '{cluster}', adjusted: no gVisor, imagePullPolicy=IfNotPresent"
        ))
        .answers("imagePullPolicy: IfNotPresent");
}

#[test]
fn overrides_of_an_environment_reach_the_pod_and_comments_stay() {
    let namespace = Namespace::new("overrides");
    let workflow = Workflow::of_one_node("configured", "return ctx.config;");
    workflow.replace(
        "workflow.yaml",
        "nodes:",
        "config: {timeout: 30s, deep: {a: 1}}\n# the nodes\nnodes:",
    );
    let config = "environments: {test: {runtime_class: '', config_overrides: {timeout: 60s, deep: {b: 2}, debug: true}}}\n";
    workflow.write(".tentacular/config.yaml", config);
    deploying(&workflow, &namespace, &["--wait", "--env", "test"])
        .run()
        .exits(0);
    let expected = json!({"timeout": "60s", "deep": {"a": 1, "b": 2}, "debug": true});
    assert_eq!(
        run("configured", &namespace, &json!({}))["outputs"]["only"],
        expected
    );
    let delivered = namespace.get("configmap", "configured-code")["data"]["workflow.yaml"].clone();
    assert!(
        delivered
            .as_str()
            .is_some_and(|text| text.contains("# the nodes\n")),
        "{delivered}"
    );
}

#[test]
fn the_namespace_is_the_workflows_and_then_the_kubeconfig_contexts() {
    let kubeconfig = Kubeconfig::current().in_namespace("of-the-context");
    let path = kubeconfig.path().display().to_string();
    let workflow = Workflow::of_one_node("placed", "return 1;");
    let flags = ["--kubeconfig", &path];
    let dry_run = ["deploy", workflow.path(), "--dry-run"].into_iter();
    tntc(dry_run.chain(flags))
        .run()
        .exits(0)
        .answers("namespace: of-the-context");
    let list = |expected: &str| {
        let list = tntc(["list"].into_iter().chain(flags));
        let list = list.current_dir(std::path::Path::new(workflow.path()));
        list.run().exits(0).answers(expected);
    };
    list("no workflows in namespace of-the-context");
    workflow.replace(
        "workflow.yaml",
        "nodes:",
        "deployment: {namespace: of-the-workflow}\nnodes:",
    );
    list("no workflows in namespace of-the-workflow");
    // What is asked next is asked of the same cluster.
    tntc(["status", "absent"].into_iter().chain(flags))
        .run()
        .exits(1)
        .says(&format!("tntc list -n of-the-context --kubeconfig {path}"));
}

#[test]
fn kind_is_looked_for_in_the_context_that_is_used() {
    let namespace = Namespace::new("elsewhere");
    let workflow = Workflow::of_one_node("elsewhere", "return 1;");
    let manifests = |context: &str| {
        let flags = ["--dry-run", "--context", context];
        deploying(&workflow, &namespace, &flags).run().exits(0)
    };
    manifests("kind-tntc").says("Detected kind cluster");
    let other = manifests("tntc-testbed");
    assert!(!other.stderr.contains("kind"), "{}", other.stderr);
    other.answers("runtimeClassName: gvisor");
}

#[test]
fn the_old_way_to_name_a_clusters_registry_is_taken_with_a_warning() {
    let workflow = Workflow::of_one_node("dated", "return 1;");
    let image = "registry.example.com/engine:v1";
    let flags = [
        "--dry-run",
        "--image",
        image,
        "--cluster-registry",
        "old.example.com",
    ];
    tntc(["deploy", workflow.path()].into_iter().chain(flags))
        .run()
        .exits(0)
        .says("warning: --cluster-registry is deprecated and ignored")
        .says("--image")
        .answers(image);
}

#[test]
fn a_registry_is_for_builds() {
    let workflow = Workflow::of_one_node("regardless", "return 1;");
    tntc([
        "deploy",
        workflow.path(),
        "--dry-run",
        "-r",
        "reg.example.com",
    ])
    .run()
    .exits(0)
    .says("warning: --registry has no effect on `deploy`");
}
