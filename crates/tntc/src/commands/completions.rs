//! `tntc completions`.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::outcome::Outcome;

/// Print a completion script
#[derive(Debug, Args)]
pub struct Completions {
    /// Shell to complete in
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// To be sourced by the shell.
    script: String,
}

/// The completion script of a shell.
pub fn run(arguments: &Completions, mut command: clap::Command) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "tntc", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let summary = format!("completions for {}", arguments.shell);
    Outcome::new(summary)
        .text(script.as_str())
        .own(Answer { script })
}
