//! What an audit reads, and what running pods report to have loaded.

use kube::ResourceExt;
use serde_json::json;
use tntc_core::audit;

use super::{Answer, FakeServer, deployment, object, plan, running, unmanaged};
use crate::cluster::apply::{self, Options};
use crate::cluster::{deployed, inventory, loaded, queues};

#[tokio::test(start_paused = true)]
async fn what_was_just_applied_has_not_drifted() {
    let (server, plan) = (FakeServer::new(), plan());
    let cluster = server.cluster();
    let applied = apply::all(&cluster, &plan, false, Options::default()).await;
    applied.expect("a deploy");
    let found = deployed::everything(&cluster, "team", &plan)
        .await
        .expect("objects");
    let compared = audit::compare(&plan, &found);
    let differing = compared.iter().filter(|object| !object.matches);
    let differing: Vec<_> = differing.map(|it| it.object.clone()).collect();
    assert_eq!(differing, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_edit_shows_and_foreign_cron_jobs_do_not() {
    let (server, plan) = (FakeServer::new(), plan());
    let cluster = server.cluster();
    let applied = apply::all(&cluster, &plan, false, Options::default()).await;
    applied.expect("a deploy");
    let mut service = server.get("services/report").expect("a Service");
    service["spec"]["selector"] = json!({"app": "other"});
    server.put(service);
    server.put(unmanaged("batch/v1", "CronJob", "backup"));
    server.put(object("batch/v1", "CronJob", "report-cron-7"));
    let found = deployed::everything(&cluster, "team", &plan)
        .await
        .expect("objects");
    let names: Vec<_> = found.cron_jobs.iter().map(ResourceExt::name_any).collect();
    assert_eq!(names, ["report-cron", "report-cron-7"]);
    let compared = audit::compare(&plan, &found);
    let differing = compared.iter().filter(|object| !object.matches);
    let differing: Vec<_> = differing.map(|it| it.object.clone()).collect();
    assert_eq!(differing, ["Service/report", "CronJob/report-cron-7"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_may_not_be_read_is_an_error_and_not_missing() {
    let server = FakeServer::new();
    server.on(
        "list networkpolicies",
        Answer::forbidden("networkpolicies is forbidden"),
    );
    let found = deployed::everything(&server.cluster(), "team", &plan()).await;
    let error = found.expect_err("a refusal");
    assert_eq!(
        error.message,
        "listing networkpolicies: networkpolicies is forbidden"
    );
}

/// A running pod that mounts the workflow's file.
fn mounting() -> serde_json::Value {
    let mut pod = running("one");
    pod["spec"] = json!({"containers": [], "volumes": [{"name": "code", "configMap": {"name": "report-code",
        "items": [{"key": "workflow.yaml", "path": "workflow.yaml"}]}}]});
    pod
}

fn code() -> serde_json::Value {
    let mut code = object("v1", "ConfigMap", "report-code");
    code["data"] = json!({"workflow.yaml": "name: report\n"});
    code
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_has_loaded_other_code_is_out_of_sync() {
    let server = FakeServer::with([deployment(true), mounting(), code()]);
    server.log(
        "one",
        false,
        "[engine] INFO loading revision=0123 secrets=none\n",
    );
    let (problem, unseen) = loaded::look(&server.cluster(), "team", "report")
        .await
        .expect("a look");
    let problem = problem.expect("a problem");
    assert_eq!(
        problem.to_string(),
        "OutOfSync: pod one has loaded other code than the cluster holds"
    );
    let hint = "deploy again, which restarts such pods: tntc deploy DIR -n team";
    assert_eq!(problem.hint.as_deref(), Some(hint));
    assert_eq!(unseen, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_log_that_may_not_be_read_leaves_it_unknown() {
    let server = FakeServer::with([deployment(true), mounting(), code()]);
    server.on(
        "get pods/one/log",
        Answer::forbidden("pods/log is forbidden"),
    );
    let (problem, unseen) = loaded::look(&server.cluster(), "team", "report")
        .await
        .expect("a look");
    assert!(problem.is_none());
    let line = "what pod one has loaded is not known: reading its log: pods/log is forbidden";
    assert_eq!(unseen, [line]);
}

#[tokio::test(start_paused = true)]
async fn no_log_is_no_problem_of_a_queue() {
    let server = FakeServer::with([running("one")]);
    server.on("get pods/one/log", Answer::internal_error());
    let cluster = server.cluster();
    let pods = inventory::pods(&cluster, "team", "report")
        .await
        .expect("pods");
    assert!(queues::problem(&cluster, "team", &pods).await.is_none());
}
