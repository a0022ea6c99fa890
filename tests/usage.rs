//! What every command has in common: exit statuses, the envelope, and a cluster that is not there.

use crate::support::{Terminal, tntc};

/// A kubeconfig whose API server refuses connections.
const NOBODY: &str = r#"
apiVersion: v1
kind: Config
current-context: nobody
clusters: [{name: nobody, cluster: {server: "http://127.0.0.1:9"}}]
contexts: [{name: nobody, context: {cluster: nobody, user: nobody}}]
users: [{name: nobody, user: {}}]
"#;

#[test]
fn wrong_usage_is_an_envelope_too() {
    let json = tntc(["deploy", "--no-such-flag", "-o", "json"])
        .run()
        .exits(2)
        .json();
    assert_eq!(json["command"], "deploy");
    assert_eq!(json["status"], "fail");
    assert!(
        json["summary"]
            .as_str()
            .is_some_and(|summary| summary.contains("--no-such-flag")),
        "{json}"
    );
}

#[test]
fn wrong_usage_is_answered_by_the_command_that_was_meant() {
    for (words, command) in [
        (&["-o", "json"][..], "tntc"),
        (&["-o", "json", "no-such-command"], "tntc"),
        (&["-o", "json", "ls", "--no-such-flag"], "list"),
        (
            &["cluster", "check", "--no-such-flag", "-o", "json"],
            "cluster check",
        ),
    ] {
        let json = tntc(words.iter().copied()).run().exits(2).json();
        assert_eq!(json["command"], command, "{words:?}");
    }
}

#[test]
fn without_a_cluster_every_command_says_so() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let kubeconfig = dir.path().join("config");
    std::fs::write(&kubeconfig, NOBODY).expect("a file");
    for command in [
        &["list"][..],
        &["status", "a"],
        &["run", "a"],
        &["logs", "a"],
        &["undeploy", "a", "--yes"],
    ] {
        let answer = tntc(command.iter().copied())
            .env("KUBECONFIG", &kubeconfig)
            .run()
            .exits(3);
        answer
            .says("cannot reach the Kubernetes API")
            .says("refused");
    }
}

#[test]
fn without_a_kubeconfig_the_error_names_where_it_was_looked_for() {
    let home = tempfile::tempdir().expect("a temporary directory");
    tntc(["list"])
        .env("KUBECONFIG", "")
        .env("HOME", home.path())
        .run()
        .exits(3)
        .says(".kube/config does not exist");
}

#[test]
fn an_unknown_context_lists_those_that_exist() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let kubeconfig = dir.path().join("config");
    std::fs::write(&kubeconfig, NOBODY).expect("a file");
    tntc(["list", "--context", "other"])
        .env("KUBECONFIG", &kubeconfig)
        .run()
        .exits(3)
        .says("no context `other`")
        .says("nobody");
}

#[test]
fn an_unknown_environment_is_a_usage_error() {
    let home = tempfile::tempdir().expect("a temporary directory");
    tntc(["list", "--env", "prod"])
        .env("HOME", home.path())
        .run()
        .exits(2)
        .says("unknown environment `prod`");
}

#[test]
fn completions_and_version_need_nothing() {
    tntc(["completions", "bash"])
        .run()
        .exits(0)
        .answers("complete -F");
    tntc(["version"]).run().exits(0).answers("tntc 0.1.0");
}

#[test]
fn an_option_that_means_nothing_to_a_command_is_told() {
    let home = tempfile::tempdir().expect("a temporary directory");
    tntc(["version", "--context", "prod"])
        .env("HOME", home.path())
        .run()
        .exits(0)
        .says("--context has no effect on `version`");
    let quiet = tntc(["version"]).env("TENTACULAR_ENV", "prod").run();
    assert_eq!(quiet.exits(0).stderr, "");
}

#[test]
fn the_version_is_yaml_where_that_is_asked_for() {
    let answer = tntc(["version", "-o", "yaml"]).run().exits(0);
    let json: serde_json::Value = serde_saphyr::from_str(&answer.stdout).expect("YAML");
    assert_eq!(json["command"], "version");
}

/// As clicolors and no-color.org have it; a dumb terminal has no colours.
#[test]
fn colours_are_what_the_environment_asks_for() {
    let coloured = |variables: &[(&str, &str)]| {
        let mut command = tntc(["validate", "/nonexistent"]).env("NO_COLOR", "");
        for (name, value) in variables {
            command = command.env(name, value);
        }
        command.run().exits(1).stderr.contains("\u{1b}[")
    };
    assert!(!coloured(&[]));
    assert!(coloured(&[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    let on_a_terminal = |variable: &str, value: &str| {
        let command = tntc(["validate", "/nonexistent"]).env("NO_COLOR", "");
        let command = command.env("TERM", "xterm").env(variable, value);
        Terminal::start(command).ends().1.contains("\u{1b}[")
    };
    assert!(on_a_terminal("CLICOLOR", "1"));
    assert!(!on_a_terminal("CLICOLOR", "0"));
    assert!(!on_a_terminal("TERM", "dumb"));
}
