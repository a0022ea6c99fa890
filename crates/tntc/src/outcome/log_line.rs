//! Logs of pods, line by line.

use schemars::JsonSchema;
use serde::Serialize;

/// A line and the pod that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Line")]
pub struct LogLine {
    /// Name of the pod.
    pub pod: String,
    /// The line, without its newline.
    pub line: String,
}
