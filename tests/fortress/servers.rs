//! Nothing of a stranger reaches a terminal raw, and nothing of one ends the process.

use serde_json::{Value, json};

use super::attack::Layer::Tntc;
use super::attack::Outcome::Blocked;
use super::attack::{Attack, tested};
use super::listener::{Listener, http};
use crate::support::{Kubeconfig, StandIn, tntc};

const HERE: &str = "tests/fortress/servers.rs";

const fn here(name: &'static str, what: &'static str, test: &'static str) -> Attack {
    tested(name, what, Blocked(Tntc), HERE, test)
}

/// What API servers, and whoever stands in their place, try against `tntc`.
pub const ATTACKS: &[Attack] = &[
    here(
        "escapes",
        "puts escape sequences into names, conditions, versions and errors",
        "an_api_server_cannot_steer_a_terminal",
    ),
    here(
        "forged-lines",
        "puts line breaks into names, to forge a line of a list",
        "an_api_server_cannot_steer_a_terminal",
    ),
    here(
        "endless-answer",
        "answers without an end",
        "an_answer_without_an_end_is_given_up",
    ),
    here(
        "endless-line",
        "sends a line of a log without an end",
        "a_line_of_a_log_without_an_end_is_cut",
    ),
    here(
        "endless-list",
        "says of each list that it goes on",
        "a_list_that_always_goes_on_is_not_followed",
    ),
    here(
        "redirect-with-token",
        "redirects a request with a token to another host",
        "a_token_follows_no_redirect",
    ),
    here(
        "broken-answers",
        "answers with wrong types, a page, half an object or nothing",
        "no_answer_of_an_api_server_ends_the_process",
    ),
    here(
        "secrets-of-others",
        "answers with objects that hold secrets where none are asked for",
        "no_answer_of_an_api_server_ends_the_process",
    ),
];

/// What would set a title, clear the screen, fill the clipboard, or turn the text around.
const ATTACK: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}\u{2028}x\r";

/// A character that a terminal obeys and that is no end of a line.
fn active(text: &str) -> Option<char> {
    text.chars().find(|it| tntc_core::terminal::is_active(*it))
}

fn hostile() -> StandIn {
    StandIn::start(|request: &str, _: &str| {
        let meta = json!({"name": format!("a{ATTACK}\nfake"), "namespace": "default",
            "labels": {"app.kubernetes.io/managed-by": "tentacular", "app.kubernetes.io/name": format!("a{ATTACK}")},
            "annotations": {}, "creationTimestamp": "2026-01-01T00:00:00Z"});
        let list = json!({"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": {},
            "items": [{"metadata": meta, "status": {"conditions": [{"type": "Available", "status": "False", "message": ATTACK, "reason": ATTACK}]}}]});
        let refusal = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden",
            "message": format!("no{ATTACK}")});
        let is_list = request.starts_with("GET") && request.contains("/deployments?");
        Some(if is_list {
            ("200 OK", list.to_string())
        } else {
            ("403 Forbidden", refusal.to_string())
        })
    })
}

#[test]
fn an_api_server_cannot_steer_a_terminal() {
    let server = hostile();
    let kubeconfig = server.kubeconfig();
    for arguments in [
        &["list", "-n", "default"][..],
        &["list", "-n", "default", "-o", "json"],
        &["status", "a", "-n", "default"],
        &["status", "a", "-n", "default", "-o", "json"],
        &["logs", "a", "-n", "default"],
        &["cluster", "check", "-n", "default"],
        &["undeploy", "a", "-n", "default", "--yes"],
    ] {
        let answer = tntc(arguments.iter().copied())
            .env("KUBECONFIG", kubeconfig.path())
            .run();
        for text in [&answer.stdout, &answer.stderr] {
            assert_eq!(active(text), None, "{arguments:?}: {text:?}");
        }
        assert!(
            !answer.stdout.lines().any(|line| line.starts_with("fake")),
            "{arguments:?}"
        );
        assert!(
            matches!(answer.status, 0..=3),
            "{arguments:?}: {}",
            answer.status
        );
        if arguments.contains(&"json") {
            let _: Value = answer.json();
        }
    }
}

#[test]
fn a_credential_plugin_and_a_context_cannot_either() {
    let dir = tempfile::tempdir().expect("a directory");
    let script = format!("printf '{}' >&2; exit 1", ATTACK.replace('\r', ""));
    let user = crate::deploy::credentials::scripted_plugin(&dir, &script);
    let kubeconfig = Kubeconfig::current()
        .with_user(&user)
        .named(&format!("c{ATTACK}"));
    let answer = tntc(["list"])
        .env("KUBECONFIG", kubeconfig.path())
        .run()
        .exits(3);
    assert_eq!(active(&answer.stderr), None, "{:?}", answer.stderr);
}

