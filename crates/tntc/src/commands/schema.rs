//! `tntc schema`: JSON Schemas of the files that people write and of the answers that programs read.

use serde_json::{Value, json};
use tntc_core::schema;

use crate::cli::Schema;
use crate::error::{Error, Result};
use crate::output::Outcome;

/// Prints one schema, or the names of all.
pub fn run(arguments: &Schema) -> Result<Outcome> {
    let Some(name) = &arguments.name else {
        return Ok(all());
    };
    let found = find(name).ok_or_else(|| unknown(name))?;
    Ok(Outcome::new(format!("the schema of {name}"))
        .text(format!("{found:#}"))
        .field("schema", found))
}

fn find(name: &str) -> Option<Value> {
    match name {
        "workflow" => Some(schema::workflow()),
        "config" => Some(schema::config()),
        _ => schema::COMMANDS
            .into_iter()
            .find(|command| typed(command) == name)
            .map(schema::answer),
    }
}

/// A command's name as one word of a command line.
fn typed(command: &str) -> String {
    command.replace(' ', "-")
}

fn names() -> Vec<String> {
    let files = ["workflow", "config"].map(str::to_owned);
    files
        .into_iter()
        .chain(schema::COMMANDS.map(typed))
        .collect()
}

fn all() -> Outcome {
    let names = names();
    Outcome::new(format!("{} schemas", names.len()))
        .text(names.join("\n"))
        .field("schemas", json!(names))
}

fn unknown(name: &str) -> Error {
    Error::usage(format!("there is no schema of `{name}`"))
        .hint(format!("there are: {}", names().join(", ")))
}
