//! The engine's answer to one run.

use serde_json::Value;

use crate::error::{Error, Result};

/// Parses an answer.
///
/// # Errors
/// It is not what an engine answers.
pub fn parse(name: &str, body: &str) -> Result<Value> {
    let execution: Value = serde_json::from_str(body).map_err(|_| not_an_engine(name, body))?;
    match execution.get("success") {
        Some(Value::Bool(_)) => Ok(execution),
        _ => Err(not_an_engine(name, body)),
    }
}

/// Whether the workflow succeeded.
pub fn succeeded(execution: &Value) -> bool {
    execution.get("success") == Some(&Value::Bool(true))
}

/// The first of its errors.
pub fn first_error(execution: &Value) -> &str {
    execution
        .pointer("/errors/0")
        .and_then(Value::as_str)
        .unwrap_or("no error was given")
}

fn not_an_engine(name: &str, body: &str) -> Error {
    let start: String = body.chars().take(200).collect();
    Error::failed(format!(
        "{name} gave an answer that is no run result: {start}"
    ))
}
