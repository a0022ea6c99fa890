//! Secrets are text, exactly as written: the table of `conformance/secrets.json` by every way that leads to a node.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::dev::Running;
use crate::support::{Workflow, deployed, run, tntc};

struct Case {
    /// The file that holds the secret, and its text.
    file: (String, String),
    service: String,
    key: String,
    expected: String,
}

/// Every case that has a value: at a key and at a service of `.secrets.yaml`, or in a file of the shared pool.
fn cases() -> Vec<Case> {
    let text = include_str!("conformance/secrets.json");
    let table: Value = serde_json::from_str(text).expect("a table");
    let part = |name: &str| table[name].as_array().expect("cases").clone();
    let mut cases = Vec::new();
    for (number, case) in part("yaml").iter().enumerate() {
        let Some(expected) = case["text"].as_str() else {
            continue;
        };
        let written = case["written"].as_str().expect("a text");
        for (service, key, text) in [
            ("k", "token", format!("k{number}:\n  token: {written}\n")),
            ("s", "value", format!("s{number}: {written}\n")),
        ] {
            cases.push(Case {
                file: (".secrets.yaml".to_owned(), text),
                service: format!("{service}{number}"),
                key: key.to_owned(),
                expected: expected.to_owned(),
            });
        }
    }
    for (number, case) in part("files").iter().enumerate() {
        let Some(expected) = case["text"].as_str() else {
            continue;
        };
        let content = case["content"].as_str().expect("a text").to_owned();
        let service = format!("f{number}");
        let refers = format!("{service}: $shared.{service}\n");
        for file in [
            (format!(".secrets/{service}"), content),
            (".secrets.yaml".to_owned(), refers),
        ] {
            cases.push(Case {
                file,
                service: service.clone(),
                key: case["key"].as_str().expect("a key").to_owned(),
                expected: expected.to_owned(),
            });
        }
    }
    cases
}

/// A node that returns the secret of every dependency, one a case.
fn workflow() -> (Workflow, Value) {
    let (mut yaml, mut dependencies, mut code) = (String::new(), String::new(), String::new());
    let (mut expected, mut secrets) = (Map::new(), Map::new());
    let workflow = Workflow::of_one_node("values", "");
    for case in cases() {
        let (path, text) = &case.file;
        if path == ".secrets.yaml" {
            yaml += text;
        } else {
            workflow.write(path, text);
        }
        let Case {
            service,
            key,
            expected: text,
            ..
        } = &case;
        if expected.insert(service.clone(), json!(text)).is_some() {
            continue;
        }
        secrets.insert(service.clone(), json!({ key: text }));
        writeln!(dependencies, "    {service}: {{protocol: https, host: 192.0.2.1, auth: {{type: bearer-token, secret: {service}.{key}}}}}").expect("memory");
        writeln!(code, "    {service}: ctx.dependency(\"{service}\").secret,").expect("memory");
    }
    workflow.write(".secrets.yaml", &yaml);
    workflow.replace(
        "workflow.yaml",
        "contract: {version: \"1\", dependencies: {}}\n",
        &format!("contract:\n  version: \"1\"\n  dependencies:\n{dependencies}"),
    );
    let body = format!("return {{\n{code}  }};");
    workflow.write("nodes/only.ts", &crate::support::node(&body));
    let fixture = json!({ "secrets": secrets, "expected": expected });
    workflow.write("tests/fixtures/only.json", &fixture.to_string());
    // The pool is at the root of the repository, which is this directory.
    std::fs::create_dir(format!("{}/.git", workflow.path())).expect("a directory");
    (workflow, Value::Object(expected))
}

#[test]
fn they_are_the_same_in_check_test_local_runs_and_dev() {
    let (workflow, expected) = workflow();
    let count = expected.as_object().map_or(0, Map::len);
    assert!(count > 120, "{count}");
    tntc(["secrets", "check", "--local", workflow.path()])
        .run()
        .exits(0)
        .answers(&format!("all {count} secrets"));
    tntc(["test", workflow.path()]).run().exits(0);
    let ran = tntc(["run", "--local", workflow.path()]).run().exits(0);
    assert_eq!(ran.json()["outputs"]["only"], expected);
    let dev = Running::start(&workflow);
    assert_eq!(dev.run()["outputs"]["only"], expected);
}

#[test]
fn they_are_the_same_in_a_pod() {
    let (workflow, expected) = workflow();
    let namespace = deployed(&workflow, "values");
    let ran = run("values", &namespace, &json!({}));
    assert_eq!(ran["outputs"]["only"], expected);
    // By hand, as somebody without local secrets finds them.
    workflow.remove(".secrets.yaml");
    std::fs::remove_dir_all(format!("{}/.secrets", workflow.path())).expect("a directory");
    tntc(["secrets", "check", workflow.path(), "-n", &namespace.name])
        .run()
        .exits(0)
        .answers("Secret/values-secrets in namespace");
}
