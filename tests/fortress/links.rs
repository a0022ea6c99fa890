//! A stranger's directory whose names lead elsewhere: nothing is written through a link, and nothing is waited for or
//! read without an end.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::{Workflow, tntc};

/// A file of the user's own, outside of every workflow.
struct Victim {
    dir: TempDir,
}

impl Victim {
    fn new() -> Self {
        let victim = Self {
            dir: tempfile::tempdir().expect("a directory"),
        };
        fs::write(victim.path(), "kept").expect("a file");
        victim
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("victim")
    }

    #[track_caller]
    fn is_untouched(&self) {
        assert_eq!(fs::read_to_string(self.path()).expect("a file"), "kept");
        assert_eq!(fs::read_dir(self.dir.path()).expect("it").count(), 1);
    }
}

fn at(workflow: &Workflow, name: &str) -> PathBuf {
    Path::new(workflow.path()).join(name)
}

fn workflow() -> Workflow {
    Workflow::of_one_node("planted", "return null;")
}

#[test]
fn a_page_is_not_written_through_a_link() {
    for page in ["workflow-diagram.md", "contract-summary.md"] {
        let (workflow, victim) = (workflow(), Victim::new());
        symlink(victim.path(), at(&workflow, page)).expect("a link");
        tntc(["visualize", "--write", workflow.path()])
            .run()
            .exits(1)
            .says("is a link to");
        victim.is_untouched();
    }
}

#[test]
fn a_planted_name_beside_a_file_is_not_written_through() {
    let (workflow, victim) = (workflow(), Victim::new());
    for name in [
        "workflow-diagram.md",
        "contract-summary.md",
        ".secrets.yaml",
        ".gitignore",
    ] {
        symlink(victim.path(), at(&workflow, &format!("{name}.new"))).expect("a link");
    }
    tntc(["visualize", "--write", workflow.path()])
        .run()
        .exits(0);
    tntc(["secrets", "init", workflow.path()]).run().exits(0);
    victim.is_untouched();
}

#[test]
fn secrets_are_not_written_through_a_link() {
    for name in [".secrets.yaml", ".gitignore"] {
        for force in [&["secrets", "init", "--force"][..], &["secrets", "init"]] {
            let (workflow, victim) = (workflow(), Victim::new());
            symlink(victim.path(), at(&workflow, name)).expect("a link");
            let arguments = force.iter().copied().chain([workflow.path()]);
            let answer = tntc(arguments).run();
            assert!([1, 2].contains(&answer.status), "{answer:?}");
            victim.is_untouched();
            assert!(at(&workflow, name).is_symlink());
        }
    }
}

#[test]
fn a_link_to_nothing_is_not_followed_either() {
    let (workflow, victim) = (workflow(), Victim::new());
    symlink(
        victim.dir.path().join("new"),
        at(&workflow, ".secrets.yaml"),
    )
    .expect("a link");
    tntc(["secrets", "init", workflow.path()])
        .run()
        .exits(1)
        .says("is a link to");
    victim.is_untouched();
}

#[test]
fn a_projects_settings_are_not_written_through_a_link() {
    let configure = || tntc(["configure", "--project", "-n", "team"]);
    let (workflow, victim) = (workflow(), Victim::new());
    fs::create_dir(at(&workflow, ".tentacular")).expect("a directory");
    let file = at(&workflow, ".tentacular/config.yaml");
    symlink(victim.path(), &file).expect("a link");
    let dir = Path::new(workflow.path());
    // As settings the victim is refused first; what matters is that it stays as it is.
    assert_ne!(configure().current_dir(dir).run().status, 0);
    victim.is_untouched();
    fs::remove_dir_all(at(&workflow, ".tentacular")).expect("a directory");
    symlink(victim.dir.path(), at(&workflow, ".tentacular")).expect("a link");
    configure()
        .current_dir(dir)
        .run()
        .exits(1)
        .says("is a link to");
    victim.is_untouched();
}

#[test]
fn the_users_own_settings_may_be_a_link() {
    let (home, kept) = (
        tempfile::tempdir().expect("it"),
        tempfile::tempdir().expect("it"),
    );
    let file = kept.path().join("config.yaml");
    fs::write(&file, "registry: r.example.com\n").expect("a file");
    symlink(kept.path(), home.path().join(".tentacular")).expect("a link");
    tntc(["configure", "-n", "team"])
        .env("HOME", home.path())
        .run()
        .exits(0);
    let text = fs::read_to_string(file).expect("a file");
    assert_eq!(text, "registry: r.example.com\nnamespace: team\n");
}

