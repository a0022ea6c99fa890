//! `tntc visualize`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Workflow, example, tntc};

const PAGES: [&str; 2] = ["workflow-diagram.md", "contract-summary.md"];

/// A workflow whose one node uses the one dependency of its contract.
fn caller() -> Workflow {
    let workflow = Workflow::of_one_node(
        "caller",
        "return (await ctx.dependency(\"api\").fetch(\"/\")).json();",
    );
    let dependency = "{api: {protocol: https, host: api.example.com, auth: {type: bearer-token, secret: api.token}}}";
    workflow.replace(
        "workflow.yaml",
        "dependencies: {}",
        &format!("dependencies: {dependency}"),
    );
    workflow
}

fn read(workflow: &Workflow, page: &str) -> String {
    fs::read_to_string(Path::new(workflow.path()).join(page)).expect("a page")
}

#[test]
fn the_answer_is_mermaid_and_nothing_else() {
    let workflow = example("word-counter");
    let answer = tntc(["visualize", workflow.path()]).run().exits(0);
    assert!(answer.stdout.starts_with("flowchart TD\n"), "{answer:?}");
    assert_eq!(answer.stderr, "");
    answer.answers("n0 --> n1");
    assert!(
        !workflow
            .files()
            .iter()
            .any(|file| PAGES.contains(&file.as_str()))
    );
}

#[test]
fn the_rich_diagram_links_a_dependency_to_its_node_and_its_secret() {
    let workflow = caller();
    let answer = tntc(["visualize", workflow.path(), "--rich"])
        .run()
        .exits(0);
    answer
        .answers("api.example.com:443")
        .answers("n0 -.-> d0")
        .answers("api.token")
        .answers("d0 -.- s0")
        .answers("%% egress api.example.com 443/TCP: api");
    let plain = tntc(["visualize", workflow.path()]).run().exits(0);
    assert!(!plain.stdout.contains("api"), "{}", plain.stdout);
}

#[test]
fn pages_that_were_written_pass_the_check_and_are_not_written_again() {
    let workflow = caller();
    tntc(["visualize", workflow.path(), "--rich", "--write"])
        .run()
        .exits(0)
        .answers("flowchart TD")
        .says("wrote");
    assert!(read(&workflow, PAGES[0]).contains("```mermaid\nflowchart TD\n"));
    assert!(read(&workflow, PAGES[1]).contains("`api.example.com:443`"));
    tntc(["visualize", workflow.path(), "--check"])
        .run()
        .exits(0)
        .answers("are up to date");
    tntc(["visualize", workflow.path(), "--write"])
        .run()
        .exits(0)
        .says("is up to date");
    let left: Vec<_> = workflow
        .files()
        .into_iter()
        .filter(|file| file.contains(".new"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_check_names_what_is_missing_and_what_is_stale() {
    let workflow = caller();
    tntc(["visualize", workflow.path(), "--check"])
        .run()
        .exits(1)
        .answers("workflow-diagram.md is missing; contract-summary.md is missing")
        .says("tntc visualize --rich --write");
    tntc(["visualize", workflow.path(), "--write"])
        .run()
        .exits(0);
    workflow.replace("workflow.yaml", "api.example.com", "api.example.org");
    let json = tntc(["visualize", workflow.path(), "--check", "-o", "json"])
        .run()
        .exits(1)
        .json();
    assert_eq!(json["status"], "fail");
    let states: Vec<_> = json["artifacts"]
        .as_array()
        .expect("artifacts")
        .iter()
        .map(|artifact| (artifact["name"].as_str(), artifact["state"].as_str()))
        .collect();
    assert_eq!(
        states,
        [
            (Some("diagram"), None),
            (Some(PAGES[0]), Some("stale")),
            (Some(PAGES[1]), Some("stale"))
        ]
    );
}

#[test]
fn a_page_with_the_line_endings_of_windows_is_not_stale() {
    let workflow = caller();
    tntc(["visualize", workflow.path(), "--write"])
        .run()
        .exits(0);
    for page in PAGES {
        workflow.write(page, &read(&workflow, page).replace('\n', "\r\n"));
    }
    tntc(["visualize", workflow.path(), "--check"])
        .run()
        .exits(0);
}

#[test]
fn writing_and_checking_exclude_each_other() {
    let workflow = caller();
    tntc(["visualize", workflow.path(), "--check", "--write"])
        .run()
        .exits(2);
}

#[test]
fn a_node_that_cannot_be_read_is_warned_of_and_drawn_all_the_same() {
    let workflow = caller();
    workflow.write("nodes/only.ts", "export default (");
    tntc(["visualize", workflow.path(), "--rich"])
        .run()
        .exits(0)
        .answers("n0[\"only\"]")
        .says("nodes/only.ts:1:");
}

#[test]
fn an_invalid_workflow_is_not_drawn() {
    let workflow = caller();
    workflow.replace("workflow.yaml", "nodes/only.ts", "nodes/other.ts");
    let answer = tntc(["visualize", workflow.path(), "--write"])
        .run()
        .exits(1);
    assert_eq!(answer.stdout, "");
    assert_eq!(workflow.files(), ["nodes/only.ts", "workflow.yaml"]);
}

#[test]
fn the_real_mermaid_renders_every_diagram() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/render-diagrams");
    let tntc = Path::new(env!("CARGO_BIN_EXE_tntc"));
    let built = tntc.parent().expect("a directory").display().to_string();
    let path = std::env::var("PATH").expect("a PATH");
    let output = Command::new(script)
        .env("PATH", format!("{built}:{path}"))
        .output()
        .expect("bash runs");
    let verdicts = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{verdicts}\n{errors}");
    for name in ["word-counter", "webhook", "large", "odd-names"] {
        let rich = format!("ok - {name} --rich");
        assert!(verdicts.lines().any(|line| line == rich), "{verdicts}");
    }
}
