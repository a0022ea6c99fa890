//! `tntc undeploy` on a real cluster.

use serde_json::json;

use crate::support::{Namespace, engine_image, example, tntc};

#[test]
fn everything_of_the_workflow_goes_and_the_name_is_free_at_once() {
    let namespace = Namespace::new("undeploy");
    let workflow = example("word-counter");
    workflow.replace(
        "workflow.yaml",
        "- type: manual",
        "- {type: cron, schedule: \"0 9 * * *\"}",
    );
    let deploy = || {
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
        .exits(0)
    };
    deploy();
    namespace.kubectl([
        "create",
        "secret",
        "generic",
        "word-counter-secrets",
        "--from-literal=github={}",
    ]);
    let answer = tntc([
        "undeploy",
        "word-counter",
        "-n",
        &namespace.name,
        "--yes",
        "-o",
        "json",
    ])
    .run()
    .exits(0)
    .json();
    let expected = [
        "Service/word-counter",
        "Deployment/word-counter",
        "Secret/word-counter-secrets",
        "ConfigMap/word-counter-code",
        "NetworkPolicy/word-counter-netpol",
        "CronJob/word-counter-cron",
    ];
    assert_eq!(answer["removed"], json!(expected));
    let left = namespace.kubectl([
        "get",
        "deployments,services,secrets,networkpolicies,cronjobs,pods",
        "-o",
        "name",
    ]);
    assert_eq!(left, "");
    deploy();
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_deleted() {
    let namespace = Namespace::new("ask");
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
    .exits(0);
    tntc(["undeploy", "word-counter", "-n", &namespace.name])
        .run()
        .exits(2)
        .says("--yes");
    assert_eq!(namespace.list("deployments").len(), 1);
}

#[test]
fn an_object_of_somebody_else_is_kept_and_named() {
    let namespace = Namespace::new("keep");
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
    .exits(0);
    namespace.kubectl(["delete", "networkpolicy", "word-counter-netpol"]);
    namespace.kubectl(["delete", "service", "word-counter"]);
    namespace.kubectl([
        "create",
        "service",
        "clusterip",
        "word-counter",
        "--tcp=80:80",
    ]);
    let answer = tntc([
        "undeploy",
        "word-counter",
        "-n",
        &namespace.name,
        "--yes",
        "-o",
        "json",
    ])
    .run()
    .exits(0)
    .json();
    assert_eq!(answer["kept"], json!(["Service/word-counter"]));
    assert_eq!(namespace.list("services").len(), 1);
}

#[test]
fn a_workflow_that_does_not_exist_is_told() {
    let namespace = Namespace::new("gone");
    tntc(["undeploy", "absent", "-n", &namespace.name, "--yes"])
        .run()
        .exits(1)
        .says("no workflow `absent`");
}
