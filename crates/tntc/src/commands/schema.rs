//! `tntc schema`: JSON Schemas of the files that people write and of the answers that programs read.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tntc_core::schema;

use crate::outcome::{Error, Outcome, Result};

/// Print the JSON Schema of workflow.yaml, of config.yaml, or of a command's answer with -o json
#[derive(Debug, Args)]
pub struct Schema {
    /// `workflow`, `config`, or a command such as `deploy` or `cluster-check`; without it, the names there are
    pub name: Option<String>,
}

/// The fields of the answer.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Answer {
    /// Without a name: every name there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    schemas: Option<Vec<String>>,
    /// With a name: its schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    schema: Option<Value>,
}

/// Makes the schema of the answer of the command of that name.
pub type MakeSchema = fn(&str) -> Value;

/// Commands, as the envelopes of their answers name them, with the schemas of those.
type Answers<'a> = &'a [(&'a str, MakeSchema)];

/// Prints one schema, or the names of all.
pub fn run(arguments: &Schema, answers: Answers<'_>) -> Result<Outcome> {
    let Some(name) = &arguments.name else {
        return Ok(all(answers));
    };
    let found = find(name, answers).ok_or_else(|| unknown(name, answers))?;
    Ok(Outcome::new(format!("the schema of {name}"))
        .text(format!("{found:#}"))
        .own(Answer {
            schema: Some(found),
            ..Answer::default()
        }))
}

fn find(name: &str, answers: Answers<'_>) -> Option<Value> {
    match name {
        "workflow" => Some(schema::workflow()),
        "config" => Some(schema::config()),
        _ => answers
            .iter()
            .find(|(command, _)| typed(command) == name)
            .map(|(command, schema)| schema(command)),
    }
}

/// A command's name as one word of a command line.
fn typed(command: &str) -> String {
    command.replace(' ', "-")
}

fn names(answers: Answers<'_>) -> Vec<String> {
    let files = ["workflow", "config"].map(str::to_owned);
    let answers = answers.iter().map(|(command, _)| typed(command));
    files.into_iter().chain(answers).collect()
}

fn all(answers: Answers<'_>) -> Outcome {
    let names = names(answers);
    Outcome::new(format!("{} schemas", names.len()))
        .text(names.join("\n"))
        .own(Answer {
            schemas: Some(names),
            ..Answer::default()
        })
}

fn unknown(name: &str, answers: Answers<'_>) -> Error {
    Error::usage(format!("there is no schema of `{name}`"))
        .hint(format!("there are: {}", names(answers).join(", ")))
}
