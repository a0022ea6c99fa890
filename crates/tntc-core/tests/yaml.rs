//! What workflow.yaml may use of YAML, and that it means what is written.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use tntc_core::project::Project;
use tntc_core::workflow::{Checked, parse};

const REST: &str = "name: a\nversion: \"1.0\"\ntriggers: [{type: manual}]\nnodes: {a: {path: a.ts}}\ncontract: {version: \"1\"}\n";

fn checked(yaml: &str) -> Checked {
    let project = Project::from_files([("workflow.yaml", yaml), ("a.ts", ""), ("b.ts", "")]);
    parse(&project).unwrap_or_else(|report| panic!("{report}\n{yaml}"))
}

/// What nodes see of a `config` section.
fn config(section: &str) -> Value {
    Value::Object(checked(&format!("{REST}{section}")).workflow.config.values)
}

#[test]
fn an_alias_is_what_its_anchor_stands_at() {
    for (section, expected) in [
        ("config: {a: &x 1, b: *x}", json!({"a": 1, "b": 1})),
        (
            "config: {a: &x [1, {b: 2}], c: *x}",
            json!({"a": [1, {"b": 2}], "c": [1, {"b": 2}]}),
        ),
        (
            "config: {a: &x 1, b: &x 2, c: *x}",
            json!({"a": 1, "b": 2, "c": 2}),
        ),
        (
            "config: {a: &x [1], b: &y [*x], c: *y}",
            json!({"a": [1], "b": [[1]], "c": [[1]]}),
        ),
        ("config: {a: &x key, *x : 1}", json!({"a": "key", "key": 1})),
        ("config:\n  a: &x\n  b: *x\n", json!({"a": null, "b": null})),
        (
            "config:\n  a: &x |\n    text\n  b: *x\n",
            json!({"a": "text\n", "b": "text\n"}),
        ),
        (
            "x-base: &x {timeout: 5s}\nconfig: *x\n",
            json!({"timeout": "5s"}),
        ),
        ("config: {a: &x \"1\", b: *x}", json!({"a": "1", "b": "1"})),
    ] {
        assert_eq!(config(section), expected, "{section}");
    }
}

#[test]
fn merging_fills_in_what_the_mapping_does_not_say() {
    for (section, expected) in [
        (
            "x-d: &d {a: 1, b: 2}\nconfig: {<<: *d, b: 3}",
            json!({"a": 1, "b": 3}),
        ),
        (
            "x-d: &d {a: 1, b: 2}\nconfig: {b: 3, <<: *d}",
            json!({"b": 3, "a": 1}),
        ),
        (
            "config: {<<: [{a: 1}, {a: 2, b: 2}]}",
            json!({"a": 1, "b": 2}),
        ),
        (
            "x-d: &d {a: {b: 1, c: 1}}\nconfig: {<<: *d, a: {b: 2}}",
            json!({"a": {"b": 2}}),
        ),
        ("config: {'<<': 1}", json!({"<<": 1})),
        ("config: {a: <<, b: [<<]}", json!({"a": "<<", "b": ["<<"]})),
        (
            "x-d: &d {a: 1}\nx-e: &e {<<: *d, b: 1}\nconfig: {<<: *e}",
            json!({"a": 1, "b": 1}),
        ),
    ] {
        let found = config(section);
        assert_eq!(found, expected, "{section}");
        let keys = |value: &Value| {
            value
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(keys(&found), keys(&expected), "the order of {section}");
    }
}

#[test]
fn defaults_of_nodes_are_merged_and_what_is_wrong_in_them_is_told_once() {
    let yaml = "name: a\nversion: \"1.0\"\ntriggers: [{type: manual}]\ncontract: {version: \"1\"}\n\
        x-node: &node {timeout: 5s, retries: 2, retrys: 1}\n\
        nodes:\n  a:\n    <<: *node\n    path: a.ts\n  b:\n    path: b.ts\n    <<: *node\n    retries: 0\n";
    let Checked { workflow, warnings } = checked(yaml);
    let retries: Vec<_> = workflow.nodes.iter().map(|node| node.retries).collect();
    assert_eq!(retries, [Some(2), Some(0)]);
    assert!(workflow.nodes.iter().all(|node| node.timeout.is_some()));
    let told: Vec<_> = warnings.iter().map(|it| (it.code, it.line)).collect();
    assert_eq!(told, [("unknown-key", 5)]);
}

#[test]
fn a_file_may_begin_with_a_mark_a_comment_and_a_version() {
    for head in [
        "\u{feff}",
        "%YAML 1.2\n---\n",
        "\u{feff}%YAML 1.2\n---\n",
        "# c\n%YAML 1.2 # d\n---\n",
        "--- # c\n",
    ] {
        let Checked { workflow, warnings } = checked(&format!("{head}{REST}"));
        assert_eq!(
            (workflow.name.as_str(), warnings.is_empty()),
            ("a", true),
            "{head:?}"
        );
    }
    let told = checked(&format!("%YAML 1.1\n---\n{REST}")).warnings;
    assert_eq!(
        told.iter().map(|it| it.code).collect::<Vec<_>>(),
        ["yaml-version"]
    );
}

#[test]
fn an_integer_that_nodes_would_see_as_another_one_is_a_warning() {
    for (text, is_exact) in [
        ("9007199254740992", true),
        ("9007199254740993", false),
        ("-9007199254740993", false),
        ("18014398509481984", true),
        ("18446744073709551616", true),
        ("0x20000000000001", false),
        ("0o7777777777777777777777", false),
        (
            "123456789012345678901234567890123456789012345678901234567890",
            false,
        ),
        ("\"9007199254740993\"", true),
        ("9007199254740993.0", true),
        ("0", true),
        ("-1", true),
    ] {
        let warnings = checked(&format!("{REST}config: {{a: [{text}]}}\n")).warnings;
        let told: Vec<_> = warnings
            .iter()
            .map(|it| (it.code, it.path.as_str()))
            .collect();
        let expected: &[_] = if is_exact {
            &[]
        } else {
            &[("inexact-integer", "/config/a/0")]
        };
        assert_eq!(told, expected, "{text}");
    }
}

#[test]
fn a_schedule_without_quotes_is_told_to_have_some() {
    for line in [
        "*/5 * * * *",
        "* * * * *",
        "*/5 * * * * # often",
        "*,5 * * * *",
        "*/5 * * * * *",
        "@hourly",
        "@every 5m",
    ] {
        let yaml =
            format!("name: a\nversion: \"1.0\"\ntriggers:\n  - type: cron\n    schedule: {line}\n");
        let report = parse(&Project::from_files([("workflow.yaml", yaml)])).unwrap_err();
        let first = report.errors().find(|it| it.code == "unquoted-schedule");
        let first = first.unwrap_or_else(|| panic!("{line}: {report}"));
        let schedule = line.split(" #").next().unwrap();
        assert_eq!((first.line, first.column), (5, 15), "{line}");
        assert_eq!(
            first.help.as_deref(),
            Some(format!("quote the schedule: \"{schedule}\"").as_str())
        );
        assert!(
            report
                .errors()
                .all(|it| it.code != "alias" && it.code != "yaml"),
            "{line}: {report}"
        );
    }
}