#[test]
fn an_answer_without_an_end_is_given_up() {
    let server = StandIn::start(|request: &str, _: &str| {
        let long = "x".repeat(300 * 1024 * 1024);
        request
            .contains("/deployments")
            .then(|| ("200 OK", format!("{{\"kind\": \"{long}\"}}")))
    });
    tntc(["list", "-n", "default"])
        .env("KUBECONFIG", server.kubeconfig().path())
        .run()
        .exits(3)
        .says("the API server sent too much");
}

#[test]
fn a_line_of_a_log_without_an_end_is_cut() {
    let server = StandIn::start(|request: &str, _: &str| {
        if request.contains("/log") {
            return Some(("200 OK", "x".repeat(64 << 20)));
        }
        let meta = json!({"name": "a", "namespace": "default", "labels": {"app.kubernetes.io/managed-by": "tentacular",
            "app.kubernetes.io/name": "a"}});
        let pod = json!({"metadata": meta, "spec": {"containers": [{"name": "engine"}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "engine", "ready": true, "restartCount": 0,
                "image": "", "imageID": "", "state": {"running": {}}}]}});
        let list = |item: Value| {
            json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": [item]}).to_string()
        };
        match request {
            it if it.contains("/pods?") => Some(("200 OK", list(pod))),
            it if it.contains("/deployments/a") => {
                Some(("200 OK", json!({"metadata": meta}).to_string()))
            }
            it if it.contains("/deployments?") => Some(("200 OK", list(json!({"metadata": meta})))),
            _ => None,
        }
    });
    let answer = tntc(["logs", "a", "-n", "default"])
        .env("KUBECONFIG", server.kubeconfig().path())
        .run();
    assert!(
        answer.stdout.len() < 1 << 20,
        "{} bytes",
        answer.stdout.len()
    );
    answer.exits(0).answers("longer)");
}

#[test]
fn a_list_that_always_goes_on_is_not_followed() {
    let server = StandIn::start(|request: &str, _: &str| {
        let list = json!({"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": {"continue": "again"}, "items": []});
        (request.starts_with("GET") && request.contains('?')).then(|| ("200 OK", list.to_string()))
    });
    for words in [
        &["list", "-n", "default"][..],
        &["status", "a", "-n", "default"],
    ] {
        let answer = tntc(words.iter().copied())
            .env("KUBECONFIG", server.kubeconfig().path())
            .run();
        assert!((0..=3).contains(&answer.status), "{answer:?}");
    }
}

#[test]
fn a_token_follows_no_redirect() {
    let thief = Listener::start(http("200 OK", "", "{}"));
    let location = format!("location: https://localhost:{}/\r\n", thief.port);
    let server = Listener::start(http("307 Temporary Redirect", &location, ""));
    let kubeconfig = Kubeconfig::current()
        .with_user(&json!({"token": "CANARY-token-9d"}))
        .at(&format!("http://127.0.0.1:{}", server.port));
    let answer = tntc(["list", "-n", "default"])
        .env("KUBECONFIG", kubeconfig.path())
        .run()
        .exits(3);
    assert!(!answer.stderr.contains("CANARY"), "{}", answer.stderr);
    assert!(thief.requests().is_empty(), "{:?}", thief.requests());
}

#[test]
fn no_answer_of_an_api_server_ends_the_process() {
    let secret = json!({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "a"}, "data": {"k": "Q0FOQVJZ"},
        "stringData": {"k": "CANARY-2c"}});
    let answers = [
        "<html><body>CANARY-2c</body></html>".to_owned(),
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{\"items\": 7}".to_owned(),
        "{\"items\": [{\"metadata\": 1}]}".to_owned(),
        "{\"items\": [{\"metadata\": {\"creationTimestamp\": \"yesterday\"}}]}".to_owned(),
        "{\"kind\": \"Status\", \"code\": -1}".to_owned(),
        "{\"kind\":".to_owned(),
        "[".repeat(100_000),
        secret.to_string(),
    ];
    for answer in answers {
        let server = StandIn::start(move |_: &str, _: &str| Some(("200 OK", answer.clone())));
        let kubeconfig = server.kubeconfig();
        for words in [
            &["list", "-n", "default"][..],
            &["status", "a", "-n", "default"],
            &["logs", "a", "-n", "default"],
            &["undeploy", "a", "-n", "default", "--yes"],
        ] {
            let answer = tntc(words.iter().copied())
                .env("KUBECONFIG", kubeconfig.path())
                .run();
            assert!((0..=3).contains(&answer.status), "{words:?}: {answer:?}");
            let said = format!("{}{}", answer.stdout, answer.stderr);
            assert!(
                !said.contains("CANARY") && !said.contains("Q0FOQVJZ"),
                "{said}"
            );
            assert!(!said.contains("panicked"), "{said}");
        }
    }
}
