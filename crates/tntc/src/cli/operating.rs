//! Arguments of the commands that work on a cluster.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tntc_core::values::ImageReference;

use super::options::{duration, image};

/// Apply a workflow to a cluster
#[derive(Debug, Args)]
pub struct Deploy {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Engine image [default: from environment, what `build` wrote, tentacular-engine:latest]
    #[arg(long, value_parser = image)]
    pub image: Option<ImageReference>,
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
    #[arg(long, visible_alias = "skip-live-test")]
    pub force: bool,
    /// Restart the pods even when nothing changed
    #[arg(long)]
    pub restart: bool,
    /// Downgrade contract drift and missing secrets to warnings
    #[arg(long)]
    pub warn: bool,
    /// Take back what other field managers have changed or added
    #[arg(long)]
    pub force_conflicts: bool,
    /// Print the manifests as YAML, without the Secret, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the Secret with its values, too
    #[arg(long, requires = "dry_run")]
    pub show_secrets: bool,
    /// Where the cluster finds its images; the image is named by --image today
    #[arg(long, hide = true, value_name = "HOST")]
    pub cluster_registry: Option<String>,
    /// Maximum time to wait with --wait and --verify, such as 90s or 2m
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = duration)]
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
    /// Maximum time from the start to the answer, such as 30s or 2m
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
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
    /// How many recent lines of each pod; -1 for all
    #[arg(long, value_name = "LINES", default_value_t = 100, value_parser = clap::value_parser!(i64).range(-1..), allow_negative_numbers = true)]
    pub tail: i64,
    /// Only lines of this last while, such as 5m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub since: Option<std::time::Duration>,
    /// The containers before the last restart, such as those that crashed
    #[arg(short, long, conflicts_with = "follow")]
    pub previous: bool,
    /// Begin each line with when it was written
    #[arg(long)]
    pub timestamps: bool,
    /// Begin each line with the name of its pod
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub prefix: bool,
}

/// List deployed workflows
#[derive(Debug, Args)]
#[command(visible_alias = "ls")]
pub struct List {
    /// Of every namespace
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Only those whose labels match, such as tentacular.dev/tag-nightly, or tier!=test
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
#[command(visible_alias = "rm")]
pub struct Undeploy {
    /// Name of the deployed workflow
    pub name: String,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Keep the Secret
    #[arg(long)]
    pub keep_secrets: bool,
    /// Wait until the pods are gone too, which first finish the runs under way
    #[arg(long)]
    pub wait: bool,
    /// Succeed also when there is no such workflow
    #[arg(long)]
    pub ignore_not_found: bool,
}

/// Cluster commands
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
    /// With --fix: grant them to this user instead, such as alice or system:serviceaccount:NAMESPACE:NAME
    #[arg(long = "for", value_name = "USER", requires = "fix")]
    pub user: Option<String>,
    /// Prove with two short-lived pods whether the cluster enforces network policies
    #[arg(long)]
    pub probe: bool,
    /// How `run` will reach the engine, which decides on the permissions that it takes
    #[arg(long, value_enum, default_value_t)]
    pub via: Via,
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
    #[arg(long, value_parser = image)]
    pub image: Option<ImageReference>,
    /// RuntimeClass of the pod; empty for none [default: from environment, config, then gvisor]
    #[arg(long, value_name = "NAME")]
    pub runtime_class: Option<String>,
}
