//! The engine starts on whatever `validate` accepts, and reads from it what the parser reads: workflows that nobody
//! would write, each as a person has it and as tntc writes it again.

#[path = "../crates/tntc-core/tests/properties/generate.rs"]
mod generate;
#[path = "../crates/tntc-core/tests/reads/mod.rs"]
mod reads;

use std::process::Command;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tntc_core::project::Project;
use tntc_core::workflow::{Workflow, parse};

use self::generate::{text, workflow_file};
use self::reads::as_the_engine_has_it;

const WORKFLOWS: usize = 300;

/// Says for each file of a list whether the engine reads what is expected.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../engine/tests/reads.ts");

#[test]
fn the_engine_reads_every_generated_workflow_as_the_parser_does() {
    let mut runner = TestRunner::deterministic();
    let files: Vec<Value> = (0..WORKFLOWS)
        .flat_map(|_| {
            let file = workflow_file()
                .new_tree(&mut runner)
                .expect("a workflow")
                .current();
            let written = text(&file);
            let workflow = parsed(&written);
            let reads = as_the_engine_has_it(&workflow);
            [written, workflow.to_yaml()].map(|yaml| json!({"yaml": yaml, "reads": reads}))
        })
        .collect();
    let directory = tempfile::tempdir().expect("a directory");
    let list = directory.path().join("files.json");
    std::fs::write(&list, Value::from(files).to_string()).expect("a file");
    let deno = std::env::var("TNTC_DENO").unwrap_or_else(|_| "deno".to_owned());
    let output = Command::new(deno)
        .args(["run", "--quiet", "--no-lock", "--allow-read", SCRIPT])
        .arg(list)
        .output()
        .expect("Deno runs");
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
    assert!(output.status.success(), "{stdout}{stderr}");
    assert_eq!(stdout.trim(), format!("{} files read alike", 2 * WORKFLOWS));
}

fn parsed(yaml: &str) -> Workflow {
    let files = [("workflow.yaml", yaml), ("nodes/a.ts", ""), ("b.mjs", "")];
    let checked = parse(&Project::from_files(files));
    checked
        .unwrap_or_else(|report| panic!("{report}\n{yaml}"))
        .workflow
}
