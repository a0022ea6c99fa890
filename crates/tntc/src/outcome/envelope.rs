//! What `-o json` answers: an envelope that every command shares, with the command's own fields beside it.
//!
//! The schemas of `tntc schema` are generated from the types that are written, so the two cannot come apart.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Value, json};
use tntc_core::diagnostic::Diagnostic;
use tntc_core::drift::Drift;

use super::{Check, Event, Execution, LogLine, Phase, Status};

/// What a command answers with `-o json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Envelope<'a, Own> {
    /// Version of this envelope.
    #[schemars(extend("const" = "1"))]
    pub version: &'static str,
    /// The command that answers.
    pub command: &'a str,
    /// Whether the exit status is zero.
    pub status: Status,
    /// One line for a person or an agent.
    pub summary: &'a str,
    /// What to do next.
    pub hints: &'a [String],
    /// When it ran.
    pub timing: Timing,
    /// What was found on the way.
    #[serde(flatten)]
    pub evidence: &'a Evidence,
    /// The fields of the command; a failure may lack them.
    #[serde(flatten)]
    pub own: Own,
}

/// When a command ran.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Timing {
    /// RFC 3339, in UTC.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"))]
    pub started_at: String,
    /// Until the answer, in milliseconds.
    pub duration_ms: u64,
}

/// What any command may find on the way, and tells also when it fails.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Evidence {
    /// Why it failed, in the last lines of the program, or the words of the library, that did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Vec<String>>,
    /// What is wrong with workflow.yaml.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<Diagnostic>>,
    /// What is questionable about workflow.yaml.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<Diagnostic>>,
    /// Preflight, when it stopped the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checks: Option<Vec<Check>>,
    /// The steps that were taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phases: Option<Vec<Phase>>,
    /// A run of the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution: Option<Execution>,
    /// The last lines of the engine that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Vec<String>>,
    /// The newest events about that engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<Event>>,
    /// How code and contract have come apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// The last lines of pods that crashed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<LogLine>>,
}

/// Fields of a command that has none of its own, or of a failure before its command was known.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Nothing {}

/// The schema of a command's answer (JSON Schema 2020-12); objects have no other properties than those named.
pub fn schema<Own: JsonSchema>(command: &str) -> Value {
    let mut schema = generated::<Envelope<Option<Own>>>();
    RecursiveTransform(close).transform(&mut schema);
    schema.insert(
        "title".to_owned(),
        json!(format!("The answer of tntc {command}")),
    );
    if let Some(required) = generated::<Own>().get("required") {
        let passed = json!({"properties": {"status": {"const": "pass"}}});
        schema.insert("if".to_owned(), passed);
        schema.insert("then".to_owned(), json!({"required": required}));
    }
    schema.to_value()
}

fn generated<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>()
}

fn close(schema: &mut Schema) {
    let open = schema.get("properties").is_some() && schema.get("additionalProperties").is_none();
    if open {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
}
