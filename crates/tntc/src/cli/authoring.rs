//! Arguments of the commands that work on a workflow directory.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tntc_core::values::ImageReference;

use super::options::{duration, image};
use crate::image::platform::Platform;

/// Write a new workflow directory
#[derive(Debug, Args)]
pub struct Init {
    /// Name of the workflow, and of the directory to create
    pub name: String,
    /// What to begin with: basic, http-check, api-to-database, report, queue-consumer, webhook or llm-summary
    #[arg(
        long,
        default_value = "basic",
        value_name = "TEMPLATE",
        hide_default_value = true
    )]
    pub template: String,
}

/// Check workflow.yaml and its contract, and print what is derived from them
#[derive(Debug, Args)]
pub struct Validate {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
}

/// Draw the workflow as a Mermaid diagram
#[derive(Debug, Args)]
pub struct Visualize {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Add dependencies with the nodes that use them, secrets and network rules
    #[arg(long)]
    pub rich: bool,
    /// Write workflow-diagram.md and contract-summary.md into the workflow directory
    #[arg(long)]
    pub write: bool,
    /// Fail when these files are missing or stale
    #[arg(long, conflicts_with = "write")]
    pub check: bool,
}

/// Test nodes by their fixtures, without any network, and the code against the contract
#[derive(Debug, Args)]
pub struct Test {
    /// Workflow directory, or one of its nodes as in DIR/NODE
    #[arg(default_value = ".", value_name = "[DIR][/NODE]")]
    pub target: PathBuf,
    /// Run the whole graph once, with the mocks of tests/pipeline.json
    #[arg(long)]
    pub pipeline: bool,
    /// Downgrade contract drift to warnings
    #[arg(long)]
    pub warn: bool,
    /// Run again what a saved change concerns, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Deploy to an environment under another name, run once, and clean up
    #[arg(long, conflicts_with = "pipeline")]
    pub live: bool,
    /// Leave the live test's objects in place
    #[arg(long, requires = "live")]
    pub keep: bool,
    /// Wait until the live test's pods are gone, too
    #[arg(long, requires = "live", conflicts_with = "keep")]
    pub wait: bool,
    /// Maximum time of the live test, such as 90s or 2m
    #[arg(long, requires = "live", value_name = "DURATION", default_value = "120s", value_parser = duration)]
    pub timeout: std::time::Duration,
}

/// Serve a workflow on this machine, taking over changes as they are saved
#[derive(Debug, Args)]
pub struct Dev {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Port of the loopback address to listen on
    #[arg(short, long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Receive the messages of queue triggers, too, from now on and beside everybody else who does
    #[arg(long)]
    pub queues: bool,
}

/// Build the engine image, with Docker or without
#[derive(Debug, Args)]
pub struct Build {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Image tag [default: tentacular-engine:latest]
    #[arg(short, long, value_parser = image)]
    pub tag: Option<ImageReference>,
    /// Push the image after building it
    #[arg(long)]
    pub push: bool,
    /// Write the image to an archive FILE.tar, or to a directory
    #[arg(long, value_name = "PATH")]
    pub to: Option<PathBuf>,
    /// Target platforms, such as linux/amd64,linux/arm64 [default: this machine's]
    #[arg(long, value_delimiter = ',', value_name = "PLATFORM")]
    pub platform: Vec<Platform>,
    /// What builds the image [default: docker when it answers, otherwise oci, which needs no container program]
    #[arg(long, value_enum)]
    pub builder: Option<Builder>,
    /// Base image, such as your mirror's [default: from config, then denoland/deno:distroless]
    #[arg(long, value_name = "IMAGE", value_parser = image)]
    pub base: Option<ImageReference>,
    /// Speak plain HTTP to registries on other machines, too
    #[arg(long)]
    pub plain_http: bool,
}

/// What builds an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Builder {
    /// Docker, or podman when that is what is there
    Docker,
    /// This program itself, from registry to registry or file
    Oci,
}

/// Compare or prepare local secrets
#[derive(Debug, Subcommand)]
pub enum Secrets {
    Check(SecretsCheck),
    Init(SecretsInit),
}

/// Compare the secrets that the contract requires with those that are there
#[derive(Debug, Args)]
pub struct SecretsCheck {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Look at local secrets only; without any, the cluster's Secret is looked at
    #[arg(long)]
    pub local: bool,
}

/// Write .secrets.yaml to be filled in
#[derive(Debug, Args)]
pub struct SecretsInit {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Overwrite an existing file
    #[arg(long)]
    pub force: bool,
}
