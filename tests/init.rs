//! `tntc init`.

use crate::support::tntc;

#[test]
fn what_init_writes_is_valid_and_runs() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    tntc(["init", "daily-report"])
        .current_dir(parent.path())
        .run()
        .exits(0)
        .answers("created daily-report");
    tntc(["validate", "daily-report"])
        .current_dir(parent.path())
        .run()
        .exits(0);
    let answer = tntc([
        "run",
        "--local",
        "daily-report",
        "--input",
        r#"{"name": "Ada"}"#,
    ])
    .current_dir(parent.path())
    .run()
    .exits(0);
    assert_eq!(answer.json()["outputs"]["greet"]["message"], "Hello, Ada!");
}

#[test]
fn what_init_writes_passes_denos_own_checks() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    tntc(["init", "daily-report"])
        .current_dir(parent.path())
        .run()
        .exits(0);
    let deno = std::env::var("TNTC_DENO").unwrap_or_else(|_| "deno".to_owned());
    let dir = parent.path().join("daily-report");
    for arguments in [
        ["check", "nodes/greet.ts"],
        ["lint", "nodes"],
        ["fmt", "--check"],
    ] {
        let output = std::process::Command::new(&deno)
            .args(arguments)
            .current_dir(&dir)
            .output()
            .expect("deno runs");
        assert!(
            output.status.success(),
            "deno {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn init_refuses_to_overwrite() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    std::fs::create_dir(parent.path().join("daily-report")).expect("a directory");
    tntc(["init", "daily-report"])
        .current_dir(parent.path())
        .run()
        .exits(2)
        .says("exists already; nothing was written");
    assert_eq!(
        std::fs::read_dir(parent.path())
            .expect("a directory")
            .count(),
        1
    );
}

#[test]
fn init_refuses_a_bad_name() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    tntc(["init", "Daily_Report"])
        .current_dir(parent.path())
        .run()
        .exits(2)
        .says("is no workflow name");
    assert_eq!(
        std::fs::read_dir(parent.path())
            .expect("a directory")
            .count(),
        0
    );
}
