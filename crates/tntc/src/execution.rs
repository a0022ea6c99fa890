//! The engine's answer to one run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// What the engine answers to `POST /run`; what an older engine does not say is absent.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    /// Whether no node failed.
    pub success: bool,
    /// What each node returned, by name.
    #[serde(default)]
    pub outputs: Map<String, Value>,
    /// Why nodes failed, one line each.
    #[serde(default)]
    pub errors: Vec<String>,
    /// When it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timing: Option<RunTiming>,
    /// Names this run in logs and traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run_id: Option<String>,
    /// Hash of the code that ran; null outside a cluster.
    pub revision: Option<String>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RunTiming {
    /// RFC 3339, in UTC.
    started_at: String,
    /// In whole milliseconds.
    duration_ms: u64,
    /// Of each node that started, by name.
    nodes: BTreeMap<String, NodeTiming>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NodeTiming {
    /// RFC 3339, in UTC.
    started_at: String,
    /// In whole milliseconds, with all attempts.
    duration_ms: u64,
    /// How often the node was tried.
    attempts: u32,
}

impl Execution {
    /// Parses an answer.
    ///
    /// # Errors
    /// It is not what an engine answers.
    pub fn parse(name: &str, body: &str) -> Result<Self> {
        serde_json::from_str(body).map_err(|_| not_an_engine(name, body))
    }

    /// The first of its errors.
    pub fn first_error(&self) -> &str {
        self.errors
            .first()
            .map_or("no error was given", String::as_str)
    }
}

fn not_an_engine(name: &str, body: &str) -> Error {
    let start: String = body.chars().take(200).collect();
    Error::failed(format!(
        "{name} gave an answer that is no run result: {start}"
    ))
}
