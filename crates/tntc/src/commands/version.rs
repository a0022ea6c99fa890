//! `tntc version`.

use serde_json::json;

use crate::output::Outcome;

/// This program's version.
pub fn run() -> Outcome {
    let version = env!("CARGO_PKG_VERSION");
    let line = format!("tntc {version}");
    Outcome::new(&line)
        .text(&line)
        .field("tntc", json!(version))
}
