//! The layers of the client that every request passes: what is repeated, and what an answer means.

use std::fmt::Write;

use serde_json::json;

use super::{Answer, FakeServer, deployment, shown};
use crate::cluster::inventory;
use crate::outcome::Error;

const LIST: &str = "list deployments";

async fn failure(answer: Answer) -> (Error, usize) {
    let server = FakeServer::new();
    server.on(LIST, answer);
    let listed = inventory::deployments(&server.cluster(), Some("team"), None).await;
    (listed.expect_err("a failure"), server.asked(LIST).len())
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_busy_for_a_while_is_asked_again() {
    let server = FakeServer::with([deployment(true)]);
    server.next(LIST, [Answer::Busy(429, "1"), Answer::Busy(503, "1")]);
    let listed = inventory::deployments(&server.cluster(), Some("team"), None).await;
    assert_eq!(listed.expect("a list").len(), 1);
    assert_eq!(server.asked(LIST).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_busy_is_given_up() {
    assert_eq!(failure(Answer::Busy(429, "1")).await.1, 7);
    assert_eq!(failure(Answer::Busy(429, "3600")).await.1, 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_may_have_arrived_is_not_repeated() {
    for answer in [
        Answer::internal_error(),
        Answer::Cut,
        Answer::forbidden("no"),
    ] {
        assert_eq!(failure(answer).await.1, 1);
    }
}

/// Answers that are failures, by name.
fn failures() -> Vec<(&'static str, Answer)> {
    let quota = "deployments.apps \"report\" is forbidden: exceeded quota: small";
    let terminating =
        json!({"causes": [{"reason": "NamespaceTerminating", "message": "", "field": ""}]});
    vec![
        ("busy", Answer::Busy(429, "1")),
        ("401", Answer::status(401, "Unauthorized", "Unauthorized")),
        (
            "403",
            Answer::forbidden("deployments.apps is forbidden: User \"ada\" cannot list resource"),
        ),
        (
            "403 anonymous",
            Answer::forbidden("User \"system:anonymous\" cannot list resource"),
        ),
        ("403 quota", Answer::forbidden(quota)),
        (
            "403 terminating",
            Answer::detailed(
                403,
                "Forbidden",
                "namespace team is being terminated",
                &terminating,
            ),
        ),
        (
            "404 namespace",
            Answer::detailed(
                404,
                "NotFound",
                "namespaces \"team\" not found",
                &json!({"kind": "namespaces"}),
            ),
        ),
        (
            "409",
            Answer::status(409, "Conflict", "the object has been modified"),
        ),
        (
            "422 webhook",
            Answer::status(
                422,
                "Invalid",
                "admission webhook \"w\" denied the request: no",
            ),
        ),
        ("500", Answer::internal_error()),
        ("a page", Answer::html(200)),
        ("a gateway's page", Answer::html(502)),
        (
            "a redirection",
            Answer::Text(302, "application/json", String::new()),
        ),
        (
            "an empty body",
            Answer::Text(200, "application/json", String::new()),
        ),
        ("another kind of JSON", Answer::json(&json!(["a"]))),
        ("a lost connection", Answer::Cut),
        ("half a body", Answer::CutAfter("{\"items\": [".to_owned())),
    ]
}

#[tokio::test(start_paused = true)]
async fn each_failure_says_what_it_means() {
    let mut text = String::new();
    for (name, answer) in failures() {
        let (error, _) = failure(answer).await;
        writeln!(text, "# {name}\n{}", shown(&error)).expect("text");
    }
    insta::assert_snapshot!(text);
}
