//! JSON Schemas for editors and other tools.
//!
//! The structs of `file` mirror what the parser reads; tests hold the two against each other. A schema cannot say
//! everything (that edges lead to nodes, that the graph has no cycle), so a file that it accepts may still be refused.

mod file;

use serde_json::Value;

use crate::settings::Config;

/// The schema of `workflow.yaml` (JSON Schema 2020-12).
#[must_use]
pub fn workflow() -> Value {
    schemars::schema_for!(file::Workflow).to_value()
}

/// The schema of `config.yaml`.
#[must_use]
pub fn config() -> Value {
    schemars::schema_for!(Config).to_value()
}
