//! `tntc`: validate, build, deploy, run and remove sealed workflows on Kubernetes.

mod cli;
mod cluster;
mod commands;
mod context;
mod deno;
mod deploy;
mod image;
mod outcome;
mod process;
mod terminal;
mod workspace;

use std::process::ExitCode;

use process::lifetime;
use terminal::crash;

/// What `tntc` does with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(status) = lifetime::become_other(std::env::args_os()) {
        return ExitCode::from(status);
    }
    crash::report_as("tntc", terminal::Format::Text, terminal::Color::Never);
    let status = match commands::parse(std::env::args_os()) {
        Ok(cli) => commands::dispatch(cli),
        Err(status) => status,
    };
    ExitCode::from(status)
}
