//! `tntc secrets`: needs no cluster, and never shows a value.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::{Workflow, tntc};

/// A workflow whose contract requires `github.token` and `slack.webhook_url`.
fn workflow() -> Workflow {
    let workflow = Workflow::of_one_node("notifier", "return null;");
    workflow.replace(
        "workflow.yaml",
        "dependencies: {}",
        "dependencies:\n    github: {protocol: https, host: api.github.com, auth: {type: bearer-token, secret: github.token}}\n    \
         slack: {protocol: https, host: hooks.slack.com, auth: {type: webhook, secret: slack.webhook_url}}\n ",
    );
    workflow.replace(
        "workflow.yaml",
        "contract: {version: \"1\", dependencies:",
        "contract:\n  version: \"1\"\n  dependencies:",
    );
    workflow.replace("workflow.yaml", "\n }", "\n");
    workflow
}

fn git_init(workflow: &Workflow) {
    let done = Command::new("git")
        .args(["init", "--quiet", workflow.path()])
        .status()
        .expect("git runs");
    assert!(done.success());
}

#[test]
fn each_required_secret_is_found_or_missing() {
    let workflow = workflow();
    workflow.write(".secrets.yaml", "github: {token: ghp_hidden}\n");
    let answer = tntc(["secrets", "check", workflow.path(), "-o", "json"])
        .run()
        .exits(1);
    assert!(!answer.stdout.contains("ghp_hidden") && !answer.stderr.contains("ghp_hidden"));
    let secrets = &answer.json()["secrets"];
    assert_eq!(secrets[0]["secret"], "github.token");
    assert_eq!(secrets[0]["provisioned"], true);
    assert!(
        secrets[0]["foundIn"]
            .as_str()
            .is_some_and(|place| place.ends_with("notifier/.secrets.yaml"))
    );
    assert_eq!(secrets[1]["secret"], "slack.webhook_url");
    assert_eq!(secrets[1]["provisioned"], false);
}

#[test]
fn the_shared_pool_satisfies_a_reference() {
    let workflow = workflow();
    git_init(&workflow);
    workflow.write(
        ".secrets.yaml",
        "github: {token: t}\nslack: $shared.slack\n",
    );
    tntc(["secrets", "check", workflow.path()])
        .run()
        .exits(1)
        .says("$shared.slack")
        .says("does not exist");
    workflow.write(
        ".secrets/slack",
        r#"{"webhook_url": "https://hooks.slack.com/hidden"}"#,
    );
    tntc(["secrets", "check", workflow.path()])
        .run()
        .exits(0)
        .answers(".secrets/slack")
        .answers("all 2 secrets");
}

#[test]
fn a_symbolic_link_cannot_lead_out_of_the_shared_pool() {
    let workflow = workflow();
    git_init(&workflow);
    workflow.write(".secrets.yaml", "slack: $shared.slack\n");
    workflow.write("outside", r#"{"webhook_url": "hidden"}"#);
    workflow.write(".secrets/other", "{}");
    let pool = Path::new(workflow.path()).join(".secrets");
    std::os::unix::fs::symlink("../outside", pool.join("slack")).expect("a link");
    tntc(["secrets", "check", workflow.path()])
        .run()
        .exits(1)
        .says("leads out of");
}

#[test]
fn init_writes_a_private_template_that_git_ignores() {
    let workflow = workflow();
    git_init(&workflow);
    tntc(["secrets", "init", workflow.path()]).run().exits(0);
    let file = Path::new(workflow.path()).join(".secrets.yaml");
    let mode = std::fs::metadata(&file)
        .expect("the file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).expect("the file");
    assert!(
        text.contains("github:\n  token: \"\"\nslack:\n  webhook_url: \"\"\n"),
        "{text}"
    );
    let ignored = Command::new("git")
        .args(["check-ignore", "-q", ".secrets.yaml"])
        .current_dir(workflow.path())
        .status();
    assert!(ignored.expect("git runs").success());
    tntc(["secrets", "check", workflow.path()])
        .run()
        .exits(1)
        .answers("2 of 2 secrets");
    tntc(["secrets", "init", workflow.path()])
        .run()
        .exits(2)
        .says("exists already; nothing was written");
    tntc(["secrets", "init", workflow.path(), "--force"])
        .run()
        .exits(0);
}

#[test]
fn a_file_that_everybody_can_read_is_a_warning() {
    let workflow = workflow();
    workflow.write(
        ".secrets.yaml",
        "github: {token: t}\nslack: {webhook_url: u}\n",
    );
    let file = Path::new(workflow.path()).join(".secrets.yaml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    tntc(["secrets", "check", workflow.path()])
        .run()
        .exits(0)
        .says("can be read by everybody");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    let answer = tntc(["secrets", "check", workflow.path()]).run().exits(0);
    assert!(
        !answer.stderr.contains("can be read by everybody"),
        "{}",
        answer.stderr
    );
}

#[test]
fn broken_secrets_name_the_place_and_never_the_text() {
    let workflow = workflow();
    workflow.write(".secrets.yaml", "github:\n  token: \"ghp_hidden\n");
    let answer = tntc(["secrets", "check", workflow.path()])
        .run()
        .exits(1)
        .says("not valid YAML")
        .says("line");
    assert!(!answer.stderr.contains("ghp_hidden"), "{}", answer.stderr);
}
