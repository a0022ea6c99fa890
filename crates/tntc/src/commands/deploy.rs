//! `tntc deploy`: from a workflow directory to a running Deployment.

use kube::ResourceExt;
use schemars::JsonSchema;
use serde::Serialize;
use tntc_core::contract::network::Services;
use tntc_core::manifests::{Plan, secret};

use crate::cli::Deploy;
use crate::cluster::apply::{self, Applied};
use crate::cluster::connect::Target;
use crate::cluster::{Cluster, loaded, preflight, present, ready, rollout};
use crate::context::{Context, Overrides};
use crate::contract;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::interrupt::Interrupt;
use crate::live;
use crate::output::Outcome;
use crate::phases::Phases;
use crate::prepare::{Prepared, Variant, prepare};

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
}

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
    let mut phases = Phases::new(&context.printer);
    let (prepared, target) = phases
        .run("prepare", ready(&arguments, overrides, context))
        .await?;
    let cluster = target?.connect()?;
    let mut interrupt = Interrupt::listen()?;
    tokio::select! {
        outcome = act(&arguments, &prepared, &cluster, phases, context) => outcome,
        signal = interrupt.raised() => Err(signal.error("interrupted; a second deploy completes what this one began")),
    }
}

/// Everything that needs no cluster: read, checked, and held against the contract.
async fn ready(
    arguments: &Deploy,
    overrides: Overrides,
    context: &Context,
) -> Result<(Prepared, Result<Target>)> {
    let (prepared, target) = prepare(&arguments.dir, overrides, context).await?;
    prepared.tell(context);
    let lenient = contract::only_warns(arguments.warn, &prepared.settings);
    contract::require_kept(&prepared.drift, lenient, &context.printer)?;
    Ok((prepared, target))
}

async fn act(
    arguments: &Deploy,
    prepared: &Prepared,
    cluster: &Cluster,
    mut phases: Phases<'_>,
    context: &Context,
) -> Result<Outcome> {
    let plan = prepared.plan_on(cluster, Variant::Own).await?;
    warn(&plan, context);
    for warning in phases
        .run(
            "preflight",
            preflight::require(cluster, &plan, arguments.warn),
        )
        .await?
    {
        context.printer.warn(warning);
    }
    if !arguments.force && live::is_gated(&arguments.dir, context)? {
        phases
            .run(
                "live test",
                // A whole deploy of its own inside this one: kept off this future.
                Box::pin(live::gate(
                    &arguments.dir,
                    prepared.workflow.name.as_str(),
                    arguments.image.clone(),
                    context,
                )),
            )
            .await?;
    }
    let options = apply::Options {
        force_conflicts: arguments.force_conflicts,
    };
    let applied = phases
        .run(
            "apply",
            apply::all(cluster, &plan, arguments.restart, options),
        )
        .await?;
    let mut outcome = outcome(cluster, &applied, arguments.wait || arguments.verify);
    match follow(arguments, prepared, cluster, &applied, &mut phases).await {
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
) -> Result<Option<Execution>> {
    let (deployment, timeout) = (&applied.deployment, arguments.timeout);
    if arguments.wait || arguments.verify {
        phases
            .run("rollout", rollout::wait(cluster, deployment, timeout))
            .await?;
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
        secret::salt(&mut plan, salt);
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
    Ok(Outcome::new(summary).text(text).data().own(Answer {
        manifests: Some(objects),
        ..Answer::default()
    }))
}

/// A comment, so that what is printed can be applied and compared by others.
fn left_out(secret: &str) -> String {
    format!(
        "# Secret/{secret} is left out, as its values would be printed; --show-secrets prints it, and tntc deploy applies it.\n"
    )
}

fn outcome(cluster: &Cluster, applied: &Applied, waited: bool) -> Outcome {
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
        let status = cluster
            .followup
            .tntc(format!("status {name} -n {namespace}"));
        lines.push(format!("see how it is doing with: {status}"));
    }
    Outcome::new(summary).text(lines.join("\n")).own(Answer {
        applied: Some(&applied.changed),
        deleted: Some(&applied.deleted),
        ..Answer::default()
    })
}
