//! `tntc cluster check`: is this cluster ready for a deployment?

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use tntc_core::contract::secrets;
use tntc_core::manifests::secret;
use tntc_core::project::WORKFLOW_FILE;
use tntc_core::settings::Settings;
use tntc_core::workflow::Namespace;

use crate::cli::{self, ClusterCheck, ClusterCommand};
use crate::cluster::connect::Target;
use crate::cluster::preflight::{self, Check, Report, Wanted, WantedSecrets};
use crate::cluster::{Cluster, fix, probe, rights};
use crate::context::{self, Context, Overrides};
use crate::error::{Kind, Result};
use crate::output::Outcome;
use crate::project::Opened;

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer<'a> {
    /// Every check, in the order in which they depend on each other.
    checks: &'a [Check],
    /// With `--fix`: what was created.
    fixed: &'a [String],
}

/// Runs the one command there is.
pub async fn run(arguments: cli::Cluster, context: &Context) -> Result<Outcome> {
    let ClusterCommand::Check(arguments) = arguments.command;
    check(arguments, context).await
}

async fn check(arguments: ClusterCheck, context: &Context) -> Result<Outcome> {
    let opened = workflow(&arguments, context)?;
    let overrides = Overrides {
        runtime_class: arguments.runtime_class.clone(),
        ..Overrides::default()
    };
    let settings = context.settings_near(opened.as_ref(), overrides)?;
    let target = Target::find(&settings).await?;
    let settings = settings.on_kind(target.kind.clone().as_deref());
    let namespace = context::namespace(&settings)?;
    let cluster = target.connect()?;
    let needs = opened
        .as_ref()
        .map(|opened| secrets::needs(&opened.workflow));
    let wanted = Wanted {
        namespace: namespace.as_str(),
        runtime_class: settings.runtime_class.value.as_deref(),
        rights: rights::to_everything(),
        secrets: opened
            .as_ref()
            .zip(needs.as_ref())
            .map(|(opened, needs)| WantedSecrets {
                name: secret::name(opened.workflow.name.as_str()),
                needs,
                provisioned: None,
            }),
        code_bytes: None,
    };
    let mut report = preflight::look(&cluster, &wanted).await;
    let fixed = if arguments.fix {
        repair(&cluster, &wanted, &report).await?
    } else {
        Vec::new()
    };
    if !fixed.is_empty() {
        report = preflight::look(&cluster, &wanted).await;
    }
    if arguments.probe && report.fault() != Some(Kind::Surroundings) {
        prove(&cluster, &namespace, &settings, &mut report).await;
    }
    let mut outcome = outcome(&report, &fixed);
    if context.printer.json() {
        // As text, each remedy stands below its check already.
        outcome.hints = report.remedies();
    }
    Ok(outcome)
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

/// Creates what the failed checks miss; what was done, as lines.
async fn repair(cluster: &Cluster, wanted: &Wanted<'_>, report: &Report) -> Result<Vec<String>> {
    let failed = |check: &str| report.failures().any(|failure| failure.id == check);
    let mut done = Vec::new();
    let may_be_missing = report
        .checks
        .iter()
        .any(|check| check.id == "namespace" && check.status == preflight::State::Unknown);
    if failed("namespace") || may_be_missing {
        done.extend(fix::namespace(cluster, wanted.namespace).await?);
    }
    if failed("permissions") {
        done.extend(fix::permissions(cluster, wanted.namespace, &wanted.rights).await?);
    }
    Ok(done)
}

async fn prove(cluster: &Cluster, namespace: &Namespace, settings: &Settings, report: &mut Report) {
    let found =
        probe::enforcement(cluster, namespace.as_str(), &settings.trigger_image.value).await;
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
        format!("not ready for deployment: {}", failures.join("; "))
    };
    let mut lines: Vec<_> = fixed
        .iter()
        .map(|what| format!("  + created {what}"))
        .collect();
    lines.extend(report.lines());
    lines.push(String::new());
    // A workflow without its secrets is no fault of the cluster's.
    lines.push(if fault == Some(Kind::Surroundings) {
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
