//! `tntc cluster check`: is this cluster ready for a deployment?

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use tntc_core::derive::network::{Outside, Services, Surroundings, outside};
use tntc_core::derive::secrets;
use tntc_core::manifests::code::Code;
use tntc_core::manifests::secret;
use tntc_core::observe::permissions::{self, Right};
use tntc_core::project::WORKFLOW_FILE;
use tntc_core::settings::Settings;

use super::run::Via;
use crate::cluster::Cluster;
use crate::cluster::client::connect::Target;
use crate::cluster::preflight::checks::{self, WantedSecrets};
use crate::cluster::preflight::{self, Report, Wanted, fix, probe, user};
use crate::context::{self, Context, Overrides};
use crate::deno::bundle;
use crate::deploy::prepare::{self, InEnvironment};
use crate::outcome::{Check, CheckStatus, Error, ErrorKind, Outcome, Result};
use crate::terminal::Printer;
use crate::workspace::project::Opened;

/// Check a cluster before a deployment
#[derive(Debug, Args)]
pub struct Group {
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

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer<'a> {
    /// Every check, in the order in which they depend on each other.
    checks: &'a [Check],
    /// With `--fix`: what was created.
    fixed: &'a [String],
}

/// Runs the one command there is.
pub async fn run(arguments: Group, context: &Context) -> Result<Outcome> {
    let ClusterCommand::Check(arguments) = arguments.command;
    check(arguments, context).await
}

/// What every command takes, and a run by this way.
fn needed(via: Via) -> Vec<Right> {
    let mut needed = permissions::to_everything();
    needed.extend(match via {
        Via::Pod => None,
        Via::Proxy => Some(permissions::PROXY),
        Via::PortForward => Some(permissions::PORT_FORWARD),
    });
    needed
}

async fn check(arguments: ClusterCheck, context: &Context) -> Result<Outcome> {
    let opened = workflow(&arguments, context)?;
    let overrides = Overrides {
        runtime_class: arguments.runtime_class.clone(),
        ..Overrides::default()
    };
    let settings = context.settings_near(opened.as_ref(), overrides)?;
    if arguments.probe {
        let dir = opened.as_ref().map_or(Path::new("."), |it| &it.dir);
        context.require_images(&settings, &["trigger_image"], dir)?;
    }
    let target = Target::find(&settings)?;
    let kind = target.kind.clone();
    let settings = settings.on_kind(kind.as_deref());
    let namespace = context::namespace(&settings)?;
    let cluster = target.connect()?;
    let changed = match &opened {
        Some(opened) => Some(prepare::in_environment(opened, &settings)?),
        None => None,
    };
    let needs = changed
        .as_ref()
        .map(|changed| secrets::needs(&changed.workflow));
    let outside = reached(changed.as_ref());
    let wanted = Wanted {
        namespace: namespace.as_str(),
        runtime_class: settings.runtime_class.value.as_deref(),
        rights: needed(arguments.via),
        secrets: changed
            .as_ref()
            .zip(needs.as_ref())
            .map(|(changed, needs)| WantedSecrets {
                name: secret::name(changed.workflow.name.as_str()),
                needs,
                provisioned: None,
            }),
        code: match opened.as_ref().zip(changed.as_ref()) {
            Some((opened, changed)) => Some(code(opened, changed, &context.printer).await),
            None => None,
        },
        outside: &outside,
    };
    let (mut report, fixed) = examine(&cluster, &wanted, &arguments, &settings).await?;
    // A node of kind has images that were loaded by hand, which have no digest.
    if kind.is_none() {
        let unpinned = checks::trigger_image(&settings.trigger_image.value);
        report.checks.extend(unpinned);
    }
    let mut outcome = outcome(&report, &fixed);
    if context.printer.has_envelope() {
        // As text, each remedy stands below its check already.
        outcome.hints = report.remedies();
    }
    Ok(outcome)
}

/// Looks, and repairs and proves what was asked for; also what was created.
async fn examine(
    cluster: &Cluster,
    wanted: &Wanted<'_>,
    arguments: &ClusterCheck,
    settings: &Settings,
) -> Result<(Report, Vec<String>)> {
    let mut report = preflight::look(cluster, wanted).await;
    let fixed = if arguments.fix {
        repair(cluster, wanted, arguments.user.as_deref(), &report).await?
    } else {
        Vec::new()
    };
    if !fixed.is_empty() {
        report = preflight::look(cluster, wanted).await;
    }
    if arguments.probe && report.fault() != Some(ErrorKind::Surroundings) {
        prove(cluster, wanted.namespace, settings, &mut report).await;
    }
    Ok((report, fixed))
}

