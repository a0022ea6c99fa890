//! `tntc version`.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::outcome::Outcome;

/// Print the version
#[derive(Debug, Args)]
pub struct Version {}

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// This program's version.
    tntc: &'static str,
}

/// This program's version.
pub fn run() -> Outcome {
    let version = env!("CARGO_PKG_VERSION");
    let line = format!("tntc {version}");
    Outcome::new(&line)
        .text(&line)
        .own(Answer { tntc: version })
}
