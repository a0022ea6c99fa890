//! `tntc deploy`: from a workflow directory to a running Deployment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::ResourceExt;
use serde_json::json;
use tntc_core::contract::network::{Services, Surroundings};
use tntc_core::manifests::code::{Code, CodeError};
use tntc_core::manifests::{Inputs, Plan, PullPolicy, labels};
use tntc_core::settings::Settings;

use crate::cli::Deploy;
use crate::cluster::apply::{self, Applied};
use crate::cluster::connect::Target;
use crate::cluster::{Cluster, preflight, rollout};
use crate::context::{self, Context, Overrides};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::output::Outcome;
use crate::project::Opened;

/// Decides every object, then applies them; returns once applied, or with --wait once rolled out.
pub async fn run(arguments: Deploy, context: &Context) -> Result<Outcome> {
    let opened = context.open(&arguments.dir)?;
    let overrides = Overrides {
        image: arguments.image.clone(),
        runtime_class: arguments.runtime_class.clone(),
        ..Overrides::default()
    };
    let settings = context.settings_of(&opened, overrides)?;
    let target = Target::find(&settings).await;
    // Printing the manifests needs no cluster.
    let kind = target.as_ref().ok().and_then(|target| target.kind.clone());
    let settings = settings.on_kind(kind.as_deref());
    tell_adjustment(&settings, kind.as_deref(), context);
    let plan = plan(&arguments, &opened, &settings, kind.is_some())?;
    if arguments.dry_run {
        return manifests(plan);
    }
    let cluster = target?.connect()?;
    let mut interrupt = Interrupt::listen()?;
    tokio::select! {
        outcome = act(&arguments, &cluster, &plan, context) => outcome,
        () = interrupt.raised() => Err(Error::failed("interrupted; a second deploy completes what this one began")),
    }
}

async fn act(
    arguments: &Deploy,
    cluster: &Cluster,
    plan: &Plan,
    context: &Context,
) -> Result<Outcome> {
    for warning in preflight::require(cluster, plan).await? {
        context.printer.warn(warning);
    }
    let options = apply::Options {
        force_conflicts: arguments.force_conflicts,
    };
    let applied = apply::all(cluster, plan, options).await?;
    if arguments.wait {
        rollout::wait(cluster, &applied.deployment, arguments.timeout).await?;
    }
    Ok(outcome(&applied, arguments.wait))
}

pub fn plan(
    arguments: &Deploy,
    opened: &Opened,
    settings: &Settings,
    on_kind: bool,
) -> Result<Plan> {
    let namespace = context::namespace(settings)?;
    let code = Code::collect(&opened.project, &opened.workflow)
        .map_err(|errors| not_deliverable(&errors))?;
    let mut plan = Plan::new(&Inputs {
        workflow: &opened.workflow,
        namespace: &namespace,
        image: &settings.image.value,
        runtime_class: settings.runtime_class.value.as_deref(),
        pull_policy: if on_kind {
            PullPolicy::IfNotPresent
        } else {
            PullPolicy::Always
        },
        trigger_image: &settings.trigger_image.value,
        code: &code,
        secrets: None,
        surroundings: Surroundings {
            services: &Services::default(),
            metrics_namespace: None,
            endpoints: &[],
        },
    });
    if arguments.restart {
        restart(&mut plan);
    }
    Ok(plan)
}

/// Another timestamp in the template is what `kubectl rollout restart` does, too.
fn restart(plan: &mut Plan) {
    let template = plan
        .deployment
        .spec
        .as_mut()
        .and_then(|spec| spec.template.metadata.as_mut());
    if let Some(metadata) = template {
        let annotations = metadata.annotations.get_or_insert_with(BTreeMap::new);
        annotations.insert(
            labels::RESTARTED_AT.to_owned(),
            Timestamp::now().to_string(),
        );
    }
}

fn not_deliverable(errors: &[CodeError]) -> Error {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    Error::failed("the workflow's files cannot be delivered as a ConfigMap")
        .details(lines.join("\n"))
}

fn tell_adjustment(settings: &Settings, kind: Option<&str>, context: &Context) {
    let Some(cluster) = kind else { return };
    let no_gvisor = if settings.runtime_class.value.is_none() {
        "no gVisor, "
    } else {
        ""
    };
    context.printer.note(format!(
        "Detected kind cluster '{cluster}', adjusted: {no_gvisor}imagePullPolicy=IfNotPresent"
    ));
}

fn manifests(plan: Plan) -> Result<Outcome> {
    let objects = plan.redacted().objects();
    let mut text = String::new();
    for object in &objects {
        let yaml = serde_saphyr::to_string(object).map_err(|cause| {
            Error::failed(format!("cannot write the manifests as YAML: {cause}"))
        })?;
        text.push_str("---\n");
        text.push_str(&yaml);
    }
    let summary = format!("{} manifests, nothing applied", objects.len());
    Ok(Outcome::new(summary)
        .text(text)
        .field("manifests", json!(objects)))
}

fn outcome(applied: &Applied, waited: bool) -> Outcome {
    let name = applied.deployment.name_any();
    let namespace = applied.deployment.namespace().unwrap_or_default();
    let summary = if applied.changed.is_empty() && applied.deleted.is_empty() {
        format!("{name} in {namespace} is unchanged; nothing was restarted")
    } else {
        format!("deployed {name} to {namespace}")
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
        lines.push(format!(
            "see how it is doing with: tntc status {name} -n {namespace}"
        ));
    }
    Outcome::new(summary)
        .text(lines.join("\n"))
        .field("applied", json!(applied.changed))
        .field("deleted", json!(applied.deleted))
}
