//! What can be typed: clap types only, no behaviour.

mod authoring;
mod globals;
mod operating;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, FromArgMatches, Parser, Subcommand};
use jiff::SignedDuration;
use tntc_core::values::ImageReference;

pub use self::authoring::{
    Build, Builder, Dev, Init, Secrets, SecretsCheck, SecretsInit, Test, Validate, Visualize,
};
pub use self::globals::{command, formats_of, listed};
pub use self::operating::{
    Audit, Cluster, ClusterCheck, ClusterCommand, Deploy, List, Logs, Run, Status, Undeploy, Via,
};
use crate::terminal::{Color, Format};

/// Validate, test, build, deploy, run and audit sealed workflows on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "tntc", version, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Parses the words of a command line.
///
/// # Errors
/// They are no command, or ask for help or the version.
pub fn parsed<W: Into<OsString> + Clone>(
    words: impl IntoIterator<Item = W>,
) -> Result<Cli, clap::Error> {
    let matches = globals::command().try_get_matches_from(words)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    cli.global.without_effect = globals::without_effect(cli.command.name(), &matches);
    Ok(cli)
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Kubernetes namespace [default: from environment, workflow.yaml, config, kubeconfig context, then `default`]
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Container registry that image tags are prefixed with
    #[arg(short, long, global = true, value_name = "HOST")]
    pub registry: Option<String>,
    /// Output format: text or json; some commands have yaml, name or wide, too
    #[arg(short, long, global = true, value_name = "FORMAT", action = clap::ArgAction::Append)]
    pub output: Vec<Output>,
    /// Named environment of the config files
    #[arg(
        long = "env",
        global = true,
        env = "TENTACULAR_ENV",
        value_name = "NAME"
    )]
    pub environment: Option<String>,
    /// Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config]
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Kubeconfig context, for this call only
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// When to colour
    #[arg(long, global = true, value_enum, default_value_t)]
    pub color: Color,
    /// Show the settings, cluster and config files in use, hints on the workflow, and the output of other programs
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// The options that were typed for a command which they mean nothing to.
    #[arg(skip)]
    pub without_effect: Vec<String>,
}

/// A value of `--output`: a format, and for `build` also a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A format that some command has.
    Format(Format),
    /// Anything else.
    Place(PathBuf),
}

impl std::str::FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("write a format, such as json".to_owned());
        }
        Ok(match Format::named(text) {
            Some(format) => Self::Format(format),
            None => Self::Place(text.into()),
        })
    }
}

impl Global {
    /// How the answer is written: the last format named.
    pub fn format(&self) -> Format {
        let formats = self.output.iter().rev().filter_map(|output| match output {
            Output::Format(format) => Some(*format),
            Output::Place(_) => None,
        });
        formats.into_iter().next().unwrap_or_default()
    }

    /// Where an image goes: the last place named.
    pub fn place(&self) -> Option<&std::path::Path> {
        self.output.iter().rev().find_map(|output| match output {
            Output::Place(place) => Some(place.as_path()),
            Output::Format(_) => None,
        })
    }
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

/// An image reference such as `registry.example.com/team/engine:v2`.
fn image(text: &str) -> Result<ImageReference, String> {
    text.to_owned().try_into()
}

/// A duration such as `30s`, `2m` or `1m30s`; more than zero.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|span| std::time::Duration::try_from(span).ok())
        .filter(|span| !span.is_zero())
        .ok_or_else(|| format!("`{text}` is not a valid duration; write one such as 30s or 2m"))
}
