//! Server-side apply of a plan.

use kube::ResourceExt;
use serde_json::{Value, json};

use super::{Answer, FakeServer, later, object, plan, plan_of, shown, unmanaged};
use crate::cluster::apply::{self, Applied, Options};
use crate::outcome::Result;

/// In the order of the plan.
const OBJECTS: [&str; 7] = [
    "secrets/report-secrets",
    "configmaps/report-code",
    "networkpolicies/report-netpol",
    "networkpolicies/report-trigger-netpol",
    "services/report",
    "deployments/report",
    "cronjobs/report-cron",
];

const FORCE: Options = Options {
    force_conflicts: true,
};

async fn applied(server: &FakeServer) -> Result<Applied> {
    with(server, false, Options::default()).await
}

async fn with(server: &FakeServer, restart: bool, options: Options) -> Result<Applied> {
    apply::all(&server.cluster(), &plan(), restart, options).await
}

async fn failure(server: &FakeServer) -> String {
    shown(&applied(server).await.expect_err("a failure"))
}

/// A server that the plan was applied to.
async fn deployed() -> FakeServer {
    let server = FakeServer::new();
    applied(&server).await.expect("a deploy");
    server
}

fn since(server: &FakeServer, before: usize) -> Vec<String> {
    server.writes().split_off(before)
}

#[tokio::test(start_paused = true)]
async fn everything_is_tried_before_anything_is_sent_and_pods_come_last() {
    let server = FakeServer::new();
    let done = applied(&server).await.expect("a deploy");
    let tries = OBJECTS.map(|object| format!("dry-run {object}"));
    let sends = OBJECTS.map(|object| format!("apply {object}"));
    assert_eq!(server.writes(), [tries, sends].concat());
    assert_eq!(done.changed.len(), OBJECTS.len());
    assert_eq!(done.changed[5], "Deployment/report");
    assert_eq!(done.deleted, Vec::<String>::new());
    assert_eq!(done.deployment.name_any(), "report");
}

