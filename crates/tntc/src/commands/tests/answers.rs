//! What the commands on a cluster answer, against the fake API server.

use std::fmt::Write;

use serde_json::json;

use crate::cluster::fake::{Answer, FakeServer};
use crate::cluster::tests::{deployment, object, replica_set, running, shown, unmanaged, waiting};
use crate::commands::registry::{self, Command};
use crate::commands::{list, logs, run, status, undeploy};
use crate::context::Context;
use crate::outcome::{Outcome, Result};
use crate::terminal::{Color, Printer};

/// The workflow `report`, which is ready, with everything that belongs to it.
fn deployed() -> FakeServer {
    let mut deployment = deployment(true);
    deployment["metadata"]["annotations"]["tentacular.dev/owner"] = json!("ada");
    let server = FakeServer::with([
        deployment,
        replica_set(),
        running("one"),
        object("v1", "Service", "report"),
        object("v1", "ConfigMap", "report-code"),
        unmanaged("v1", "Service", "database"),
    ]);
    server.log("one", false, "[engine] INFO listening\n[fetch] 3 rows\n");
    server
}

/// The same, whose newest pod crashes.
fn crashing() -> FakeServer {
    let server = deployed();
    server.put(deployment(false));
    server.put(waiting("one", "CrashLoopBackOff", "back-off 10s"));
    server
}

/// What a command answers, in full.
async fn answer(server: &FakeServer, words: &str) -> String {
    let words = ["tntc", "-n", "team"].into_iter().chain(words.split(' '));
    let cli = registry::parsed(words).expect("a command");
    let home = tempfile::tempdir().expect("a directory");
    let printer = Printer::new(cli.global.format(), Color::Never, false, cli.command.name());
    let context = Context {
        global: cli.global,
        printer,
        home: Some(home.path().to_owned()),
        cluster: Some(server.cluster()),
    };
    match answered(cli.command, &context).await {
        Ok(outcome) => written(&outcome),
        Err(error) => shown(&error),
    }
}

async fn answered(command: Command, context: &Context) -> Result<Outcome> {
    match command {
        Command::List(arguments) => list::run(&arguments, context).await,
        Command::Status(arguments) => status::run(&arguments, context).await,
        Command::Logs(arguments) => logs::run(&arguments, context).await,
        Command::Undeploy(arguments) => undeploy::run(&arguments, context).await,
        Command::Run(arguments) => run::run(arguments, context).await,
        other => panic!("{} is not tested here", other.name()),
    }
}

fn written(outcome: &Outcome) -> String {
    let mut text = outcome.text.trim_end().to_owned();
    write!(text, "\n(exit status {})", outcome.exit_status()).expect("text");
    for line in outcome.error.iter().chain(&outcome.hints) {
        write!(text, "\n  -> {line}").expect("text");
    }
    if !outcome.names.is_empty() {
        write!(text, "\nnames: {}", outcome.names.join(" ")).expect("text");
    }
    write!(text, "\n{:#}\n", outcome.own).expect("text");
    text
}

/// Holds the answer with a snapshot, in which ages stand still.
macro_rules! assert_answer {
    ($server:expr, $words:expr) => {{
        let answer = answer(&$server, $words).await;
        insta::with_settings!({filters => vec![(r"\b\d+(d|y)(\d+d)?\b", "[AGE]")]}, {
            insta::assert_snapshot!(answer);
        });
    }};
}

#[tokio::test(start_paused = true)]
async fn list_shows_each_workflow_with_its_state() {
    assert_answer!(deployed(), "list");
    let server = crashing();
    assert!(answer(&server, "list").await.contains("failing"));
    let server = FakeServer::new();
    let none = answer(&server, "list").await;
    assert!(
        none.starts_with("no workflows in namespace team\n(exit status 0)"),
        "{none}"
    );
}

#[tokio::test(start_paused = true)]
async fn list_does_without_the_pods_that_may_not_be_seen() {
    let server = crashing();
    server.on("list pods", Answer::forbidden("pods is forbidden"));
    assert!(answer(&server, "list").await.contains("not ready"));
}

#[tokio::test(start_paused = true)]
async fn list_of_a_selector_asks_the_api_server() {
    let server = deployed();
    answer(&server, "list -A -l tier!=test").await;
    let sent = server.sent();
    let selector = "app.kubernetes.io/managed-by=tentacular,tier!=test";
    assert_eq!(sent[0].query("labelSelector"), Some(selector));
    assert_eq!(sent[0].namespace, "");
}

#[tokio::test(start_paused = true)]
async fn status_of_a_workflow_that_is_ready() {
    assert_answer!(deployed(), "status report --detail");
}

#[tokio::test(start_paused = true)]
async fn status_of_a_workflow_that_crashes() {
    assert_answer!(crashing(), "status report");
}

#[tokio::test(start_paused = true)]
async fn status_of_a_workflow_that_is_not_deployed() {
    assert_answer!(deployed(), "status database");
}

#[tokio::test(start_paused = true)]
async fn status_with_detail_fails_where_the_service_may_not_be_read() {
    let server = deployed();
    server.on("get services", Answer::forbidden("services is forbidden"));
    assert!(
        answer(&server, "status report")
            .await
            .contains("exit status 0")
    );
    assert_answer!(server, "status report --detail");
}

#[tokio::test(start_paused = true)]
async fn logs_of_every_pod() {
    assert_answer!(deployed(), "logs report");
}

#[tokio::test(start_paused = true)]
async fn logs_of_a_workflow_that_is_not_deployed() {
    assert_answer!(FakeServer::new(), "logs report");
}

#[tokio::test(start_paused = true)]
async fn undeploy_removes_what_is_managed() {
    let server = deployed();
    assert_answer!(server, "undeploy report --yes");
    assert_eq!(server.get("deployments/report"), None);
    assert!(server.get("services/database").is_some());
}

#[tokio::test(start_paused = true)]
async fn undeploy_names_what_was_deleted_when_it_fails() {
    let server = deployed();
    server.on(
        "delete deployments",
        Answer::forbidden("deployments is forbidden"),
    );
    assert_answer!(server, "undeploy report --yes");
}

#[tokio::test(start_paused = true)]
async fn undeploy_of_nothing_fails_unless_that_is_expected() {
    let server = FakeServer::new();
    let absent = answer(&server, "undeploy report --yes").await;
    assert!(absent.contains("(exit status 1)"), "{absent}");
    let expected = answer(&server, "undeploy report --yes --ignore-not-found").await;
    assert!(expected.contains("(exit status 0)"), "{expected}");
    assert_eq!(server.writes(), Vec::<String>::new());
}

/// The engine's answer to a run.
fn execution(success: bool) -> Answer {
    let errors: &[&str] = if success { &[] } else { &["fetch: no rows"] };
    let body = json!({"success": success, "outputs": {"fetch": {"rows": 3}}, "errors": errors});
    Answer::Text(
        if success { 200 } else { 422 },
        "application/json",
        body.to_string(),
    )
}

#[tokio::test(start_paused = true)]
async fn run_answers_with_the_result_also_when_the_workflow_failed() {
    for success in [true, false] {
        let server = deployed();
        server.on("create services", execution(success));
        let answer = answer(&server, "run report --via proxy").await;
        let status = format!("(exit status {})", i32::from(!success));
        assert!(answer.contains(&status), "{answer}");
        assert!(answer.contains(r#""rows": 3"#), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn run_refuses_an_answer_that_is_not_a_result() {
    let server = deployed();
    server.on(
        "create services",
        Answer::Text(200, "text/plain", "hello".to_owned()),
    );
    assert_answer!(server, "run report --via proxy");
}
