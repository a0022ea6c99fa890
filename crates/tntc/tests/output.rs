//! What the program writes, of every command as far as it goes without a cluster, Deno, Docker and a network: its text,
//! its failures, and both as JSON.

#![allow(clippy::expect_used, reason = "a test may panic")]

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

const REPORT: &str = r#"name: report
version: "1.0"
description: Counts words.
triggers: [{type: manual}, {type: cron, schedule: "0 3 * * *"}]
nodes:
  fetch: {path: nodes/fetch.ts}
  send: {path: nodes/send.ts}
edges: [{from: fetch, to: send}]
contract:
  version: "1"
  dependencies:
    api: {protocol: https, host: api.example.com, auth: {type: bearer-token, secret: api.token}}
"#;

const BROKEN: &str = r#"name: Broken Name
version: 1
triggers: [{type: cron, schedule: "61 * * * *"}]
nodes:
  fetch: {path: nodes/fetch.ts}
edges: [{from: fetch, to: nowhere}]
"#;

const NODE: &str = "export default async function run() {}\n";

/// A directory with workflows in it, which is also the home directory.
fn workflows() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a directory");
    for (name, text) in [("report", REPORT), ("broken", BROKEN)] {
        let dir = home.path().join(name);
        std::fs::create_dir_all(dir.join("nodes")).expect("a directory");
        std::fs::write(dir.join("workflow.yaml"), text).expect("a file");
        for node in ["fetch", "send"] {
            let file = dir.join(format!("nodes/{node}.ts"));
            std::fs::write(file, NODE).expect("a file");
        }
    }
    home
}

/// Everything that a command writes, and its exit status.
fn written(home: &Path, words: &str) -> String {
    let answer = Command::new(env!("CARGO_BIN_EXE_tntc"))
        .args(words.split(' '))
        .current_dir(home)
        .env_clear()
        .env("HOME", home)
        .env("NO_COLOR", "1")
        .output()
        .expect("an answer");
    let mut text = format!("$ tntc {words}\n");
    for (name, stream) in [("stdout", answer.stdout), ("stderr", answer.stderr)] {
        let stream = String::from_utf8(stream).expect("UTF-8");
        if !stream.is_empty() {
            writeln!(text, "[{name}]\n{}", stream.trim_end()).expect("text");
        }
    }
    let status = answer.status.code().expect("an exit status");
    writeln!(text, "[exit status {status}]").expect("text");
    let version = format!("tntc {}\n", env!("CARGO_PKG_VERSION"));
    let text = text.replace(&version, "tntc [VERSION]\n");
    text.replace(&home.display().to_string(), "[HOME]")
}

/// Holds what these commands write, one after another in the same directory, with a snapshot.
fn assert_written(name: &str, commands: &[&str]) {
    let home = workflows();
    let written: Vec<_> = commands
        .iter()
        .map(|words| written(home.path(), words))
        .collect();
    let filters = [
        (r#""startedAt": ?"[^"]+""#, r#""startedAt": "[TIME]""#),
        // The files that a template takes from the engine.
        (r#" *"other/\.tentacular/.*\n"#, ""),
        (r"\(\d+ files", "([N] files"),
        (r", \d+ ms", ", [TIME]"),
        (r#""durationMs": ?\d+"#, r#""durationMs": "[TIME]""#),
    ];
    insta::with_settings!({filters => filters}, {
        insta::assert_snapshot!(name, written.join("\n"));
    });
}

#[test]
fn init() {
    assert_written(
        "init",
        &[
            "init hello",
            "init hello",
            "init hello -o json",
            "init other -o json",
            "init Bad_Name",
            "init third --template none",
        ],
    );
}

#[test]
fn validate() {
    assert_written(
        "validate",
        &[
            "validate report",
            "validate report -o json",
            "validate broken",
            "validate broken -o json",
            "validate absent",
            "validate report --env prod",
        ],
    );
}

#[test]
fn visualize() {
    assert_written(
        "visualize",
        &[
            "visualize report",
            "visualize report --rich -o json",
            "visualize report --check",
            "visualize report --check -o json",
            "visualize report --write",
            "visualize report --check",
            "visualize absent",
        ],
    );
}

#[test]
fn secrets() {
    assert_written(
        "secrets",
        &[
            "secrets check report --local",
            "secrets check report --local -o json",
            "secrets init report",
            "secrets init report",
            "secrets init report -o json",
            "secrets init broken -o json",
        ],
    );
}

#[test]
fn configure() {
    assert_written(
        "configure",
        &[
            "configure --show",
            "configure --show -o json",
            "configure --registry reg.example.com --runtime-class gvisor",
            "configure --namespace Not_Valid",
            "configure --namespace Not_Valid -o json",
        ],
    );
}

#[test]
fn schema() {
    assert_written(
        "schema",
        &[
            "schema",
            "schema -o json",
            "schema none",
            "schema none -o json",
        ],
    );
}

#[test]
fn version() {
    let version = written(workflows().path(), "version");
    assert_eq!(
        version,
        "$ tntc version\n[stdout]\ntntc [VERSION]\n[exit status 0]\n"
    );
}

#[test]
fn completions() {
    let home = workflows();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = written(home.path(), &format!("completions {shell}"));
        assert!(script.contains("undeploy"), "{script}");
        assert!(script.ends_with("[exit status 0]\n"), "{script}");
    }
    assert_written(
        "completions",
        &["completions tcsh", "completions tcsh -o json"],
    );
}

#[test]
fn what_is_typed_wrongly() {
    assert_written(
        "usage",
        &[
            "deploi",
            "deploi -o json",
            "deploy --no-such-flag",
            "deploy --no-such-flag -o json",
            "logs report -o yaml",
            "run report --timeout soon",
            "run report --input {",
            "run report --input { -o json",
            "version --context prod",
        ],
    );
}

#[test]
fn without_a_kubeconfig() {
    assert_written(
        "without_a_kubeconfig",
        &[
            "list",
            "list -o json",
            "status report",
            "logs report",
            "run report",
            "undeploy report --yes",
            "undeploy report --yes -o json",
            "cluster check",
            "cluster check -o json",
            "secrets check report",
            "audit report",
            "audit report -o json",
            "deploy report",
            "deploy report -o json",
            "deploy broken",
            "test --live report",
        ],
    );
}
