//! `tntc deploy`: from a workflow directory to a running Deployment.

use std::path::PathBuf;

use clap::Args;
use kube::ResourceExt;
use schemars::JsonSchema;
use serde::Serialize;
use tntc_core::derive::network::Services;
use tntc_core::manifests::{Plan, resource_name_of};
use tntc_core::values::ImageReference;

use crate::cli::{duration, image};
use crate::cluster::apply::{self, Applied, present};
use crate::cluster::client::connect::Target;
use crate::cluster::run::ready;
use crate::cluster::{Cluster, loaded, preflight, rollout};
use crate::context::{Context, Overrides};
use crate::deploy::prepare::{Prepared, Variant, prepare};
use crate::deploy::{drift_gate, live};
use crate::outcome::{Error, ErrorKind, Execution, Outcome, Result};
use crate::process::interrupt::Interrupt;
use crate::terminal::Phases;
use crate::workspace::trust::DirectoryImage;

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

/// The fields of the answer.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Answer<'a> {
    /// With `--dry-run`: the objects, with the Secret only when `--show-secrets` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<serde_json::Map<String, serde_json::Value>>>")]
    manifests: Option<Vec<serde_json::Value>>,
    /// `Kind/name` of what changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    applied: Option<&'a [String]>,
    /// `Kind/name` of what was no longer wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<&'a [String]>,
    /// Images that files of the directory choose, and not the user.
    #[serde(rename = "directoryImages", skip_serializing_if = "<[_]>::is_empty")]
    directory_images: &'a [DirectoryImage],
}

/// What a signal ends a deploy with before anything was sent, while it was, and after it.
const NOTHING_APPLIED: &str = "interrupted; nothing was applied";
const HALF_APPLIED: &str = "interrupted; a second deploy completes what this one began";
const ROLLS_ON: &str = "interrupted; everything is applied, and the rollout goes on in the cluster";

/// Decides every object, then applies them; returns once applied, or with --wait and --verify once rolled out.
pub async fn run(arguments: Deploy, context: &Context) -> Result<Outcome> {
    let overrides = Overrides {
        image: arguments.image.clone(),
        runtime_class: arguments.runtime_class.clone(),
        ..Overrides::default()
    };
    if arguments.cluster_registry.is_some() {
        context.printer.warn(
            "--cluster-registry is deprecated and ignored: name the image as the cluster pulls it, with --image",
        );
    }
    if arguments.dry_run {
        let (prepared, target) = ready(&arguments, overrides, context).await?;
        return manifests(&arguments, &prepared, target, context).await;
    }
    let mut interrupt = Interrupt::listen()?;
    let mut phases = Phases::new(&context.printer);
    let step = interrupt.unless(NOTHING_APPLIED, ready(&arguments, overrides, context));
    let (prepared, target) = phases.run("prepare", step).await?;
    let cluster = target?.connect()?;
    // Everything that a deploy does, kept off this future.
    Box::pin(act(
        &arguments,
        &prepared,
        &cluster,
        (phases, interrupt),
        context,
    ))
    .await
}

/// Everything that needs no cluster: read, checked, and held against the contract.
async fn ready(
    arguments: &Deploy,
    overrides: Overrides,
    context: &Context,
) -> Result<(Prepared, Result<Target>)> {
    let (prepared, target) = prepare(&arguments.dir, overrides, context).await?;
    prepared.tell(context);
    if !arguments.dry_run {
        prepared.require_images()?;
    }
    let lenient = drift_gate::only_warns(arguments.warn, &prepared.settings);
    drift_gate::require_kept(&prepared.drift, lenient, &context.printer)?;
    Ok((prepared, target))
}

