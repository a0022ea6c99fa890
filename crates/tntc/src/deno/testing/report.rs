//! What `tntc test` says about each fixture.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::process::{Answer, Difference};

/// Differences of one fixture that are shown; JSON has them all.
const SHOWN: usize = 20;
/// Characters of one value that are shown.
const WIDTH: usize = 120;

/// How a fixture did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The node did what the fixture expects.
    Pass,
    /// It did something else, or nothing could be said.
    Fail,
    /// The node has no fixture.
    Untested,
}

/// What came of one fixture, or of a node without one.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeResult {
    /// The node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Its fixture, relative to the workflow directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixture: Option<String>,
    /// How it did.
    pub status: Status,
    /// Of the node alone, in milliseconds.
    pub duration_ms: f64,
    /// What the fixture expects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Value>,
    /// What the node returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<Value>,
    /// Where the two differ, and where the calls differ from `expectCalls` (paths that begin with `calls`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// Why there is no output to compare.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What the node logged and printed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

impl NodeResult {
    /// The result of a fixture that ran.
    pub fn of(node: Option<&str>, fixture: &str, expected: Option<Value>, answer: Answer) -> Self {
        let error = answer.error.map(|thrown| {
            let mut lines = vec![thrown.message];
            lines.extend(thrown.frames.iter().map(|frame| format!("  {frame}")));
            lines.join("\n")
        });
        let mut differences = answer.differences;
        differences.extend(answer.call_differences);
        let passed = error.is_none() && differences.is_empty();
        Self {
            node: node.map(str::to_owned),
            fixture: Some(fixture.to_owned()),
            status: if passed { Status::Pass } else { Status::Fail },
            duration_ms: (answer.duration_ms * 1000.0).round() / 1000.0,
            expected,
            actual: answer.output,
            differences,
            error,
            log: answer.log,
        }
    }

    /// A node that no fixture speaks about.
    pub fn untested(node: &str) -> Self {
        Self {
            node: Some(node.to_owned()),
            fixture: None,
            status: Status::Untested,
            duration_ms: 0.0,
            expected: None,
            actual: None,
            differences: Vec::new(),
            error: None,
            log: Vec::new(),
        }
    }

    fn name(&self) -> &str {
        let file = self
            .fixture
            .as_deref()
            .and_then(|path| path.rsplit('/').next());
        file.map(|file| file.trim_end_matches(".json"))
            .or(self.node.as_deref())
            .unwrap_or_default()
    }
}

/// One line for each result, and below each failure why; `log` also shows what passing nodes printed.
pub fn text(results: &[NodeResult], log: bool) -> String {
    let width = results
        .iter()
        .map(|it| it.name().chars().count())
        .max()
        .unwrap_or(0);
    results
        .iter()
        .map(|it| entry(it, width, log))
        .collect::<Vec<_>>()
        .join("\n")
}

fn entry(result: &NodeResult, width: usize, log: bool) -> String {
    let name = result.name();
    let (mark, note) = match result.status {
        Status::Pass => ("ok  ", duration(result.duration_ms)),
        Status::Fail => ("FAIL", duration(result.duration_ms)),
        Status::Untested => ("-   ", "untested: no fixture".to_owned()),
    };
    let mut lines = vec![format!("{mark}  {name:width$}  {note}")];
    if let Some(error) = &result.error {
        lines.extend(error.lines().map(|line| format!("      {line}")));
    }
    lines.extend(result.differences.iter().take(SHOWN).map(difference));
    if let Some(more) = result
        .differences
        .len()
        .checked_sub(SHOWN)
        .filter(|more| *more > 0)
    {
        lines.push(format!("      and {more} more"));
    }
    if log || result.status == Status::Fail {
        lines.extend(result.log.iter().map(|line| format!("      | {line}")));
    }
    lines.join("\n")
}

fn difference(difference: &Difference) -> String {
    let Difference {
        path,
        expected,
        actual,
    } = difference;
    let path = if path.is_empty() { "output" } else { path };
    match (expected, actual) {
        (Some(expected), Some(actual)) => {
            format!(
                "      {path}\n        expected  {}\n        actual    {}",
                shown(expected),
                shown(actual)
            )
        }
        (Some(expected), None) => format!("      {path}\n        missing   {}", shown(expected)),
        (None, Some(actual)) => format!("      {path}\n        unexpected  {}", shown(actual)),
        (None, None) => format!("      {path}"),
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

fn duration(milliseconds: f64) -> String {
    if milliseconds < 10.0 {
        format!("{milliseconds:.1} ms")
    } else {
        format!("{milliseconds:.0} ms")
    }
}