/// The workflow that was named, or the current directory's when it holds one.
fn workflow(arguments: &ClusterCheck, context: &Context) -> Result<Option<Opened>> {
    let here = Path::new(".");
    match &arguments.dir {
        Some(dir) => context.open(dir).map(Some),
        None if here.join(WORKFLOW_FILE).exists() => context.open(here).map(Some),
        None => Ok(None),
    }
}

/// What the workflow reaches outside the cluster, apart from what a Service leads to.
fn reached(changed: Option<&InEnvironment>) -> Outside {
    changed.map_or_else(Outside::default, |changed| {
        let surroundings = Surroundings {
            services: &Services::default(),
            metrics_namespace: changed.metrics_namespace.as_ref(),
            endpoints: &changed.endpoints,
        };
        outside(&changed.workflow, &surroundings)
    })
}

/// Whether the workflow's files fit into a ConfigMap, as a deploy would deliver them.
async fn code(opened: &Opened, changed: &InEnvironment, printer: &Printer) -> Check {
    let project = match bundle::delivered(opened, printer).await {
        Ok(project) => project,
        Err(error) => return error.into_check("config-map"),
    };
    let code = Code::collect(&project, &changed.workflow)
        .and_then(|code| code.with_workflow_file(&changed.text));
    match code {
        Ok(code) => checks::code_size(code.files().values().map(Vec::len).sum()),
        Err(errors) => {
            let reasons: Vec<_> = errors.iter().map(ToString::to_string).collect();
            Error::failed(reasons.join("; ")).into_check("config-map")
        }
    }
}

/// Creates what the failed checks miss; what was done, as lines.
async fn repair(
    cluster: &Cluster,
    wanted: &Wanted<'_>,
    user: Option<&str>,
    report: &Report,
) -> Result<Vec<String>> {
    let failed = |check: &str| report.failures().any(|failure| failure.id == check);
    let mut done = Vec::new();
    let may_be_missing = report
        .checks
        .iter()
        .any(|check| check.id == "namespace" && check.status == CheckStatus::Unknown);
    if failed("namespace") {
        done.extend(fix::namespace(cluster, wanted.namespace).await?);
    } else if may_be_missing {
        // Who may neither see nor make namespaces may still grant permissions in one that is there.
        let made = fix::namespace(cluster, wanted.namespace).await;
        done.extend(made.ok().flatten());
    }
    // What somebody else may do is not looked at: granting it again changes nothing.
    if failed("permissions") || user.is_some() {
        let user = match user {
            Some(user) => user.to_owned(),
            None => user::name(cluster).await?,
        };
        let granted = fix::permissions(cluster, wanted.namespace, &user, &wanted.rights);
        done.extend(granted.await?);
    }
    Ok(done)
}

async fn prove(cluster: &Cluster, namespace: &str, settings: &Settings, report: &mut Report) {
    let found = probe::enforcement(cluster, namespace, settings.trigger_image.value.as_str()).await;
    report.checks.retain(|check| check.id != found.id);
    report.checks.push(found);
}

fn outcome(report: &Report, fixed: &[String]) -> Outcome {
    let fault = report.fault();
    let failures: Vec<_> = report
        .failures()
        .map(|check| check.message.clone())
        .collect();
    let summary = if failures.is_empty() {
        "Cluster is ready for deployment".to_owned()
    } else {
        format!(
            "Cluster is not ready for deployment: {}",
            failures.join("; ")
        )
    };
    let mut lines: Vec<_> = fixed
        .iter()
        .map(|what| format!("  + created {what}"))
        .collect();
    lines.extend(report.lines());
    lines.push(String::new());
    lines.push(if fault.is_some() {
        "✗ Cluster is not ready for deployment".to_owned()
    } else {
        "✓ Cluster is ready for deployment".to_owned()
    });
    Outcome::new(summary)
        .text(lines.join("\n"))
        .own(Answer {
            checks: &report.checks,
            fixed,
        })
        .failed_by(fault)
}
