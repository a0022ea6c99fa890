//! The fixtures of a workflow directory: which node each belongs to, and what is wrong with its file.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::project::{Project, without_bom};
use crate::suggest::Suggester;
use crate::workflow::Workflow;

/// Where fixtures of nodes are, relative to the workflow directory.
pub const FIXTURES: &str = "tests/fixtures/";

/// Mocks for the whole graph, relative to the workflow directory.
pub const PIPELINE: &str = "tests/pipeline.json";

/// Every key that a fixture can have.
pub const KEYS: [&str; 8] = [
    "input",
    "config",
    "secrets",
    "contract",
    "mocks",
    "now",
    "expected",
    "expectCalls",
];

/// The keys of a file, or what is wrong with it.
pub type Content = Result<Map<String, Value>, String>;

/// One file with what a node is tested with.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixture {
    /// The node that it tests.
    pub node: String,
    /// The file, relative to the workflow directory.
    pub path: String,
    /// Its content, or why it has none.
    pub content: Content,
}

/// What a workflow directory has in fixtures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fixtures {
    /// In the order of the workflow's nodes, then by path.
    pub found: Vec<Fixture>,
    /// Nodes without any fixture, in the order of the workflow.
    pub untested: Vec<String>,
    /// What is questionable: files that belong to no node, unknown keys.
    pub warnings: Vec<String>,
}

impl Fixtures {
    /// Finds the fixtures of all nodes.
    #[must_use]
    pub fn of(workflow: &Workflow, project: &Project) -> Self {
        let nodes: Vec<&str> = workflow
            .nodes
            .iter()
            .map(|node| node.name.as_str())
            .collect();
        let mut fixtures = Self::default();
        for (path, bytes) in &project.files {
            let Some(stem) = stem(path) else { continue };
            match owner(stem, &nodes) {
                Some(node) => fixtures.add(node, path, bytes),
                None => fixtures
                    .warnings
                    .push(format!("{path} belongs to no node of the workflow")),
            }
        }
        let place = |name: &str| nodes.iter().position(|node| *node == name);
        fixtures.found.sort_by_key(|fixture| place(&fixture.node));
        fixtures.untested = fixtures.missing(&nodes);
        fixtures
    }

    /// Leaves only what is about the nodes that `keep` accepts.
    pub fn keep_only(&mut self, keep: impl Fn(&str) -> bool) {
        self.found.retain(|fixture| keep(&fixture.node));
        self.untested.retain(|name| keep(name));
    }

    fn add(&mut self, node: &str, path: &str, bytes: &[u8]) {
        let content = parse(bytes);
        if let Ok(keys) = &content {
            self.warnings.extend(unknown_keys(path, keys));
        }
        self.found.push(Fixture {
            node: node.to_owned(),
            path: path.to_owned(),
            content,
        });
    }

    fn missing(&self, nodes: &[&str]) -> Vec<String> {
        let tested: BTreeSet<_> = self.found.iter().map(|it| it.node.as_str()).collect();
        nodes
            .iter()
            .filter(|node| !tested.contains(*node))
            .map(|node| (*node).to_owned())
            .collect()
    }
}

/// Reads `tests/pipeline.json`, when there is one, with a warning for each unknown key.
#[must_use]
pub fn pipeline(project: &Project) -> Option<(Content, Vec<String>)> {
    let content = parse(project.files.get(PIPELINE)?);
    let warnings = content
        .as_ref()
        .map(|keys| unknown_keys(PIPELINE, keys))
        .unwrap_or_default();
    Some((content, warnings))
}

fn stem(path: &str) -> Option<&str> {
    path.strip_prefix(FIXTURES)?
        .strip_suffix(".json")
        .filter(|stem| !stem.contains('/'))
}

/// The longest node name that the file's name begins with, whole or followed by a hyphen.
fn owner<'n>(stem: &str, nodes: &[&'n str]) -> Option<&'n str> {
    let fits = |node: &&&str| {
        stem.strip_prefix(**node)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    nodes
        .iter()
        .filter(fits)
        .max_by_key(|node| node.len())
        .copied()
}

