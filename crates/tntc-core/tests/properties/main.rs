//! What holds for every workflow, not only for those we thought of.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod generate;

use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use tntc_core::derive::network::{Services, Surroundings, policy};
use tntc_core::derive::{permissions, secrets};
use tntc_core::project::Project;
use tntc_core::workflow::{self, Workflow};

use self::generate::{text, workflow_file};

static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&tntc_core::schema::workflow()).unwrap());

fn project(yaml: &str) -> Project {
    Project::from_files([("workflow.yaml", yaml), ("nodes/a.ts", ""), ("b.mjs", "")])
}

fn parsed(yaml: &str) -> Workflow {
    match workflow::parse(&project(yaml)) {
        Ok(checked) => checked.workflow,
        Err(report) => panic!("{report}\n{yaml}"),
    }
}

/// Every `x-` key with the place it stands at.
fn extensions_in(file: &Value) -> Vec<(String, Value)> {
    fn collect(value: &Value, place: &str, found: &mut Vec<(String, Value)>) {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(fields) => fields.iter().map(|(key, it)| (key.clone(), it)).collect(),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(at, it)| (at.to_string(), it))
                .collect(),
            _ => Vec::new(),
        };
        for (key, child) in children {
            let place = format!("{place}/{key}");
            if key.starts_with("x-") {
                found.push((place, child.clone()));
            } else {
                collect(child, &place, found);
            }
        }
    }
    let mut found = Vec::new();
    collect(file, "", &mut found);
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn extensions_are_kept_wherever_keys_are_read() {
    let file = json!({
        "name": "a", "version": "1.0", "x-a": 1,
        "triggers": [{"type": "manual", "x-b": 2}],
        "nodes": {"a": {"path": "b.mjs", "x-c": 3}, "b": {"path": "b.mjs"}},
        "edges": [{"from": "a", "to": "b", "x-d": 4}],
        "config": {"x-e": 5},
        "deployment": {"namespace": "a", "x-f": 6},
        "contract": {"version": "1", "x-g": 7, "dependencies": {
            "a": {"protocol": "https", "host": "a.b", "x-h": 8, "auth": {"type": "t", "secret": "a.b", "x-i": 9}},
            "b": {"type": "dynamic-target", "cidr": "::/0", "dynPorts": [{"port": 1, "x-j": 10}], "reason": "r", "allowAllHosts": true, "x-k": 11},
        }, "networkPolicy": {"x-l": 12, "additionalEgress": [
            {"toCIDR": "::/0", "x-m": 13, "ports": [{"port": 1, "protocol": "UDP", "x-n": {"o": 14}}]},
        ]}},
    });
    assert_eq!(extensions_in(&file).len(), 14);
    assert_eq!(
        extensions_in(&parsed(&text(&file)).to_json()),
        extensions_in(&file)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_parsed_workflow_written_as_yaml_parses_to_the_same(file in workflow_file()) {
        let first = parsed(&text(&file));
        let yaml = first.to_yaml();
        let again = parsed(&yaml);
        prop_assert_eq!(&first, &again, "{}", yaml);
        prop_assert_eq!(yaml, again.to_yaml());
    }

    #[test]
    fn a_workflow_that_parses_is_one_by_its_schema_as_well(file in workflow_file()) {
        let written = parsed(&text(&file)).to_json();
        prop_assert!(SCHEMA.is_valid(&written), "{:#}", written);
    }

    #[test]
    fn text_of_any_kind_is_answered_without_a_panic(text in "\\PC{0,200}") {
        let report = workflow::parse(&project(&text)).unwrap_err();
        prop_assert!(report.errors().count() > 0);
        prop_assert!(!report.render("workflow.yaml", text.as_bytes(), false).is_empty());
    }

    #[test]
    fn bytes_of_any_kind_are_answered_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let project = Project::from_files([("workflow.yaml", bytes.clone())]);
        let report = workflow::parse(&project).unwrap_err();
        prop_assert!(!report.render("workflow.yaml", &bytes, true).is_empty());
    }

    #[test]
    fn a_mutilated_workflow_is_answered_with_places_inside_the_file(file in workflow_file(), cut in any::<prop::sample::Index>(), junk in "[\\[\\]{}:,\"'\n \t*&!|>-]{0,3}") {
        let mut yaml = parsed(&text(&file)).to_yaml();
        let at = yaml.floor_char_boundary(cut.index(yaml.len()));
        yaml.insert_str(at, &junk);
        if let Err(report) = workflow::parse(&project(&yaml)) {
            for diagnostic in report.iter() {
                prop_assert!((1..=yaml.lines().count() + 1).contains(&diagnostic.line));
                prop_assert!(diagnostic.span.start <= yaml.len());
            }
            prop_assert!(!report.render("workflow.yaml", yaml.as_bytes(), false).is_empty());
        }
    }

    #[test]
    fn the_order_of_dependencies_does_not_change_what_is_derived(file in workflow_file()) {
        let workflow = parsed(&text(&file));
        let mut turned = workflow.clone();
        if let Some(contract) = &mut turned.contract {
            contract.dependencies.reverse();
            contract.network_policy.additional_egress.reverse();
        }
        let services = Services::default();
        let surroundings = Surroundings { services: &services, metrics_namespace: None, endpoints: &[] };
        prop_assert_eq!(policy(&workflow, &surroundings), policy(&turned, &surroundings));
        prop_assert_eq!(permissions::deno_flags(&workflow, &[], None), permissions::deno_flags(&turned, &[], None));
        prop_assert_eq!(secrets::inventory(&workflow), secrets::inventory(&turned));
    }

    #[test]
    fn the_grace_period_covers_every_single_node(file in workflow_file()) {
        let workflow = parsed(&text(&file));
        let grace = workflow::graph::grace_period(&workflow);
        for node in &workflow.nodes {
            let attempts = workflow.timeout_of(node) * (u32::from(workflow.retries_of(node)) + 1);
            prop_assert!(grace >= attempts.max(Duration::from_secs(30)));
        }
    }
}
