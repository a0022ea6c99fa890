//! `tntc schema`: JSON Schemas of the files that people write and of the answers that programs read.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tntc_core::schema;

use super::{
    audit, build, cluster, completions, configure, deploy, init, list, logs, run, secrets, status,
    test, undeploy, validate, version, visualize,
};
use crate::cli::Schema;
use crate::outcome::envelope::{Nothing, schema as of};
use crate::outcome::{Error, Outcome, Result};

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
type MakeSchema = fn(&str) -> Value;

/// Each command as its answer's envelope names it, with the schema of that answer.
const ANSWERS: [(&str, MakeSchema); 21] = [
    ("audit", of::<audit::Answer>),
    ("build", of::<build::Answer>),
    ("cluster check", of::<cluster::Answer>),
    ("completions", of::<completions::Answer>),
    ("configure", of::<configure::Answer>),
    ("deploy", of::<deploy::Answer>),
    ("dev", of::<Nothing>),
    ("init", of::<init::Answer>),
    ("list", of::<list::Answer>),
    ("logs", of::<logs::Answer>),
    ("run", of::<run::Answer>),
    ("schema", of::<Answer>),
    ("secrets check", of::<secrets::Checked>),
    ("secrets init", of::<secrets::Written>),
    ("status", of::<status::Answer>),
    ("test", of::<test::Answer>),
    ("undeploy", of::<undeploy::Answer>),
    ("validate", of::<validate::Answer>),
    ("version", of::<version::Answer>),
    ("visualize", of::<visualize::Answer>),
    // A command line that no command could be read from.
    ("failure", of::<Nothing>),
];

/// Prints one schema, or the names of all.
pub fn run(arguments: &Schema) -> Result<Outcome> {
    let Some(name) = &arguments.name else {
        return Ok(all());
    };
    let found = find(name).ok_or_else(|| unknown(name))?;
    Ok(Outcome::new(format!("the schema of {name}"))
        .text(format!("{found:#}"))
        .own(Answer {
            schema: Some(found),
            ..Answer::default()
        }))
}

fn find(name: &str) -> Option<Value> {
    match name {
        "workflow" => Some(schema::workflow()),
        "config" => Some(schema::config()),
        _ => ANSWERS
            .iter()
            .find(|(command, _)| typed(command) == name)
            .map(|(command, schema)| schema(command)),
    }
}

/// A command's name as one word of a command line.
fn typed(command: &str) -> String {
    command.replace(' ', "-")
}

fn names() -> Vec<String> {
    let files = ["workflow", "config"].map(str::to_owned);
    let answers = ANSWERS.iter().map(|(command, _)| typed(command));
    files.into_iter().chain(answers).collect()
}

fn all() -> Outcome {
    let names = names();
    Outcome::new(format!("{} schemas", names.len()))
        .text(names.join("\n"))
        .own(Answer {
            schemas: Some(names),
            ..Answer::default()
        })
}

fn unknown(name: &str) -> Error {
    Error::usage(format!("there is no schema of `{name}`"))
        .hint(format!("there are: {}", names().join(", ")))
}
