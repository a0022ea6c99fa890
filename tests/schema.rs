//! `tntc schema`.

use serde_json::Value;

use crate::support::{example, tntc};

fn schema(name: &str) -> Value {
    tntc(["schema", name]).run().exits(0).json()
}

#[test]
fn without_a_name_the_names_are_listed_and_each_has_a_valid_schema() {
    let names = tntc(["schema"]).run().exits(0).stdout;
    assert!(names.starts_with("workflow\nconfig\n"), "{names}");
    for name in names.lines() {
        assert!(jsonschema::validator_for(&schema(name)).is_ok(), "{name}");
    }
}

#[test]
fn every_command_has_a_schema() {
    let names = tntc(["schema"]).run().exits(0).stdout;
    let help = tntc(["--help"]).run().exits(0).stdout;
    let commands = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  "))
        // The rest of a description that was wrapped is indented further.
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next());
    for command in commands {
        let found = names
            .lines()
            .any(|name| name == command || name.starts_with(&format!("{command}-")));
        assert!(found, "`{command}` has no schema");
    }
}

#[test]
fn an_answer_with_a_field_too_few_or_too_many_is_not_valid() {
    let workflow = example("word-counter");
    let mut answer = tntc(["validate", workflow.path(), "-o", "json"])
        .run()
        .exits(0)
        .json();
    let schema = jsonschema::validator_for(&schema("validate")).expect("a schema");
    assert!(schema.is_valid(&answer));
    let derived = answer["derived"].take();
    assert!(!schema.is_valid(&answer));
    answer["derived"] = derived;
    answer["derived"]["more"] = 1.into();
    assert!(!schema.is_valid(&answer));
}

#[test]
fn a_config_with_a_misspelt_key_is_not_valid() {
    let schema = jsonschema::validator_for(&schema("config")).expect("a schema");
    let config =
        serde_json::json!({"namespace": "a", "environments": {"dev": {"enforcement": "audit"}}});
    assert!(schema.is_valid(&config));
    assert!(!schema.is_valid(&serde_json::json!({"namespac": "a"})));
}

#[test]
fn an_unknown_name_is_told_those_that_exist() {
    tntc(["schema", "deplyo"])
        .run()
        .exits(2)
        .says("no schema of `deplyo`")
        .says("deploy");
}

#[test]
fn what_init_writes_names_a_schema_that_is_there() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    tntc(["init", "daily-report"])
        .current_dir(parent.path())
        .run()
        .exits(0);
    let dir = parent.path().join("daily-report");
    let text = std::fs::read_to_string(dir.join("workflow.yaml")).expect("a file");
    let first = text.lines().next().expect("a line");
    let path = first
        .strip_prefix("# yaml-language-server: $schema=")
        .expect("the line for editors");
    let written = std::fs::read_to_string(dir.join(path)).expect("a schema");
    let written: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(written, schema("workflow"));
}
