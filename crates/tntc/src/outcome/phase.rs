//! The steps of a command.

use schemars::JsonSchema;
use serde::Serialize;

use super::Status;

/// One finished step.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    pub name: &'static str,
    pub status: Status,
    pub duration_ms: u64,
    /// The steps that this one took itself, when one of them failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phases: Option<Vec<Phase>>,
}
