//! A directory of a stranger chooses no kubeconfig: its credential plugin would run.

use std::os::unix::fs::chown;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use super::attack::Layer::Tntc;
use super::attack::Outcome::{Blocked, Contained};
use super::attack::{Attack, tested};
use crate::deploy::credentials::scripted_plugin;
use crate::support::{Answer, Kubeconfig, Workflow, tntc};

const HERE: &str = "tests/fortress/kubeconfigs.rs";
const OWN: &str = "a_project_that_names_a_kubeconfig_is_told_where_it_goes_and_nothing_runs";

/// What kubeconfigs, and settings that name them, try against `tntc`.
pub const ATTACKS: &[Attack] = &[
    tested(
        "projects-kubeconfig",
        "a directory's settings name a kubeconfig whose credential plugin runs a program",
        Blocked(Tntc),
        HERE,
        OWN,
    ),
    tested(
        "settings-of-others",
        "settings of another user lie in a directory above",
        Blocked(Tntc),
        HERE,
        "a_config_file_of_somebody_else_is_refused",
    ),
    tested(
        "plugin-escapes",
        "a credential plugin and a context's name hold what a terminal obeys",
        Blocked(Tntc),
        "tests/fortress/servers.rs",
        "a_credential_plugin_and_a_context_cannot_either",
    ),
    tested(
        "plugin-secret",
        "a credential plugin fails after it has printed a token",
        Blocked(Tntc),
        HERE,
        "what_a_failed_plugin_printed_is_not_shown",
    ),
    tested(
        "plugin-without-end",
        "a credential plugin prints without an end",
        Blocked(Tntc),
        HERE,
        "a_plugin_that_prints_without_an_end_is_given_up",
    ),
    tested(
        "token-with-line-break",
        "a token holds a line break, which would be a header of its own",
        Blocked(Tntc),
        "tests/clusters/users.rs",
        "users_are_known_as_to_kubectl",
    ),
    tested(
        "users-plugin",
        "the user's own kubeconfig names a program",
        Contained("it runs, as with kubectl: a kubeconfig is a program"),
        "tests/deploy/credentials.rs",
        "an_exec_plugin_is_asked",
    ),
];

/// A workflow whose config file names a kubeconfig of its own, whose plugin leaves a file behind.
struct Hostile {
    workflow: Workflow,
    dir: TempDir,
}

impl Hostile {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let ran = dir.path().join("ran");
        let user = scripted_plugin(&dir, &format!("touch {}; exit 1", ran.display()));
        let kubeconfig = Kubeconfig::current().with_user(&user);
        let workflow = Workflow::of_one_node("stranger", "return 1;");
        let text = std::fs::read_to_string(kubeconfig.path()).expect("a kubeconfig");
        workflow.write("kubeconfig", &text);
        workflow.write(
            ".tentacular/config.yaml",
            "environments: {dev: {kubeconfig: ../kubeconfig}}\n",
        );
        Self { workflow, dir }
    }

    #[track_caller]
    fn nothing_ran(&self, answer: Answer) -> Answer {
        assert!(!self.dir.path().join("ran").exists(), "{}", answer.stderr);
        answer
    }
}

#[test]
fn a_project_that_names_a_kubeconfig_is_told_where_it_goes_and_nothing_runs() {
    let hostile = Hostile::new();
    let path = hostile.workflow.path();
    for arguments in [
        &["deploy", path][..],
        &["deploy", path, "--dry-run", "--env", "dev"],
        &["test", "--live", path],
        &["audit", path, "--env", "dev"],
    ] {
        let answer = hostile.nothing_ran(tntc(arguments.iter().copied()).run());
        answer
            .exits(2)
            .says("config.yaml: `environments.dev.kubeconfig` is not taken from a project")
            .says("~/.tentacular/config.yaml");
    }
    let list = tntc(["list"]).env("TENTACULAR_ENV", "dev");
    let answer = list.current_dir(Path::new(path)).run();
    hostile
        .nothing_ran(answer)
        .exits(2)
        .says("is not taken from a project");
    let dry = tntc(["deploy", path, "--dry-run"]).run();
    hostile.nothing_ran(dry).exits(0);
}