/// Each step ends at Ctrl-C by itself: the live test and the run have something to remove then.
async fn act(
    arguments: &Deploy,
    prepared: &Prepared,
    cluster: &Cluster,
    (mut phases, mut interrupt): (Phases<'_>, Interrupt),
    context: &Context,
) -> Result<Outcome> {
    let plan = prepared.plan_on(cluster, Variant::Own);
    let plan = interrupt.unless(NOTHING_APPLIED, plan).await?;
    warn(&plan, context);
    let checked = preflight::require(cluster, &plan, arguments.warn);
    let checked = interrupt.unless(NOTHING_APPLIED, checked);
    for warning in phases.run("preflight", checked).await? {
        context.printer.warn(warning);
    }
    if !arguments.force && live::is_gated(&arguments.dir, context)? {
        let name = prepared.workflow.name.as_str();
        let gate = live::gate(&arguments.dir, name, arguments.image.clone(), context);
        // A whole deploy of its own inside this one: kept off this future.
        phases.run("live test", Box::pin(gate)).await?;
    }
    let options = apply::Options {
        force_conflicts: arguments.force_conflicts,
    };
    let applied = apply::all(cluster, &plan, arguments.restart, options);
    let applied = interrupt.unless(HALF_APPLIED, applied);
    let applied = phases.run("apply", applied).await?;
    let waited = arguments.wait || arguments.verify;
    let mut outcome = outcome(cluster, &applied, waited, &prepared.images);
    let names = plan.objects();
    outcome = outcome.names(names.iter().map(resource_name_of));
    let followed = follow(
        arguments,
        prepared,
        cluster,
        &applied,
        &mut phases,
        &mut interrupt,
    );
    match followed.await {
        Ok(execution) => outcome.evidence.execution = execution,
        Err(error) => return Err(explained(cluster, &applied, error).await),
    }
    Ok(phases.finish(outcome))
}

/// Waits for the rollout and runs once, as far as that was asked for; the result of the run.
async fn follow(
    arguments: &Deploy,
    prepared: &Prepared,
    cluster: &Cluster,
    applied: &Applied,
    phases: &mut Phases<'_>,
    interrupt: &mut Interrupt,
) -> Result<Option<Execution>> {
    let (deployment, timeout) = (&applied.deployment, arguments.timeout);
    if arguments.wait || arguments.verify {
        let complete = rollout::wait(cluster, deployment, timeout);
        let complete = interrupt.unless(ROLLS_ON, complete);
        phases.run("rollout", complete).await?;
    }
    if !arguments.verify {
        return Ok(None);
    }
    let verified = async {
        let execution = live::verify(cluster, prepared, deployment, timeout).await?;
        let namespace = prepared.namespace.as_str();
        let unseen = loaded::verify(cluster, namespace, &deployment.name_any()).await?;
        Ok((execution, unseen))
    };
    let (execution, unseen) = phases.run("verify", verified).await?;
    for line in unseen {
        phases.warn(line);
    }
    Ok(Some(execution))
}

async fn explained(cluster: &Cluster, applied: &Applied, error: Error) -> Error {
    let name = applied.deployment.name_any();
    let namespace = applied.deployment.namespace().unwrap_or_default();
    if matches!(error.kind, ErrorKind::Interrupted(_)) {
        return error.hint(see_status(cluster, &name, &namespace));
    }
    let error = live::evidence::added(cluster, &namespace, &name, error).await;
    let logs = cluster.followup.tntc(format!("logs {name} -n {namespace}"));
    error
        .hint(format!("check deployment logs with: {logs}"))
        .hint(ready::look_closer(cluster, &namespace, &name))
}

fn warn(plan: &Plan, context: &Context) {
    for warning in &plan.warnings {
        context.printer.warn(warning.to_string());
    }
}

/// Needs no cluster; with one that answers, the Services that the contract names are read as a deploy reads them.
async fn manifests(
    arguments: &Deploy,
    prepared: &Prepared,
    target: Result<Target>,
    context: &Context,
) -> Result<Outcome> {
    let target = match target {
        // Whoever names a cluster wants to see what goes to that one.
        Err(error) if prepared.settings.names_a_cluster() => return Err(error),
        target => target,
    };
    let (mut plan, salt) = match target.and_then(Target::connect) {
        Ok(cluster) => {
            let plan = prepared.plan_on(&cluster, Variant::Own).await?;
            let salt = present::deployed_salt(&cluster, &plan).await;
            (plan, salt)
        }
        Err(_) => (prepared.plan(&Services::default(), Variant::Own)?, None),
    };
    warn(&plan, context);
    let salt = match salt {
        None if arguments.show_secrets => Some(present::new_salt()?),
        salt => salt,
    };
    if let Some(salt) = salt {
        plan.salt(salt);
    }
    let (objects, mut text) = match &plan.secret {
        Some(secret) if !arguments.show_secrets => {
            (plan.without_secret(), left_out(&secret.name_any()))
        }
        _ => (plan.objects(), String::new()),
    };
    for object in &objects {
        let yaml = serde_saphyr::to_string(object).map_err(|cause| {
            Error::failed(format!("cannot write the manifests as YAML: {cause}"))
        })?;
        text.push_str("---\n");
        text.push_str(&yaml);
    }
    let summary = format!("{} manifests, nothing applied", objects.len());
    let outcome = Outcome::new(summary).text(text).data();
    let outcome = outcome.names(objects.iter().map(resource_name_of));
    Ok(outcome.own(Answer {
        manifests: Some(objects),
        directory_images: &prepared.images,
        ..Answer::default()
    }))
}

/// A comment, so that what is printed can be applied and compared by others.
fn left_out(secret: &str) -> String {
    format!(
        "# Secret/{secret} is left out, as its values would be printed; --show-secrets prints it, and tntc deploy applies it.\n"
    )
}

fn see_status(cluster: &Cluster, name: &str, namespace: &str) -> String {
    let status = format!("status {name} -n {namespace}");
    format!(
        "see how it is doing with: {}",
        cluster.followup.tntc(status)
    )
}

fn outcome(
    cluster: &Cluster,
    applied: &Applied,
    waited: bool,
    directory_images: &[DirectoryImage],
) -> Outcome {
    let name = applied.deployment.name_any();
    let namespace = applied.deployment.namespace().unwrap_or_default();
    let summary = if applied.changed.is_empty() && applied.deleted.is_empty() {
        format!("{name} in {namespace} is unchanged; nothing was restarted")
    } else {
        let done = if waited { "deployed" } else { "applied" };
        format!("{done} {name} to {namespace}")
    };
    let mut lines = vec![summary.clone()];
    lines.extend(
        applied
            .changed
            .iter()
            .map(|what| format!("  applied {what}")),
    );
    lines.extend(
        applied
            .deleted
            .iter()
            .map(|what| format!("  deleted {what}")),
    );
    if !waited {
        lines.push(see_status(cluster, &name, &namespace));
    }
    Outcome::new(summary).text(lines.join("\n")).own(Answer {
        applied: Some(&applied.changed),
        deleted: Some(&applied.deleted),
        directory_images,
        ..Answer::default()
    })
}
