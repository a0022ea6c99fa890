//! Workflow files, and what the parser, the published schema and the engine's reader say about each.
//!
//! `tests/conformance/verdicts.json` has the verdicts, and `reads.json` what both readers understand;
//! `engine/tests/conformance_test.ts` holds the engine against the same two files. After a new case, run this with
//! `UPDATE_READS=1` and look at what changed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the cases are files, as people have them"
)]

mod reads;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use tntc_core::diagnostic::{Diagnostic, Report, Severity};
use tntc_core::project::Project;
use tntc_core::workflow::{Checked, parse};

use self::reads::as_the_engine_has_it;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdict {
    /// What `tntc validate` says.
    valid: bool,
    /// All that it finds: severity, code and JSON pointer, in the order of the file.
    #[serde(default)]
    finds: Vec<String>,
    /// Why the schema says the opposite, when it does.
    schema: Option<String>,
    /// Why the engine says the opposite, when it does.
    #[allow(dead_code, reason = "read by the engine's test")]
    engine: Option<String>,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance")
}

fn verdicts() -> BTreeMap<String, Verdict> {
    let text = std::fs::read(directory().join("verdicts.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn case(name: &str) -> Vec<u8> {
    std::fs::read(directory().join(format!("{name}.yaml"))).unwrap()
}

fn checked(name: &str) -> Result<Checked, Report> {
    let nodes = [
        "a.ts",
        "b.ts",
        "nodes/a.ts",
        "nodes/b.ts",
        "nodes/c.ts",
        "nodes/b.mjs",
    ];
    let nodes = nodes.map(|path| (path, Vec::new()));
    let files = nodes.into_iter().chain([("workflow.yaml", case(name))]);
    parse(&Project::from_files(files))
}

fn found(it: &Diagnostic) -> String {
    let severity = match it.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Hint => "hint",
    };
    format!("{severity} {} {}", it.code, it.path)
}

#[test]
fn every_case_has_a_verdict_and_every_verdict_a_case() {
    let mut cases = Vec::new();
    for theme in std::fs::read_dir(directory()).unwrap().map(Result::unwrap) {
        let Ok(files) = std::fs::read_dir(theme.path()) else {
            continue;
        };
        let theme = theme.file_name().into_string().unwrap();
        cases.extend(files.map(|file| {
            let name = file.unwrap().file_name().into_string().unwrap();
            format!("{theme}/{}", name.strip_suffix(".yaml").unwrap())
        }));
    }
    cases.sort();
    assert_eq!(cases, verdicts().into_keys().collect::<Vec<_>>());
    assert!(cases.len() >= 60);
}

#[test]
fn the_parser_gives_each_verdict_for_the_reasons_that_it_names() {
    let wrong = verdicts().into_iter().filter_map(|(name, verdict)| {
        let answer = checked(&name);
        let valid = answer.is_ok();
        let report = answer.map_or_else(|report| report, |checked| checked.warnings);
        let finds: Vec<_> = report.iter().map(found).collect();
        let is_right = (valid, &finds) == (verdict.valid, &verdict.finds);
        (!is_right).then(|| format!("{name}: valid {valid}, finds {finds:?}"))
    });
    assert_eq!(wrong.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn the_schema_gives_each_verdict_or_the_case_says_why_it_cannot() {
    let schema = jsonschema::validator_for(&tntc_core::schema::workflow()).unwrap();
    let wrong = verdicts().into_iter().filter_map(|(name, verdict)| {
        let file = serde_saphyr::from_slice::<Value>(&case(&name));
        let valid = file.is_ok_and(|file| schema.is_valid(&file));
        let expected = verdict.valid == verdict.schema.is_none();
        (valid != expected).then(|| format!("{name}: valid {valid}, {:?}", verdict.schema))
    });
    assert_eq!(wrong.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn what_is_read_is_what_the_engine_reads() {
    let valid = verdicts().into_iter().filter(|(_, verdict)| verdict.valid);
    let reads = valid.map(|(name, _)| {
        let workflow = checked(&name).unwrap().workflow;
        (name, as_the_engine_has_it(&workflow))
    });
    let reads = Value::Object(reads.collect());
    let file = directory().join("reads.json");
    if std::env::var_os("UPDATE_READS").is_some() {
        std::fs::write(&file, format!("{reads:#}\n")).unwrap();
    }
    let expected: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    for (name, read) in reads.as_object().unwrap() {
        assert_eq!(*read, expected[name], "{name}");
    }
}

#[test]
fn a_valid_case_written_again_reads_the_same() {
    for (name, verdict) in verdicts() {
        if !verdict.valid {
            continue;
        }
        let workflow = checked(&name).unwrap().workflow;
        let nodes = workflow
            .nodes
            .iter()
            .map(|node| (node.path.clone(), Vec::new()));
        let files = nodes.chain([("workflow.yaml".to_owned(), workflow.to_yaml().into_bytes())]);
        let again =
            parse(&Project::from_files(files)).unwrap_or_else(|report| panic!("{name}: {report}"));
        assert_eq!(again.workflow, workflow, "{name}");
    }
}
