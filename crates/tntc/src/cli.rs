//! What can be typed: clap types only, no behaviour.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::SignedDuration;

use crate::container::platform::Platform;
use crate::output::{Color, Format};

/// Validate, test, build, deploy, run and audit sealed workflows on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "tntc", version, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Kubernetes namespace [default: from environment, workflow.yaml, config, then `default`]
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Container registry that image tags are prefixed with
    #[arg(short, long, global = true, value_name = "HOST")]
    pub registry: Option<String>,
    /// How the answer is written, text or json; for `build` also where the image goes: an archive FILE.tar, or a
    /// directory
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
    /// Say more
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// A value of `--output`: a format for every command, and for `build` also a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// `text` or `json`.
    Format(Format),
    /// Anything else.
    Place(PathBuf),
}

impl std::str::FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("write text, json, or for `build` a place".to_owned()),
            "text" => Ok(Self::Format(Format::Text)),
            "json" => Ok(Self::Format(Format::Json)),
            place => Ok(Self::Place(place.into())),
        }
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
    /// Let contract drift only warn
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
    /// Bound of the live test
    #[arg(long, requires = "live", default_value = "120s", value_parser = duration)]
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
}

/// Build the engine image, with Docker or without
#[derive(Debug, Args)]
pub struct Build {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Image tag [default: tentacular-engine:latest]
    #[arg(short, long)]
    pub tag: Option<String>,
    /// Push the image after building it
    #[arg(long)]
    pub push: bool,
    /// Target platforms, such as linux/amd64,linux/arm64 [default: this machine's]
    #[arg(long, value_delimiter = ',', value_name = "PLATFORM")]
    pub platform: Vec<Platform>,
    /// What builds the image [default: docker when it answers, otherwise oci, which needs no container program]
    #[arg(long, value_enum)]
    pub builder: Option<Builder>,
    /// Base image, such as your mirror's [default: from config, then denoland/deno:distroless]
    #[arg(long, value_name = "IMAGE")]
    pub base: Option<String>,
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

/// Apply a workflow to a cluster
#[derive(Debug, Args)]
pub struct Deploy {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Engine image [default: from environment, what `build` wrote, tentacular-engine:latest]
    #[arg(long)]
    pub image: Option<String>,
    /// RuntimeClass of the pod; empty for none [default: from environment, config, then gvisor]
    #[arg(long, value_name = "NAME")]
    pub runtime_class: Option<String>,
    /// Wait until the rollout is complete
    #[arg(long)]
    pub wait: bool,
    /// Wait for the rollout, run once and check the result
    #[arg(long)]
    pub verify: bool,
    /// Skip the live test in the dev environment
    #[arg(long, alias = "skip-live-test")]
    pub force: bool,
    /// Restart the pods even when nothing changed
    #[arg(long)]
    pub restart: bool,
    /// Let contract drift and missing secrets only warn
    #[arg(long)]
    pub warn: bool,
    /// Take back fields that another manager has taken over
    #[arg(long)]
    pub force_conflicts: bool,
    /// Print the manifests as YAML and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Bound of --wait and of --verify
    #[arg(long, default_value = "120s", value_parser = duration)]
    pub timeout: std::time::Duration,
}

/// Run a deployed workflow once, or a local one with --local
#[derive(Debug, Args)]
pub struct Run {
    /// Name of the deployed workflow; with --local, the workflow directory [default: .]
    #[arg(required_unless_present = "local")]
    pub name: Option<String>,
    /// Run the workflow directory here, without a cluster
    #[arg(long)]
    pub local: bool,
    /// The run's input: JSON, @FILE, or - for stdin
    #[arg(
        long,
        value_name = "JSON|@FILE|-",
        default_value = "{}",
        hide_default_value = true
    )]
    pub input: String,
    /// How the engine is reached: a temporary pod, the API server's proxy, or a forwarded port
    #[arg(long, value_enum, default_value_t, conflicts_with = "local")]
    pub via: Via,
    /// Bound of everything, from the pod's start to the answer
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub timeout: std::time::Duration,
}

/// How `run` reaches the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Via {
    /// A temporary pod in the cluster, which the workflow's NetworkPolicy lets in.
    #[default]
    Pod,
    /// The API server's proxy; only where the NetworkPolicy lets the API server in.
    Proxy,
    /// A forwarded port of one of the workflow's pods; not with gVisor.
    PortForward,
}

/// Show the logs of a deployed workflow
#[derive(Debug, Args)]
pub struct Logs {
    /// Name of the deployed workflow
    pub name: String,
    /// Follow until interrupted
    #[arg(short, long)]
    pub follow: bool,
    /// How many recent lines
    #[arg(long, default_value_t = 100)]
    pub tail: u32,
    /// Only lines of this last while, such as 5m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub since: Option<std::time::Duration>,
    /// The containers before the last restart, such as those that crashed
    #[arg(long, conflicts_with = "follow")]
    pub previous: bool,
}

/// List deployed workflows
#[derive(Debug, Args)]
pub struct List {
    /// Of every namespace
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Only those whose labels match, such as team=data,tier!=test
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub label: Option<String>,
}

/// Show how a deployed workflow is doing
#[derive(Debug, Args)]
pub struct Status {
    /// Name of the deployed workflow
    pub name: String,
    /// Add image, runtime class, resources, service, pods and recent events
    #[arg(long)]
    pub detail: bool,
}

/// Remove a deployed workflow
#[derive(Debug, Args)]
pub struct Undeploy {
    /// Name of the deployed workflow
    pub name: String,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Keep the Secret
    #[arg(long)]
    pub keep_secrets: bool,
}

/// Look after the cluster
#[derive(Debug, Args)]
pub struct Cluster {
    #[command(subcommand)]
    pub command: ClusterCommand,
}

#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    Check(ClusterCheck),
}

/// Check that the cluster is ready for a deployment
#[derive(Debug, Args)]
pub struct ClusterCheck {
    /// Workflow directory whose secrets are checked, too [default: the current one, when it is a workflow]
    pub dir: Option<PathBuf>,
    /// Create the namespace, and a Role with its binding for you, when they are missing
    #[arg(long)]
    pub fix: bool,
    /// Prove with two short-lived pods whether the cluster enforces network policies
    #[arg(long)]
    pub probe: bool,
    /// RuntimeClass to look for; empty for none [default: from environment, config, then gvisor]
    #[arg(long, value_name = "NAME")]
    pub runtime_class: Option<String>,
}

/// Compare what is deployed with what the workflow directory means
#[derive(Debug, Args)]
pub struct Audit {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Engine image [default: from environment, what `build` wrote, tentacular-engine:latest]
    #[arg(long)]
    pub image: Option<String>,
    /// RuntimeClass of the pod; empty for none [default: from environment, config, then gvisor]
    #[arg(long, value_name = "NAME")]
    pub runtime_class: Option<String>,
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

/// A duration such as `30s`, `2m` or `1m30s`; more than zero.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|span| std::time::Duration::try_from(span).ok())
        .filter(|span| !span.is_zero())
        .ok_or_else(|| format!("`{text}` is no duration; write one such as 30s or 2m"))
}
