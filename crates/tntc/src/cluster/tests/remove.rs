//! Removing a workflow.

use serde_json::{Value, json};

use super::{Answer, FakeServer, deployment, later, object, running, shown, unmanaged};
use crate::cluster::remove::{self, Pods, Removal};
use crate::outcome::Error;

const DELETES: [&str; 4] = [
    "delete services/report",
    "delete deployments/report",
    "delete secrets/report-secrets",
    "delete configmaps/report-code",
];

fn deployed() -> FakeServer {
    FakeServer::with([
        object("v1", "Service", "report"),
        deployment(true),
        unmanaged("v1", "Secret", "report-secrets"),
        object("v1", "ConfigMap", "report-code"),
    ])
}

async fn planned(server: &FakeServer, keep_secrets: bool) -> Removal {
    let planned = remove::plan(&server.cluster(), "team", "report", keep_secrets).await;
    planned.expect("a plan")
}

async fn executed(server: &FakeServer, pods: Pods) -> Result<Vec<String>, Error> {
    let mut removal = planned(server, false).await;
    remove::execute(&server.cluster(), "team", "report", &mut removal, pods).await
}

fn names(removal: &Removal) -> Vec<String> {
    removal.remove.iter().map(ToString::to_string).collect()
}

fn held(mut object: Value) -> Value {
    object["metadata"]["finalizers"] = json!(["example.com/wait"]);
    object
}

#[tokio::test(start_paused = true)]
async fn only_managed_objects_and_the_secret_go() {
    let server = deployed();
    server.put(unmanaged("v1", "Service", "report"));
    server.put(object(
        "batch/v1",
        "CronJob",
        "report-cron-of-an-older-version",
    ));
    server.put(unmanaged("batch/v1", "CronJob", "report-cron"));
    server.put(unmanaged("batch/v1", "CronJob", "unrelated"));
    let removal = planned(&server, false).await;
    assert_eq!(
        names(&removal),
        [
            "Deployment/report",
            "Secret/report-secrets",
            "ConfigMap/report-code",
            "CronJob/report-cron-of-an-older-version"
        ]
    );
    let kept = removal
        .keep
        .iter()
        .map(|kept| format!("{}: {}", kept.object, kept.why));
    assert_eq!(
        kept.collect::<Vec<_>>(),
        [
            "Service/report: not managed by tentacular",
            "CronJob/report-cron: not managed by tentacular"
        ]
    );
    assert_eq!(server.writes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_secret_stays_when_that_is_asked_for() {
    let removal = planned(&deployed(), true).await;
    assert_eq!(removal.keep[0].object.to_string(), "Secret/report-secrets");
    assert_eq!(removal.keep[0].why, "--keep-secrets");
}

#[tokio::test(start_paused = true)]
async fn everything_is_deleted_and_the_pods_that_are_left_are_named() {
    let server = deployed();
    server.put(running("one"));
    assert_eq!(
        executed(&server, Pods::Leave).await.expect("an end"),
        ["one"]
    );
    assert_eq!(server.writes(), DELETES);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_has_deleted_meanwhile_is_gone() {
    let server = deployed();
    let mut removal = planned(&server, false).await;
    server.remove("services/report");
    let cluster = server.cluster();
    let done = remove::execute(&cluster, "team", "report", &mut removal, Pods::Await).await;
    assert_eq!(done.expect("an end"), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_object_with_a_finalizer_and_the_pods_are_waited_for() {
    let server = deployed();
    server.put(held(object("v1", "Service", "report")));
    server.put(running("one"));
    later(&server, 7, |server| server.remove("services/report"));
    later(&server, 20, |server| server.remove("pods/one"));
    executed(&server, Pods::Await).await.expect("an end");
    assert_eq!(server.get("services/report"), None);
    assert_eq!(server.get("pods/one"), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_gone_when_the_pods_must_be_is_named() {
    let server = deployed();
    server.put(held(object("v1", "Service", "report")));
    server.put(running("one"));
    let error = executed(&server, Pods::Await).await.expect_err("a timeout");
    insta::assert_snapshot!(shown(&error));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_is_forbidden_leaves_what_was_deleted() {
    let server = deployed();
    let refusal = Answer::forbidden("deployments.apps \"report\" is forbidden");
    server.on("delete deployments/report", refusal);
    let (cluster, mut removal) = (server.cluster(), planned(&server, false).await);
    let done = remove::execute(&cluster, "team", "report", &mut removal, Pods::Leave).await;
    insta::assert_snapshot!(shown(&done.expect_err("a refusal")));
    assert_eq!(server.writes(), DELETES);
    assert_eq!(
        names(&removal),
        [
            "Service/report",
            "Secret/report-secrets",
            "ConfigMap/report-code"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_planned_when_an_object_cannot_be_read() {
    let server = deployed();
    server.on("get secrets", Answer::forbidden("secrets is forbidden"));
    let planned = remove::plan(&server.cluster(), "team", "report", false).await;
    let error = planned.expect_err("a refusal");
    assert_eq!(
        error.message,
        "reading Secret/report-secrets: secrets is forbidden"
    );
}
