//! `tntc`: validate, build, deploy, run and remove sealed workflows on Kubernetes.

mod cli;
mod cluster;
mod commands;
mod container;
mod context;
mod deno;
mod error;
mod interrupt;
mod local;
mod output;
mod port;
mod progress;
mod project;
mod remembered;
mod table;
mod testing;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // Fails only when a provider is there already, and then it is this one.
    drop(rustls::crypto::ring::default_provider().install_default());
    let status = match commands::parse(std::env::args_os()) {
        Ok(cli) => commands::dispatch(cli).await,
        Err(status) => status,
    };
    ExitCode::from(status)
}
