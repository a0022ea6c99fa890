//! `tntc test --live` on a real cluster.

mod failures;

use serde_json::{Value, json};

use crate::support::{Namespace, Workflow, engine_image, phases, tntc};

/// A workflow with a `dev` environment in a namespace of its own.
fn prepared(body: &str) -> (Workflow, Namespace) {
    let namespace = Namespace::new("live");
    let workflow = Workflow::of_one_node("lively", body);
    let config = format!(
        "environments: {{dev: {{namespace: {}, image: {}}}}}\n",
        namespace.name,
        engine_image()
    );
    workflow.write(".tentacular/config.yaml", &config);
    (workflow, namespace)
}

fn left(namespace: &Namespace) -> Vec<Value> {
    namespace.list("deployments,services,networkpolicies,cronjobs,secrets,pods")
}

#[test]
fn a_workflow_is_run_once_for_real_and_nothing_is_left() {
    let (workflow, namespace) = prepared("return 1;");
    workflow.replace(
        "workflow.yaml",
        "{type: manual}",
        "{type: cron, schedule: \"* * * * *\"}, {type: queue, subject: a.b}",
    );
    let answer = tntc(["test", "--live", workflow.path(), "-o", "json"])
        .run()
        .exits(0)
        .json();
    assert_eq!(answer["execution"]["outputs"]["only"], 1);
    assert_eq!(
        phases(&answer),
        [
            "prepare",
            "preflight",
            "apply",
            "rollout",
            "run",
            "clean up"
        ]
    );
    assert_eq!(left(&namespace), Vec::<Value>::new());
}

#[test]
fn the_environments_secret_is_mounted_and_stays() {
    let (workflow, namespace) = prepared("return Object.keys(ctx.secrets);");
    namespace.kubectl([
        "create",
        "secret",
        "generic",
        "lively-secrets",
        "--from-literal=github={\"token\":\"t\"}",
    ]);
    let answer = tntc(["test", "--live", workflow.path(), "-o", "json"])
        .run()
        .exits(0)
        .json();
    assert_eq!(answer["execution"]["outputs"]["only"], json!(["github"]));
    assert_eq!(namespace.list("secrets").len(), 1);
}

#[test]
fn kept_objects_are_named() {
    let (workflow, namespace) = prepared("return 1;");
    let answer = tntc(["test", "--live", "--keep", workflow.path()])
        .run()
        .exits(0)
        .says("tntc undeploy lively-live-");
    assert!(answer.stdout.contains("passed"), "{}", answer.stdout);
    assert_eq!(namespace.list("deployments").len(), 1);
}

#[test]
fn an_environment_that_is_not_defined_is_a_usage_error() {
    let workflow = Workflow::of_one_node("lively", "return 1;");
    let home = tempfile::tempdir().expect("a temporary directory");
    tntc(["test", "--live", workflow.path()])
        .env("HOME", home.path())
        .run()
        .exits(2)
        .says("unknown environment `dev`");
}