#[test]
fn a_written_file_keeps_its_mode() {
    let workflow = workflow();
    let page = at(&workflow, "workflow-diagram.md");
    fs::write(&page, "old").expect("a file");
    fs::set_permissions(&page, fs::Permissions::from_mode(0o640)).expect("a mode");
    tntc(["visualize", "--write", workflow.path()])
        .run()
        .exits(0);
    let mode = fs::metadata(&page).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

/// What each command does with a file that never ends, which it reads.
const ENDLESS: [(&str, &[&str]); 6] = [
    (".secrets.yaml", &["secrets", "check"]),
    (".secrets.yaml", &["run", "--local"]),
    (".secrets.yaml.example", &["secrets", "init"]),
    (".tentacular/config.yaml", &["secrets", "check"]),
    (".tentacular/base-image.txt", &["secrets", "check"]),
    ("workflow-diagram.md", &["visualize", "--check"]),
];

#[test]
fn nothing_waits_for_a_pipe_or_reads_a_device_or_a_huge_file() {
    for (name, command) in ENDLESS {
        for kind in ["pipe", "device", "huge"] {
            let workflow = workflow();
            plant(&at(&workflow, name), kind);
            // What reads without an end is ended, and then has no exit status of its own.
            let answer = Command::new("timeout")
                .args(["60", "prlimit", "--as=4294967296"])
                .arg(env!("CARGO_BIN_EXE_tntc"))
                .args(command)
                .arg(workflow.path())
                .env("NO_COLOR", "1")
                .output()
                .expect("timeout runs");
            let said = String::from_utf8_lossy(&answer.stderr);
            let reason = if kind == "huge" {
                "it is larger than"
            } else {
                "it is not a regular file"
            };
            // A device is reached by a link, and secrets are not read through one that leads away.
            let refused = said.contains(reason) || said.contains("it was not read");
            assert!(refused, "{command:?} {name} {kind}: {said}");
            assert!(matches!(answer.status.code(), Some(1 | 3)), "{said}");
        }
    }
}

fn plant(path: &Path, kind: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    match kind {
        "pipe" => {
            let made = Command::new("mkfifo").arg(path).status();
            assert!(made.expect("mkfifo runs").success());
        }
        "device" => symlink("/dev/zero", path).expect("a link"),
        _ => fs::File::create(path)
            .and_then(|file| file.set_len(3 << 30))
            .expect("a sparse file"),
    }
}

#[test]
fn a_huge_file_of_a_project_is_not_read() {
    let workflow = workflow();
    plant(&at(&workflow, "data.bin"), "huge");
    tntc(["validate", workflow.path()]).run().exits(0);
    fs::remove_file(at(&workflow, "nodes/only.ts")).expect("a file");
    plant(&at(&workflow, "nodes/only.ts"), "huge");
    tntc(["validate", workflow.path()])
        .run()
        .exits(1)
        .says("it is larger than 10240 KiB");
}

#[test]
fn a_directory_of_many_large_files_is_refused() {
    let workflow = workflow();
    for number in 0..11 {
        fs::File::create(at(&workflow, &format!("{number}.bin")))
            .and_then(|file| file.set_len(10 << 20))
            .expect("a file");
    }
    tntc(["validate", workflow.path()])
        .run()
        .exits(1)
        .says("holds more than 20000 files or 100 MiB");
}

#[test]
fn git_runs_no_program_of_the_directory() {
    let workflow = workflow();
    let dir = Path::new(workflow.path());
    let made = Command::new("git").args(["init", "-q"]).arg(dir).status();
    assert!(made.expect("git runs").success());
    let planted = at(&workflow, "planted.sh");
    fs::write(
        &planted,
        "#!/bin/sh\ntouch \"$(dirname \"$0\")/ran\"\nexit 1\n",
    )
    .expect("a file");
    fs::set_permissions(&planted, fs::Permissions::from_mode(0o755)).expect("a mode");
    for key in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "pager.check-ignore",
        "core.editor",
        "core.askPass",
        "diff.external",
        "filter.x.process",
        "filter.x.clean",
        "alias.check-ignore",
    ] {
        let program = planted.display().to_string();
        let set = Command::new("git")
            .args(["-C", workflow.path(), "config", key, &program])
            .status();
        assert!(set.expect("git runs").success());
    }
    fs::write(at(&workflow, ".gitattributes"), "* filter=x\n").expect("a file");
    tntc(["secrets", "init", workflow.path()]).run().exits(0);
    assert!(!at(&workflow, "ran").exists());
    assert!(workflow.read(".gitignore").contains(".secrets.yaml"));
}

#[test]
fn outside_of_git_nothing_is_said_about_it() {
    let workflow = workflow();
    let answer = tntc(["secrets", "init", workflow.path()]).run().exits(0);
    assert!(!answer.stderr.contains("fatal"), "{}", answer.stderr);
    assert_eq!(workflow.read(".gitignore"), ".secrets.yaml\n");
}
