//! Nothing of a stranger reaches a terminal raw, and nothing of one ends the process.

use serde_json::{Value, json};

use crate::support::{Kubeconfig, StandIn, tntc};

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
