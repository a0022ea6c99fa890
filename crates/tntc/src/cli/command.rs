//! All commands that can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::authoring::{Build, Dev, Init, Secrets, Test, Validate, Visualize};
use super::operating::{Audit, Cluster, Deploy, List, Logs, Run, Status, Undeploy};
use super::options::Global;

/// Validate, test, build, deploy, run and audit sealed workflows on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "tntc", version, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// One command, one file in `commands/`.
#[derive(Debug, Subcommand)]
pub enum Command {
    Init(Init),
    Validate(Validate),
    Visualize(Visualize),
    Test(Test),
    Dev(Dev),
    Build(Build),
    Deploy(Deploy),
    Run(Run),
    Logs(Logs),
    List(List),
    Status(Status),
    Undeploy(Undeploy),
    Cluster(Cluster),
    Audit(Audit),
    #[command(subcommand)]
    Secrets(Secrets),
    Configure(Configure),
    Completions(Completions),
    Schema(Schema),
    Version(Version),
}

impl Command {
    /// The name that the JSON envelope carries.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Validate(_) => "validate",
            Self::Visualize(_) => "visualize",
            Self::Test(_) => "test",
            Self::Dev(_) => "dev",
            Self::Build(_) => "build",
            Self::Deploy(_) => "deploy",
            Self::Run(_) => "run",
            Self::Logs(_) => "logs",
            Self::List(_) => "list",
            Self::Status(_) => "status",
            Self::Undeploy(_) => "undeploy",
            Self::Cluster(_) => "cluster check",
            Self::Audit(_) => "audit",
            Self::Secrets(Secrets::Check(_)) => "secrets check",
            Self::Secrets(Secrets::Init(_)) => "secrets init",
            Self::Configure(_) => "configure",
            Self::Completions(_) => "completions",
            Self::Schema(_) => "schema",
            Self::Version(_) => "version",
        }
    }
}

/// Write settings to a config file, or show those in force
#[derive(Debug, Args)]
pub struct Configure {
    /// RuntimeClass of the pods; empty for none
    #[arg(long, value_name = "NAME")]
    pub runtime_class: Option<String>,
    /// Write .tentacular/config.yaml of the project instead of the user's
    #[arg(long)]
    pub project: bool,
    /// Show every setting in force and where it comes from
    #[arg(long)]
    pub show: bool,
    /// Trust a workflow directory, or one that holds some: its .npmrc, imports from private networks, and its images
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".", conflicts_with = "untrust")]
    pub trust: Option<PathBuf>,
    /// Trust a directory no longer
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".")]
    pub untrust: Option<PathBuf>,
}

/// Print a completion script
#[derive(Debug, Args)]
pub struct Completions {
    /// Shell to complete in
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Print the JSON Schema of workflow.yaml, of config.yaml, or of a command's answer with -o json
#[derive(Debug, Args)]
pub struct Schema {
    /// `workflow`, `config`, or a command such as `deploy` or `cluster-check`; without it, the names there are
    pub name: Option<String>,
}

/// Print the version
#[derive(Debug, Args)]
pub struct Version {}
