//! What is deployed, as `list` and `status` read it.

use kube::ResourceExt;
use serde_json::json;

use super::{
    Answer, FakeServer, deployment, object, replica_set, running, shown, unmanaged, waiting,
};
use crate::cluster::inventory;

fn elsewhere(mut object: serde_json::Value, name: &str) -> serde_json::Value {
    object["metadata"]["namespace"] = json!("other");
    object["metadata"]["name"] = json!(name);
    object
}

async fn names(
    server: &FakeServer,
    namespace: Option<&str>,
    selector: Option<&str>,
) -> Vec<String> {
    let listed = inventory::deployments(&server.cluster(), namespace, selector).await;
    let listed = listed.expect("a list");
    listed.iter().map(ResourceExt::name_any).collect()
}

#[tokio::test(start_paused = true)]
async fn only_managed_deployments_are_listed_by_namespace_and_name() {
    let server = FakeServer::with([
        deployment(true),
        elsewhere(deployment(true), "billing"),
        unmanaged("apps/v1", "Deployment", "database"),
    ]);
    assert_eq!(names(&server, Some("team"), None).await, ["report"]);
    assert_eq!(names(&server, None, None).await, ["billing", "report"]);
    let nightly = Some("tentacular.dev/tag-nightly");
    assert_eq!(names(&server, None, nightly).await, Vec::<String>::new());
    let version = Some("app.kubernetes.io/version=1.10");
    assert_eq!(names(&server, Some("team"), version).await, ["report"]);
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_is_not_managed_is_not_a_workflow() {
    let server = FakeServer::with([unmanaged("apps/v1", "Deployment", "report")]);
    for name in ["report", "absent"] {
        let found = inventory::deployment(&server.cluster(), "team", name).await;
        let error = found.expect_err("not a workflow");
        assert_eq!(
            error.message,
            format!("no workflow `{name}` in namespace team")
        );
        assert_eq!(error.hints, ["see what is there with: tntc list -n team"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_user_may_not_list_is_left_out_and_named() {
    let server = FakeServer::with([deployment(false), replica_set(), running("one")]);
    server.on("list events", Answer::forbidden("events is forbidden"));
    let seen = inventory::observe(&server.cluster(), "team", "report").await;
    let seen = seen.expect("the rest");
    assert_eq!(seen.refused, ["events is forbidden"]);
    assert_eq!(seen.pods.keys().collect::<Vec<_>>(), ["one"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_otherwise_is_an_error() {
    let server = FakeServer::with([deployment(false)]);
    server.on("list pods", Answer::internal_error());
    let seen = inventory::observe(&server.cluster(), "team", "report").await;
    let error = seen.expect_err("a failure");
    assert_eq!(
        shown(&error),
        "listing pods: etcdserver: request timed out (exit status 3)\n"
    );
}

#[tokio::test(start_paused = true)]
async fn the_problem_is_that_of_the_newest_pods_while_the_rollout_is_not_complete() {
    let broken = waiting("one", "ErrImagePull", "no such host");
    let server = FakeServer::with([deployment(false), replica_set(), broken]);
    let cluster = server.cluster();
    let problem = inventory::problem_of(&cluster, "team", "report").await;
    let problem = problem.expect("an answer").map(|it| it.to_string());
    assert_eq!(problem.as_deref(), Some("ErrImagePull: no such host"));
    server.put(deployment(true));
    let problem = inventory::problem_of(&cluster, "team", "report").await;
    assert_eq!(problem.expect("an answer"), None);
}

#[tokio::test(start_paused = true)]
async fn each_cron_job_comes_with_the_newest_of_its_own_jobs() {
    let mut cron_job = object("batch/v1", "CronJob", "report-cron");
    cron_job["metadata"]["uid"] = json!("c");
    let job = |name: &str, owner: &str, created: &str| {
        let mut job = object("batch/v1", "Job", name);
        job["metadata"]["labels"] = json!({"tentacular.dev/workflow": "report"});
        job["metadata"]["creationTimestamp"] = json!(created);
        job["metadata"]["ownerReferences"] =
            json!([{"apiVersion": "batch/v1", "kind": "CronJob", "name": "n", "uid": owner}]);
        job
    };
    let server = FakeServer::with([
        cron_job,
        job("old", "c", "2026-01-01T00:00:00Z"),
        job("new", "c", "2026-01-02T00:00:00Z"),
        job("newer-of-another", "d", "2026-01-03T00:00:00Z"),
    ]);
    let found = inventory::cron_jobs(&server.cluster(), "team", "report").await;
    let found = found.expect("CronJobs");
    let newest: Vec<_> = found
        .iter()
        .filter_map(|(_, job)| Some(job.as_ref()?.name_any()))
        .collect();
    assert_eq!(newest, ["new"]);
}