fn parse(bytes: &[u8]) -> Content {
    match serde_json::from_slice(without_bom(bytes)) {
        Ok(Value::Object(keys)) => Ok(keys),
        Ok(_) => Err("is not a JSON object".to_owned()),
        Err(cause) => Err(format!("is not JSON: {cause}")),
    }
}

fn unknown_keys(path: &str, keys: &Map<String, Value>) -> Vec<String> {
    let mut suggester = Suggester::new();
    keys.keys()
        .filter(|key| !KEYS.contains(&key.as_str()) && !key.starts_with("x-"))
        .map(|key| match suggester.nearest(key, KEYS) {
            Some(near) => format!("{path}: unknown key `{key}`; did you mean `{near}`?"),
            None => format!("{path}: unknown key `{key}`"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow;

    const WORKFLOW: &str = "name: w\nversion: '1.0'\ntriggers: [{type: manual}]\nnodes:\n  \
        fetch: {path: a.ts}\n  fetch-all: {path: a.ts}\n  store: {path: a.ts}\n\
        contract: {version: '1', dependencies: {}}\n";

    fn fixtures(files: &[(&str, &str)]) -> Fixtures {
        let own = [("workflow.yaml", WORKFLOW), ("a.ts", "")];
        let project = Project::from_files(own.iter().chain(files).copied());
        let checked = workflow::parse(&project).expect("a workflow");
        Fixtures::of(&checked.workflow, &project)
    }

    #[test]
    fn the_longest_node_name_owns_a_file() {
        let found = fixtures(&[
            ("tests/fixtures/fetch-all-empty.json", "{}"),
            ("tests/fixtures/fetch-all.json", "{}"),
            ("tests/fixtures/fetch-allowed.json", "{}"),
            ("tests/fixtures/fetch.json", "{}"),
        ]);
        let owners: Vec<_> = found
            .found
            .iter()
            .map(|it| (it.node.as_str(), it.path.as_str()))
            .collect();
        assert_eq!(
            owners,
            [
                ("fetch", "tests/fixtures/fetch-allowed.json"),
                ("fetch", "tests/fixtures/fetch.json"),
                ("fetch-all", "tests/fixtures/fetch-all-empty.json"),
                ("fetch-all", "tests/fixtures/fetch-all.json"),
            ]
        );
        assert_eq!(found.untested, ["store"]);
    }

    #[test]
    fn a_file_of_no_node_and_an_unknown_key_are_warnings() {
        let found = fixtures(&[
            ("tests/fixtures/fetched.json", "{}"),
            ("tests/fixtures/store.json", r#"{"expcted": 1, "x-why": 2}"#),
            ("tests/fixtures/deep/store.json", "{}"),
        ]);
        assert_eq!(
            found.warnings,
            [
                "tests/fixtures/fetched.json belongs to no node of the workflow",
                "tests/fixtures/store.json: unknown key `expcted`; did you mean `expected`?",
            ]
        );
    }

    #[test]
    fn a_file_may_begin_with_a_byte_order_mark() {
        let found = fixtures(&[("tests/fixtures/fetch.json", "\u{feff}{\"input\": 1}")]);
        let content = found.found[0].content.as_ref().expect("an object");
        assert_eq!(content["input"], 1);
        let project = Project::from_files([(PIPELINE, "\u{feff}{\"mocks\": {}}")]);
        let (content, warnings) = pipeline(&project).expect("a file");
        assert_eq!((content.expect("an object").len(), warnings.len()), (1, 0));
    }

    #[test]
    fn a_broken_file_keeps_its_place_with_the_reason() {
        let found = fixtures(&[
            ("tests/fixtures/fetch.json", "{\"input\": }"),
            ("tests/fixtures/store.json", "[]"),
        ]);
        let reasons: Vec<_> = found
            .found
            .into_iter()
            .map(|it| it.content.expect_err("broken"))
            .collect();
        assert_eq!(
            reasons,
            [
                "is not JSON: expected value at line 1 column 11",
                "is not a JSON object"
            ]
        );
    }
}
