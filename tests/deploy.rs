//! `tntc deploy` on a real cluster.

use serde_json::{Value, json};

use crate::support::{Namespace, Workflow, engine_image, example, kubectl, tntc};

/// Deploys and waits.
fn deploy(workflow: &Workflow, namespace: &Namespace) -> crate::support::Answer {
    tntc([
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
        "--wait",
    ])
    .run()
}

fn run(name: &str, namespace: &Namespace, input: &Value) -> Value {
    let input = input.to_string();
    tntc(["run", name, "-n", &namespace.name, "--input", "-"])
        .stdin(&input)
        .run()
        .exits(0)
        .json()
}

#[test]
fn a_real_pod_counts_the_words_of_a_real_document() {
    let namespace = Namespace::new("words");
    let text = include_str!("../README.md");
    deploy(&example("word-counter"), &namespace)
        .exits(0)
        .answers("deployed word-counter");
    let result = run("word-counter", &namespace, &json!({ "text": text }));
    let report = &result["outputs"]["report"];
    assert_eq!(result["success"], true);
    assert_eq!(report["characters"], text.chars().count());
    assert_eq!(report["lines"], text.lines().count());
    assert!(
        report["words"].as_u64().is_some_and(|words| words > 100),
        "{report}"
    );
}

#[test]
fn editing_a_node_and_deploying_again_changes_the_answer_without_a_build() {
    let namespace = Namespace::new("edit");
    let workflow = Workflow::of_one_node("greeter", r#"return { said: "before" };"#);
    deploy(&workflow, &namespace).exits(0);
    assert_eq!(
        run("greeter", &namespace, &json!({}))["outputs"]["only"]["said"],
        "before"
    );
    workflow.replace("nodes/only.ts", "before", "after");
    deploy(&workflow, &namespace)
        .exits(0)
        .answers("applied ConfigMap/greeter-code");
    // New connections may reach the old pod for a moment; the revision in the answer tells which code gave it.
    let revision = revision(&namespace, "greeter");
    let answer = (0..50)
        .map(|_| run("greeter", &namespace, &json!({})))
        .find(|answer| answer["revision"] == revision);
    assert_eq!(
        answer.expect("an answer of the new revision")["outputs"]["only"]["said"],
        "after"
    );
}

fn revision(namespace: &Namespace, name: &str) -> Value {
    namespace.get("deployment", name)["spec"]["template"]["metadata"]["annotations"]["tentacular.dev/code-hash"].clone()
}

#[test]
fn an_unchanged_deploy_changes_nothing_on_the_server() {
    let namespace = Namespace::new("same");
    let workflow = example("word-counter");
    deploy(&workflow, &namespace).exits(0);
    let before = versions(&namespace);
    deploy(&workflow, &namespace).exits(0).answers("unchanged");
    assert_eq!(versions(&namespace), before);
}

/// Generation of the Deployment and resource version of everything else; a Deployment's own changes with its status.
fn versions(namespace: &Namespace) -> Vec<String> {
    let kinds = [
        "configmap/word-counter-code",
        "service/word-counter",
        "networkpolicy/word-counter-netpol",
    ];
    let mut versions: Vec<_> = kinds
        .iter()
        .map(|object| {
            namespace.kubectl(["get", object, "-o", "jsonpath={.metadata.resourceVersion}"])
        })
        .collect();
    versions.push(namespace.kubectl([
        "get",
        "deployment/word-counter",
        "-o",
        "jsonpath={.metadata.generation}",
    ]));
    versions
}

#[test]
fn restart_replaces_the_pods_of_an_unchanged_workflow() {
    let namespace = Namespace::new("restart");
    let workflow = example("word-counter");
    deploy(&workflow, &namespace).exits(0);
    let before = versions(&namespace);
    let again = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
        "--wait",
        "--restart",
    ];
    tntc(again)
        .run()
        .exits(0)
        .answers("applied Deployment/word-counter");
    assert_ne!(versions(&namespace), before);
}

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
    tntc([
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
    ])
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
fn an_image_that_cannot_be_pulled_is_told_in_the_pods_own_words() {
    let namespace = Namespace::new("pull");
    let workflow = example("word-counter");
    let image = "127.0.0.1:9/absent:v1";
    let deploy = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        image,
        "--wait",
    ];
    tntc(deploy).run().exits(1).says("ImagePull").says(image);
    let status = tntc([
        "status",
        "word-counter",
        "-n",
        &namespace.name,
        "-o",
        "json",
    ])
    .run()
    .exits(0)
    .json();
    let problem = status["workflow"]["problem"].as_str().unwrap_or_default();
    assert!(
        problem.contains("ImagePull") && problem.contains(image),
        "{status}"
    );
    tntc(["run", "word-counter", "-n", &namespace.name])
        .run()
        .exits(1)
        .says("ImagePull");
}

#[test]
fn code_that_crashes_at_start_fails_the_rollout_and_the_log_tells_why() {
    let namespace = Namespace::new("crash");
    let workflow = Workflow::of_one_node("crasher", "return 1;");
    workflow.write("nodes/only.ts", "throw new Error(\"made to fail\");\n");
    deploy(&workflow, &namespace).exits(1).says("exit status 1");
    tntc(["logs", "crasher", "-n", &namespace.name])
        .run()
        .exits(0)
        .answers("made to fail");
}

#[test]
fn a_namespace_that_does_not_exist_is_told_before_anything_is_applied() {
    let workflow = example("word-counter");
    let answer = tntc([
        "deploy",
        workflow.path(),
        "-n",
        "no-such-namespace",
        "-o",
        "json",
    ])
    .run()
    .exits(3)
    .json();
    assert_eq!(answer["status"], "fail");
    assert_eq!(
        answer["summary"],
        "Namespace \"no-such-namespace\" not found"
    );
    assert!(
        answer["hints"][0]
            .as_str()
            .is_some_and(|hint| hint.contains("kubectl create namespace")),
        "{answer}"
    );
}

#[test]
fn a_runtime_class_that_the_cluster_lacks_is_told_before_anything_is_applied() {
    let namespace = Namespace::new("runtime");
    let workflow = example("word-counter");
    let deploy = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--runtime-class",
        "no-such-runtime",
    ];
    tntc(deploy)
        .run()
        .exits(3)
        .says("RuntimeClass \"no-such-runtime\" not found");
    assert_eq!(namespace.list("deployments"), Vec::<Value>::new());
}

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
