//! What is told before anything is applied.

use serde_json::Value;

use crate::support::{Namespace, Workflow, deploy, deploying, example, kubectl, tntc};

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
    deploying(
        &workflow,
        &namespace,
        &["--runtime-class", "no-such-runtime"],
    )
    .run()
    .exits(3)
    .says("RuntimeClass \"no-such-runtime\" not found");
    assert_eq!(namespace.list("deployments"), Vec::<Value>::new());
}

#[test]
fn a_namespace_that_is_being_deleted_is_told() {
    let namespace = Namespace::new("dying");
    // A finalizer keeps the namespace in that state for as long as the test looks at it.
    namespace.kubectl(["create", "configmap", "holder"]);
    namespace.kubectl([
        "patch",
        "configmap",
        "holder",
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":["example.com/hold"]}}"#,
    ]);
    kubectl(["delete", "namespace", &namespace.name, "--wait=false"]);
    let workflow = Workflow::of_one_node("late", "return 1;");
    let answer = deploy(&workflow, &namespace);
    namespace.kubectl([
        "patch",
        "configmap",
        "holder",
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":null}}"#,
    ]);
    answer.exits(3).says("being deleted");
}
