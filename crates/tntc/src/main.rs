//! `tntc`: validate, build, deploy, run and remove sealed workflows on Kubernetes.

mod bundle;
mod cli;
mod cluster;
mod commands;
mod container;
mod context;
mod contract;
mod crash;
mod deno;
mod files;
mod followup;
mod format;
mod interrupt;
mod lifetime;
mod live;
mod local;
mod outcome;
mod output;
mod phases;
mod port;
mod prepare;
mod progress;
mod project;
mod proxies;
mod remembered;
mod scratch;
mod screen;
mod secrets;
mod table;
mod testing;
mod trust;
mod unique;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(status) = lifetime::become_other(std::env::args_os()) {
        return ExitCode::from(status);
    }
    crash::report_as("tntc", output::Format::Text, output::Color::Never);
    let status = match commands::parse(std::env::args_os()) {
        Ok(cli) => commands::dispatch(cli),
        Err(status) => status,
    };
    ExitCode::from(status)
}
