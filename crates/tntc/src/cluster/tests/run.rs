//! Running a deployed workflow once.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, FakeServer, deployment, later, object, replica_set, running, shown, waiting};
use crate::cluster::run::request::{Request, RunResponse};
use crate::cluster::run::{direct, trigger};
use crate::outcome::Result;

/// What the API server says as long as a pod's container does not run.
const NOT_STARTED: &str = "container trigger is not available";

const REQUEST: Request<'static> = Request {
    namespace: "team",
    workflow: "report",
    image: "curlimages/curl:latest",
    input: "{}",
    timeout: Duration::from_secs(30),
    phase: None,
};

/// A workflow that is ready.
fn ready() -> FakeServer {
    FakeServer::with([deployment(true), replica_set(), running("one")])
}

async fn ran(server: &FakeServer) -> Result<RunResponse> {
    trigger::run(&server.cluster(), &REQUEST).await
}

async fn failure(server: &FakeServer) -> String {
    let error = ran(server).await.expect_err("a failure");
    anonymous(&shown(&error))
}

/// The pod's random name made the same each time.
fn anonymous(text: &str) -> String {
    let random = regex_lite::Regex::new("report-run-[0-9a-f]{8}").expect("a pattern");
    random.replace_all(text, "report-run-SUFFIX").into_owned()
}

/// The verbs of what was changed.
fn verbs(server: &FakeServer) -> Vec<&'static str> {
    let sent = server.sent();
    let writes = sent
        .iter()
        .filter(|sent| !sent.only_reads() && sent.subresource.is_empty());
    writes.map(|sent| sent.verb).collect()
}

