//! What Kubernetes reports of objects.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// One event, as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Line")]
pub struct Event {
    /// When it was last seen, RFC 3339.
    pub at: Option<String>,
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub reason: Option<String>,
    /// `Kind/name` of what it is about.
    pub object: String,
    pub message: Option<String>,
    /// How often it was seen.
    pub count: i32,
    /// The same as `at`, for tables.
    #[serde(skip)]
    pub last: Option<Timestamp>,
}

impl Event {
    /// Whether it tells of something that went wrong.
    pub fn is_warning(&self) -> bool {
        self.kind.as_deref() == Some("Warning")
    }
}
