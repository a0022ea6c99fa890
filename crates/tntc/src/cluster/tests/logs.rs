//! Logs of a workflow's pods.

use std::time::Duration;

use serde_json::json;

use super::{Answer, FakeServer, pod, running, shown};
use crate::cluster::logs::follow::{self, News};
use crate::cluster::logs::{self, Recent, Selection};
use crate::outcome::Result;

const NEWEST: Selection = Selection {
    tail: 100,
    since: None,
    previous: false,
    timestamps: false,
};

fn two_pods() -> FakeServer {
    let server = FakeServer::with([running("two"), running("one")]);
    server.log("one", false, "a\nb\n");
    server.log("two", false, "c\n");
    server
}

async fn recent(server: &FakeServer, selection: Selection) -> Result<Recent> {
    let cluster = server.cluster();
    let pods = logs::pods(&cluster, "team", "report").await.expect("pods");
    logs::recent(&cluster, "team", &pods, selection).await
}

fn lines(recent: &Recent) -> Vec<String> {
    let lines = recent.lines.iter();
    lines
        .map(|line| format!("{} {}", line.pod, line.line))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn each_pod_says_its_own_by_name() {
    let recent = recent(&two_pods(), NEWEST).await.expect("lines");
    assert_eq!(lines(&recent), ["one a", "one b", "two c"]);
    assert_eq!(recent.silent, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_is_selected_is_asked_of_the_api_server() {
    let server = two_pods();
    let selection = Selection {
        tail: 5,
        since: Some(Duration::from_millis(300)),
        timestamps: true,
        ..NEWEST
    };
    recent(&server, selection).await.expect("lines");
    let all = Selection { tail: -1, ..NEWEST };
    recent(&server, all).await.expect("lines");
    let sent = server.sent();
    let logs: Vec<_> = sent
        .iter()
        .filter(|sent| sent.subresource == "log")
        .collect();
    let query = |name: &str| [logs[0].query(name), logs[2].query(name)];
    assert_eq!(query("container"), [Some("engine"); 2]);
    assert_eq!(query("tailLines"), [Some("5"), None]);
    assert_eq!(query("sinceSeconds"), [Some("1"), None]);
    assert_eq!(query("timestamps"), [Some("true"), None]);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_has_said_nothing_yet_is_followed_back_to_the_one_before() {
    let server = two_pods();
    server.log("two", false, "");
    server.log("two", true, "out of memory\n");
    let recent = recent(&server, NEWEST).await.expect("lines");
    assert_eq!(lines(&recent), ["one a", "one b", "two out of memory"]);
    assert_eq!(recent.silent.len(), 1);
    assert!(
        recent.silent[0].contains("pod two was restarted"),
        "{:?}",
        recent.silent
    );
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_has_not_started_hides_nothing_of_the_others() {
    let not_started = Answer::status(
        400,
        "BadRequest",
        "container \"engine\" is waiting to start",
    );
    let server = two_pods();
    server.on("get pods/one/log", not_started.clone());
    let some = recent(&server, NEWEST).await.expect("lines");
    assert_eq!(lines(&some), ["two c"]);
    assert_eq!(some.silent.len(), 1);
    server.on("get pods/two/log", not_started);
    let error = recent(&server, NEWEST).await.expect_err("no lines");
    insta::assert_snapshot!(shown(&error));
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_gone_by_then_is_left_out() {
    let server = two_pods();
    server.on(
        "get pods/one/log",
        Answer::status(404, "NotFound", "not found"),
    );
    assert_eq!(
        lines(&recent(&server, NEWEST).await.expect("lines")),
        ["two c"]
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_restart_there_is_no_container_before() {
    let before = Selection {
        previous: true,
        ..NEWEST
    };
    let error = recent(&two_pods(), before).await.expect_err("no lines");
    insta::assert_snapshot!(shown(&error));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_may_not_be_read_is_an_error() {
    let server = two_pods();
    server.on(
        "get pods/two/log",
        Answer::forbidden("pods/log is forbidden"),
    );
    let error = recent(&server, NEWEST).await.expect_err("a refusal");
    insta::assert_snapshot!(shown(&error));
}

#[tokio::test(start_paused = true)]
async fn the_log_of_a_crash_is_that_of_the_container_that_crashed() {
    let server = FakeServer::new();
    let cluster = server.cluster();
    server.put(pod(
        "one",
        &json!({"terminated": {"exitCode": 1, "reason": "Error"}}),
    ));
    server.log("one", false, "it crashed\n");
    let lines = logs::of_crash(&cluster, "team", "report").await;
    assert_eq!(lines[0].line, "it crashed");
    let mut restarted = running("one");
    restarted["status"]["containerStatuses"][0]["lastState"] =
        json!({"terminated": {"exitCode": 1}});
    server.put(restarted);
    server.log("one", false, "all is well\n");
    server.log("one", true, "it crashed before\n");
    let lines = logs::of_crash(&cluster, "team", "report").await;
    assert_eq!(lines[0].line, "it crashed before");
    server.put(running("one"));
    assert!(logs::of_crash(&cluster, "team", "report").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn following_goes_on_when_the_connection_is_lost_and_with_later_pods() {
    let server = FakeServer::with([running("one")]);
    server.log("one", false, "2026-01-02T03:04:05.1Z a\n");
    server.next("get pods/one/log", [Answer::Cut]);
    let mut news = follow::follow(&server.cluster(), "team", "report", NEWEST);
    let mut seen = Vec::new();
    while seen.len() < 4 {
        match news.recv().await.expect("news").expect("no failure") {
            News::Line(line) => seen.push(format!("{} {}", line.pod, line.line)),
            News::Note(note) => seen.push(note),
        }
        if seen.len() == 3 {
            server.log("two", false, "2026-01-02T03:04:06Z b\n");
            server.put(running("two"));
        }
    }
    assert!(seen[0].ends_with("; trying again"), "{seen:?}");
    assert_eq!(seen[1..], ["the connection is back", "one a", "two b"]);
}

#[tokio::test(start_paused = true)]
async fn following_ends_where_the_log_may_not_be_read() {
    let server = FakeServer::with([running("one")]);
    server.on(
        "get pods/one/log",
        Answer::forbidden("pods/log is forbidden"),
    );
    let mut news = follow::follow(&server.cluster(), "team", "report", NEWEST);
    let error = news.recv().await.expect("news").expect_err("a refusal");
    assert_eq!(
        error.message,
        "reading the log of pod one: pods/log is forbidden"
    );
}