#[tokio::test(start_paused = true)]
async fn objects_are_sent_strictly_and_as_one_manager() {
    let server = deployed().await;
    for sent in server.sent().iter().filter(|sent| sent.verb == "apply") {
        assert_eq!(sent.query("fieldManager"), Some("tntc"), "{sent}");
        assert_eq!(sent.query("fieldValidation"), Some("Strict"), "{sent}");
        assert_ne!(sent.query("force"), Some("true"), "{sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_in_force_is_not_sent_again() {
    let server = deployed().await;
    let before = server.writes().len();
    let again = applied(&server).await.expect("a deploy");
    assert_eq!(again.changed, Vec::<String>::new());
    assert_eq!(again.deployment.name_any(), "report");
    assert_eq!(since(&server, before), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_restart_sends_the_deployment_alone() {
    let server = deployed().await;
    let before = server.writes().len();
    let restarted = with(&server, true, Options::default())
        .await
        .expect("a deploy");
    assert_eq!(restarted.changed, ["Deployment/report"]);
    assert_eq!(
        since(&server, before),
        ["dry-run deployments/report", "apply deployments/report"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_somebody_has_edited_is_put_back() {
    let server = deployed().await;
    let mut edited = server.get("services/report").expect("a Service");
    edited["spec"]["ports"][0]["port"] = json!(1);
    server.put(edited);
    let again = applied(&server).await.expect("a deploy");
    assert_eq!(again.changed, ["Service/report"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_not_managed_stops_everything() {
    let server = FakeServer::with([unmanaged("v1", "Service", "report")]);
    insta::assert_snapshot!(failure(&server).await);
    assert_eq!(server.writes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn one_object_that_is_forbidden_leaves_nothing_half_done() {
    let server = FakeServer::new();
    let refusal =
        "networkpolicies.networking.k8s.io is forbidden: User \"ada\" cannot patch resource";
    server.on(
        "dry-run networkpolicies/report-netpol",
        Answer::forbidden(refusal),
    );
    insta::assert_snapshot!(failure(&server).await);
    assert!(server.asked("apply").is_empty());
    assert_eq!(server.get("configmaps/report-code"), None);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_knows_no_dry_run_does_not_stop_a_deploy() {
    let server = FakeServer::new();
    let message = "admission webhook \"w\" does not support dry run";
    server.on(
        "dry-run services",
        Answer::status(400, "BadRequest", message),
    );
    applied(&server).await.expect("a deploy");
}

#[tokio::test(start_paused = true)]
async fn a_conflict_of_field_managers_changes_nothing_without_force() {
    let server = deployed().await;
    let mut scaled = server.get("services/report").expect("a Service");
    scaled["spec"]["type"] = json!("NodePort");
    server.put(scaled);
    let conflict = "Apply failed with 1 conflict: conflict with \"kubectl-edit\": .spec.type";
    server.next("dry-run services", [Answer::field_conflict(conflict)]);
    let before = server.asked("apply").len();
    insta::assert_snapshot!(failure(&server).await);
    assert_eq!(server.asked("apply").len(), before);
    with(&server, false, FORCE).await.expect("a deploy");
    let forced = server.sent().into_iter().rfind(|sent| sent.verb == "apply");
    assert_eq!(forced.expect("an apply").query("force"), Some("true"));
}

#[tokio::test(start_paused = true)]
async fn what_kubectl_apply_has_sent_is_taken_over_first() {
    let server = deployed().await;
    let mut service = server.get("services/report").expect("a Service");
    service["metadata"]["managedFields"][0]["manager"] = json!("kubectl");
    server.put(service);
    let before = server.writes().len();
    let again = applied(&server).await.expect("a deploy");
    assert_eq!(again.changed, Vec::<String>::new());
    assert_eq!(since(&server, before), ["merge services/report"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_changed_after_it_was_read_is_read_again() {
    let server = FakeServer::new();
    let conflict = Answer::status(409, "Conflict", "the object has been modified");
    server.next("apply services/report", [conflict]);
    applied(&server).await.expect("a deploy");
    assert_eq!(server.asked("get services/report").len(), 2);
    assert_eq!(server.asked("apply services/report").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_being_deleted_is_waited_for() {
    let mut leaving = object("v1", "Service", "report");
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
    let server = FakeServer::with([leaving]);
    later(&server, 10, |server| server.remove("services/report"));
    applied(&server).await.expect("a deploy");
    assert!(server.get("services/report").is_some());
}

#[tokio::test(start_paused = true)]
async fn an_object_that_stays_in_deletion_is_named() {
    let mut leaving = object("v1", "Service", "report");
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
    let server = FakeServer::with([leaving]);
    insta::assert_snapshot!(failure(&server).await);
    assert_eq!(server.writes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_deploy_that_fails_half_way_says_what_was_applied() {
    let server = FakeServer::new();
    server.on("apply deployments/report", Answer::internal_error());
    insta::assert_snapshot!("at_the_deployment", failure(&server).await);
    let server = FakeServer::new();
    server.on("apply secrets/report-secrets", Answer::internal_error());
    insta::assert_snapshot!("at_the_secret", failure(&server).await);
    assert!(server.asked("apply deployments").is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_no_longer_wanted_is_deleted_after_the_rest() {
    let server = deployed().await;
    server.put(object("batch/v1", "CronJob", "report-cron-0"));
    server.put(object("batch/v1", "CronJob", "report-cron-1"));
    server.next(
        "delete cronjobs/report-cron-1",
        [Answer::status(404, "NotFound", "gone")],
    );
    let again = applied(&server).await.expect("a deploy");
    assert_eq!(again.deleted, ["CronJob/report-cron-0"]);
}

#[tokio::test(start_paused = true)]
async fn a_deploy_begins_again_when_another_one_got_in_between() {
    let server = FakeServer::new();
    let other = plan_of(&super::WORKFLOW.replace("1.10", "2.0"));
    let other: Value = json!(other.config_map);
    server.next(
        "get configmaps/report-code",
        [
            Answer::status(404, "NotFound", "not found"),
            Answer::json(&other),
        ],
    );
    applied(&server).await.expect("a deploy");
    let deployment = server.get("deployments/report").expect("a Deployment");
    let annotations = &deployment["spec"]["template"]["metadata"]["annotations"];
    assert!(
        annotations.get("tentacular.dev/restarted-at").is_some(),
        "{annotations}"
    );
}
