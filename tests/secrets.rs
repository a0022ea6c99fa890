//! `tntc secrets`: needs no cluster, and never shows a value.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::{Answer, Workflow, tntc};

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
    tntc(["secrets", "check", workflow.path(), "--local"])
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

/// `secrets check` of local secrets with this text.
fn checked(workflow: &Workflow, text: &str) -> Answer {
    workflow.write(".secrets.yaml", text);
    tntc(["secrets", "check", workflow.path()]).run()
}

#[test]
fn one_key_can_refer_to_the_shared_pool() {
    let workflow = workflow();
    git_init(&workflow);
    let text = "github: {token: $shared.plain}\nslack: {webhook_url: $shared.plain}\n";
    workflow.write(".secrets/plain", "0123\n");
    checked(&workflow, text).exits(0);
    let source = "return [ctx.dependency(\"github\").secret, ctx.dependency(\"slack\").secret];";
    workflow.write("nodes/only.ts", &crate::support::node(source));
    let ran = tntc(["run", "--local", workflow.path()]).run().exits(0);
    assert_eq!(
        ran.json()["outputs"]["only"],
        serde_json::json!(["0123", "0123"])
    );
    workflow.write(".secrets/plain", r#"{"token": "hidden"}"#);
    let answer = checked(&workflow, text).exits(1);
    let answer = answer
        .says("plain: it holds a JSON object")
        .says("`github.token` refers");
    assert!(!answer.stderr.contains("hidden"), "{}", answer.stderr);
    checked(&workflow, "github: {token: $shared.absent}\n")
        .exits(1)
        .says("secrets of `github.token` refer to $shared.absent")
        .says("does not exist");
    checked(&workflow, "github:\n  token: {deep: $shared.plain}\n")
        .exits(1)
        .says(".secrets.yaml: line 2, column 17: `github.token`: `$shared.<name>` can be");
    workflow.remove(".secrets.yaml");
    workflow.write(".secrets/github", r#"{"token": "$shared.plain"}"#);
    tntc(["secrets", "check", workflow.path()])
        .run()
        .exits(1)
        .says(".secrets/github: `$shared.<name>` is resolved in `.secrets.yaml` only");
}

#[test]
fn an_editors_backup_is_left_out_with_a_warning() {
    let workflow = workflow();
    workflow.write(".secrets/github", r#"{"token": "t"}"#);
    workflow.write(".secrets/slack", r#"{"webhook_url": "t"}"#);
    let backups = [
        "github~",
        "#github#",
        "github.swp",
        "github.bak",
        "github.orig",
    ];
    for name in backups {
        workflow.write(&format!(".secrets/{name}"), "old");
    }
    let mut answer = tntc(["secrets", "check", workflow.path()]).run().exits(0);
    for name in backups {
        answer = answer.says(&format!("{name} looks like an editor's backup"));
    }
    let source = "return Object.keys(ctx.secrets).sort();";
    workflow.write("nodes/only.ts", &crate::support::node(source));
    let ran = tntc(["run", "--local", workflow.path()]).run().exits(0);
    assert_eq!(
        ran.json()["outputs"]["only"],
        serde_json::json!(["github", "slack"])
    );
}

#[test]
fn what_nothing_uses_is_a_warning() {
    let workflow = workflow();
    let used = "github: {token: t}\nslack: {webhook_url: u}\n";
    let answer = checked(&workflow, used).exits(0);
    assert!(
        !answer.stderr.contains("uses the secrets of"),
        "{}",
        answer.stderr
    );
    checked(&workflow, &format!("{used}ssh: key\nother: x\n"))
        .exits(0)
        .says("no dependency and no trigger uses the secrets of `other`, `ssh`");
    tntc(["run", "--local", workflow.path()])
        .run()
        .says("uses the secrets of `other`, `ssh`");
}

#[test]
fn null_is_no_value_and_a_warning() {
    let workflow = workflow();
    checked(
        &workflow,
        "github: {token: ~}\nslack: {webhook_url: \"~\"}\n",
    )
    .exits(1)
    .says("line 1, column 17: `github.token` is null and so has no value")
    .answers("1 of 2 secrets of notifier are missing");
}

#[test]
fn a_link_out_of_the_repository_is_not_read() {
    let outside = tempfile::tempdir().expect("a directory");
    let key = outside.path().join("github");
    std::fs::write(&key, r#"{"token": "hidden"}"#).expect("a file");
    let link = |target: &Path, name: &str| {
        let workflow = workflow();
        workflow.write(".secrets/slack", "{}");
        let path = Path::new(workflow.path()).join(name);
        if path.is_dir() {
            std::fs::remove_dir_all(&path).expect("a directory");
        }
        std::os::unix::fs::symlink(target, path).expect("a link");
        workflow
    };
    for (target, name) in [
        (outside.path(), ".secrets"),
        (&key, ".secrets/github"),
        (&key, ".secrets.yaml"),
    ] {
        let workflow = link(target, name);
        for command in [
            &["secrets", "check"][..],
            &["run", "--local"],
            &["deploy", "--dry-run"],
        ] {
            let arguments = command.iter().copied().chain([workflow.path()]);
            let answer = tntc(arguments).env("KUBECONFIG", "/nonexistent").run();
            let answer = answer.exits(1).says("leads to").says("it was not read");
            assert!(!answer.stderr.contains("hidden"), "{}", answer.stderr);
        }
    }
}

#[test]
fn only_the_users_own_settings_name_secrets_elsewhere() {
    let workflow = workflow();
    let (home, outside) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    );
    let source = outside.path().join("all.yaml");
    std::fs::write(&source, "github: {token: t}\nslack: {webhook_url: u}\n").expect("a file");
    let config = format!(
        "environments: {{x: {{secrets_source: '{}'}}}}\n",
        source.display()
    );
    let check = || {
        tntc(["secrets", "check", workflow.path(), "--env", "x"])
            .env("HOME", home.path())
            .run()
    };
    workflow.write(".tentacular/config.yaml", &config);
    check()
        .exits(1)
        .says("it was not read")
        .says("~/.tentacular/config.yaml");
    workflow.remove(".tentacular/config.yaml");
    std::fs::create_dir(home.path().join(".tentacular")).expect("a directory");
    std::fs::write(home.path().join(".tentacular/config.yaml"), config).expect("a file");
    check().exits(0);
}
