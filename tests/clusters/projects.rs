//! A directory of a stranger chooses no kubeconfig: its credential plugin would run.

use std::os::unix::fs::chown;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::deploy::credentials::scripted_plugin;
use crate::support::{Answer, Kubeconfig, Workflow, tntc};

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
