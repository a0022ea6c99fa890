//! `tntc validate`.

use crate::support::{Workflow, example, tntc};

#[test]
fn a_valid_workflow_shows_what_is_derived() {
    let workflow = example("word-counter");
    let answer = tntc(["validate", workflow.path(), "-v"]).run().exits(0);
    answer
        .answers("word-counter 1.0 is valid")
        .answers("--allow-net=0.0.0.0:8080");
}

#[test]
fn an_error_names_file_line_and_column() {
    let workflow = example("word-counter");
    workflow.replace(
        "workflow.yaml",
        "from: tokenize, to: statistics",
        "from: tokenise, to: statistics",
    );
    let answer = tntc(["validate", workflow.path()]).run().exits(1);
    answer
        .says("workflow.yaml:20:13")
        .says("tokenise")
        .says("tokenize");
}

#[test]
fn all_errors_are_in_the_envelope_with_their_places() {
    let workflow = example("word-counter");
    workflow.replace("workflow.yaml", "version: \"1.0\"", "version: \"one\"");
    workflow.replace("workflow.yaml", "nodes/report.ts", "nodes/missing.ts");
    let json = tntc(["validate", workflow.path(), "-o", "json"])
        .run()
        .exits(1)
        .json();
    assert_eq!(json["status"], "fail");
    let errors = json["errors"].as_array().expect("errors");
    let places: Vec<_> = errors
        .iter()
        .map(|error| (error["path"].as_str(), error["line"].as_u64()))
        .collect();
    assert_eq!(
        places,
        [
            (Some("/version"), Some(2)),
            (Some("/nodes/report/path"), Some(16))
        ]
    );
}

#[test]
fn a_directory_without_a_workflow_is_told() {
    let workflow = Workflow::empty("nothing");
    tntc(["validate", workflow.path()])
        .run()
        .exits(1)
        .says("holds no workflow.yaml");
    tntc(["validate", "/nonexistent"])
        .run()
        .exits(2)
        .says("cannot open /nonexistent");
}