/// Gives the trigger pod, once it is there, this status.
fn give_status(server: &FakeServer, status: Value) {
    later(server, 1, move |server| {
        let created = server.sent().into_iter().find(|sent| sent.verb == "create");
        let name = created.expect("a pod").body["metadata"]["name"].clone();
        let name = name.as_str().expect("a name").to_owned();
        let mut pod = server.get(&format!("pods/{name}")).expect("a pod");
        pod["status"] = status;
        server.put(pod);
    });
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_does_not_get_ready_is_not_run() {
    let server = FakeServer::with([deployment(false), replica_set()]);
    insta::assert_snapshot!(failure(&server).await);
    assert_eq!(verbs(&server), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_crashes_is_not_waited_for_and_its_log_is_shown() {
    let mut crashed = waiting("one", "CrashLoopBackOff", "back-off 10s");
    crashed["status"]["containerStatuses"][0]["lastState"] = json!({"terminated": {"exitCode": 1}});
    let server = FakeServer::with([deployment(false), replica_set(), crashed]);
    server.log("one", true, "TypeError: x is not a function\n");
    insta::assert_snapshot!(failure(&server).await);
    assert_eq!(verbs(&server), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_is_scaled_to_nothing_is_not_run() {
    let mut stopped = deployment(false);
    stopped["spec"]["replicas"] = json!(0);
    insta::assert_snapshot!(failure(&FakeServer::with([stopped])).await);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_refused_starts_nothing_and_leaves_nothing() {
    let server = ready();
    let refusal = "pods is forbidden: User \"ada\" cannot create resource \"pods\"";
    server.on("create pods", Answer::forbidden(refusal));
    insta::assert_snapshot!(failure(&server).await);
    assert_eq!(verbs(&server), ["create"]);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_may_have_been_made_is_removed() {
    let server = ready();
    server.on("create pods", Answer::Cut);
    insta::assert_snapshot!(failure(&server).await);
    assert_eq!(verbs(&server), ["create", "delete"]);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_stays_pending_is_given_up_at_the_deadline_and_removed() {
    let server = ready();
    server.on("get pods/", Answer::status(400, "BadRequest", NOT_STARTED));
    give_status(
        &server,
        json!({"phase": "Pending", "conditions": [{"type": "PodScheduled",
        "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}]}),
    );
    insta::assert_snapshot!(failure(&server).await);
    assert_eq!(verbs(&server), ["create", "delete"]);
}

#[tokio::test(start_paused = true)]
async fn a_trigger_image_that_cannot_be_pulled_is_not_waited_for() {
    let server = ready();
    server.on("get pods/", Answer::status(400, "BadRequest", NOT_STARTED));
    give_status(
        &server,
        json!({"phase": "Pending", "containerStatuses": [{"name": "trigger", "image": "i",
        "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}]}),
    );
    insta::assert_snapshot!(failure(&server).await);
    assert_eq!(verbs(&server), ["create", "delete"]);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_deleted_by_somebody_else_is_told() {
    let server = ready();
    server.on(
        "get pods/",
        Answer::status(404, "NotFound", "pods not found"),
    );
    insta::assert_snapshot!(failure(&server).await);
    assert_eq!(verbs(&server), ["create", "delete"]);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_attach_learns_it_at_once() {
    let server = ready();
    let refusal = "pods is forbidden: User \"ada\" cannot get resource \"pods/attach\"";
    server.on("get pods/", Answer::forbidden(refusal));
    insta::assert_snapshot!(failure(&server).await);
    assert_eq!(verbs(&server), ["create", "delete"]);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_cannot_be_removed_is_named_beside_the_failure() {
    let server = ready();
    server.on("get pods/", Answer::forbidden("no"));
    server.on("delete pods", Answer::internal_error());
    insta::assert_snapshot!(failure(&server).await);
}

#[tokio::test(start_paused = true)]
async fn the_trigger_pod_is_no_endpoint_and_ends_by_itself() {
    let server = ready();
    server.on("get pods/", Answer::forbidden("no"));
    ran(&server).await.expect_err("a failure");
    let sent = server.sent();
    let pod = &sent
        .iter()
        .find(|sent| sent.verb == "create")
        .expect("a pod")
        .body;
    assert_eq!(
        pod["metadata"]["labels"].get("app.kubernetes.io/name"),
        None
    );
    assert_eq!(pod["spec"]["activeDeadlineSeconds"], 60);
    assert!(!pod.to_string().contains("input"), "{pod}");
}

const RUN: &str = "create services/report:8080/proxy/run";

async fn by_proxy(answer: Answer) -> (Result<RunResponse>, FakeServer) {
    let server = ready();
    server.on(RUN, answer);
    let answer = direct::by_proxy(&server.cluster(), &REQUEST).await;
    (answer, server)
}

#[tokio::test(start_paused = true)]
async fn the_answer_of_the_proxy_is_the_engines_also_when_the_workflow_failed() {
    for code in [200, 422] {
        let body = r#"{"success": false}"#.to_owned();
        let (answer, server) = by_proxy(Answer::Text(code, "application/json", body)).await;
        assert_eq!(answer.expect("an answer").body, r#"{"success": false}"#);
        assert_eq!(server.asked(RUN).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_by_the_proxy_is_never_sent_twice() {
    for answer in [Answer::Busy(503, "1"), Answer::Busy(429, "1"), Answer::Cut] {
        let (answer, server) = by_proxy(answer).await;
        answer.expect_err("a failure");
        assert_eq!(server.asked(RUN).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_does_not_reach_the_engine_says_why() {
    let (refused, _) = by_proxy(Answer::forbidden("services/proxy is forbidden")).await;
    insta::assert_snapshot!("refused", shown(&refused.expect_err("a refusal")));
    let (closed, _) = by_proxy(Answer::status(
        503,
        "ServiceUnavailable",
        "connection refused",
    ))
    .await;
    insta::assert_snapshot!("closed", shown(&closed.expect_err("a failure")));
    let (page, _) = by_proxy(Answer::html(502)).await;
    insta::assert_snapshot!("page", shown(&page.expect_err("a failure")));
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_is_not_deployed_is_told_before_anything() {
    let server = FakeServer::with([object("v1", "Service", "report")]);
    insta::assert_snapshot!(failure(&server).await);
}
