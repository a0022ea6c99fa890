//! Objects and fields of somebody else, and objects that are no longer wanted.

use serde_json::{Value, json};

use crate::support::{Namespace, Workflow, deploy, deployed, deploying, example};

#[test]
fn a_removed_cron_trigger_loses_its_cron_job() {
    let namespace = Namespace::new("cron");
    let workflow = example("word-counter");
    workflow.replace(
        "workflow.yaml",
        "- type: manual",
        "- {type: cron, schedule: \"0 9 * * *\"}\n  - {type: cron, schedule: \"@hourly\"}",
    );
    deploy(&workflow, &namespace).exits(0);
    assert_eq!(namespace.list("cronjobs").len(), 2);
    workflow.replace(
        "workflow.yaml",
        "\n  - {type: cron, schedule: \"@hourly\"}",
        "",
    );
    deploy(&workflow, &namespace)
        .exits(0)
        .answers("deleted CronJob/word-counter-cron-0");
    let left: Vec<_> = namespace
        .list("cronjobs")
        .iter()
        .map(|job| job["metadata"]["name"].clone())
        .collect();
    assert_eq!(left, [json!("word-counter-cron")]);
}

#[test]
fn an_object_of_somebody_else_is_never_taken_over() {
    let namespace = Namespace::new("theirs");
    namespace.kubectl([
        "create",
        "configmap",
        "word-counter-code",
        "--from-literal=theirs=yes",
    ]);
    let workflow = example("word-counter");
    deploying(&workflow, &namespace, &[])
        .run()
        .exits(1)
        .says("ConfigMap/word-counter-code")
        .says("not managed by tentacular");
    assert_eq!(
        namespace.get("configmap", "word-counter-code")["data"],
        json!({"theirs": "yes"})
    );
    assert_eq!(namespace.list("deployments"), Vec::<Value>::new());
}

#[test]
fn a_field_that_somebody_took_over_is_a_conflict_that_names_them() {
    let workflow = Workflow::of_one_node("contested", "return 1;");
    let namespace = deployed(&workflow, "conflict");
    let patch = r#"{"spec":{"template":{"spec":{"containers":[{"name":"engine","imagePullPolicy":"Always"}]}}}}"#;
    namespace.kubectl([
        "patch",
        "deployment",
        "contested",
        "--field-manager=somebody",
        "-p",
        patch,
    ]);
    deploy(&workflow, &namespace)
        .exits(1)
        .says("somebody")
        .says("--force-conflicts");
    deploying(&workflow, &namespace, &["--force-conflicts"])
        .run()
        .exits(0);
    let policy = namespace.get("deployment", "contested")["spec"]["template"]["spec"]["containers"]
        [0]["imagePullPolicy"]
        .clone();
    assert_eq!(policy, "IfNotPresent");
}

#[test]
fn scaling_by_hand_survives_a_deploy() {
    let workflow = Workflow::of_one_node("scaled", "return 1;");
    let namespace = deployed(&workflow, "scale");
    namespace.kubectl(["scale", "deployment", "scaled", "--replicas=2"]);
    workflow.replace("nodes/only.ts", "return 1;", "return 2;");
    deploy(&workflow, &namespace).exits(0);
    assert_eq!(namespace.get("deployment", "scaled")["spec"]["replicas"], 2);
}