#[test]
fn a_config_file_of_somebody_else_is_refused() {
    let workflow = Workflow::of_one_node("below", "return 1;");
    workflow.write(".tentacular/config.yaml", "namespace: elsewhere\n");
    let file = Path::new(workflow.path()).join(".tentacular/config.yaml");
    // Only root can give a file away; for others there is nothing to be tried.
    if chown(&file, Some(65534), None).is_err() {
        return;
    }
    tntc(["deploy", workflow.path(), "--dry-run"])
        .run()
        .exits(2)
        .says("belongs to another user (uid 65534)")
        .says("chown");
    chown(&file, Some(0), None).expect("root");
    tntc(["deploy", workflow.path(), "--dry-run"])
        .run()
        .exits(0)
        .answers("namespace: elsewhere");
}

#[test]
fn the_files_that_were_used_are_told() {
    let workflow = Workflow::of_one_node("told", "return 1;");
    workflow.write(".tentacular/config.yaml", "namespace: default\n");
    let dir = Path::new(workflow.path());
    let shown = tntc(["configure", "--show"])
        .current_dir(dir)
        .run()
        .exits(0);
    shown.answers(".tentacular/config.yaml");
    let answer = tntc(["configure", "--show", "-o", "json"])
        .current_dir(dir)
        .run()
        .exits(0)
        .json();
    let files = answer["files"].as_array().expect("files");
    assert!(
        files.iter().any(|file| file
            .as_str()
            .is_some_and(|file| file.ends_with(".tentacular/config.yaml"))),
        "{answer}"
    );
    let kubeconfig = Kubeconfig::current();
    tntc(["list", "-v"])
        .current_dir(dir)
        .env("KUBECONFIG", kubeconfig.path())
        .run()
        .exits(0)
        .says("config: ")
        .says(&kubeconfig.path().display().to_string())
        .says("context `kind-tntc`");
}

#[test]
fn a_context_that_does_not_exist_is_told_by_a_dry_run() {
    let workflow = Workflow::of_one_node("nowhere", "return 1;");
    workflow.write(
        ".tentacular/config.yaml",
        &json!({"environments": {"far": {"context": "absent"}}}).to_string(),
    );
    tntc(["deploy", workflow.path(), "--dry-run", "--env", "far"])
        .run()
        .exits(3)
        .says("no context `absent`");
}

#[test]
fn what_a_failed_plugin_printed_is_not_shown() {
    let dir = tempfile::tempdir().expect("a directory");
    for script in [
        "echo CANARY-plugin-1b; exit 1",
        "echo '{\"status\": {\"token\": \"CANARY-plugin-1b\"'",
        "echo CANARY-plugin-1b",
    ] {
        let kubeconfig = Kubeconfig::current().with_user(&scripted_plugin(&dir, script));
        for more in [&[][..], &["-v"], &["-o", "json"]] {
            let words = ["list", "-n", "default"].iter().chain(more).copied();
            let answer = tntc(words)
                .env("KUBECONFIG", kubeconfig.path())
                .run()
                .exits(3);
            let said = format!("{}{}", answer.stdout, answer.stderr);
            assert!(!said.contains("CANARY"), "{said}");
        }
    }
}

#[test]
fn a_plugin_that_prints_without_an_end_is_given_up() {
    let dir = tempfile::tempdir().expect("a directory");
    for script in ["yes", "yes >&2"] {
        let kubeconfig = Kubeconfig::current().with_user(&scripted_plugin(&dir, script));
        tntc(["list", "-n", "default"])
            .env("KUBECONFIG", kubeconfig.path())
            .run()
            .exits(3)
            .says("plugin");
    }
}
