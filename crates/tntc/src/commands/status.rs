//! `tntc status`: how a deployed workflow is doing.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Container, Event, Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use serde_json::{Value, json};
use tntc_core::manifests::labels;

use super::list;
use crate::cli::Status;
use crate::cluster::diagnose::{self, Problem};
use crate::cluster::inventory;
use crate::cluster::watch::Observed;
use crate::context::{self, Context};
use crate::error::{Error, Result};
use crate::output::Outcome;

/// Most events that `--detail` shows.
const EVENTS: usize = 10;

/// Shows readiness and replicas; with --detail, everything that helps to see why.
pub async fn run(arguments: &Status, context: &Context) -> Result<Outcome> {
    let settings = context.settings()?;
    let namespace = context::namespace(&settings)?;
    let namespace = namespace.as_str();
    let cluster = context.connect(&settings).await?;
    let seen = inventory::observe(&cluster, namespace, &arguments.name).await?;
    let deployment = seen
        .deployments
        .values()
        .next()
        .ok_or_else(|| inventory::no_such_workflow(&arguments.name, namespace))?;
    let problem = inventory::current_problem(&seen, deployment);
    let mut workflow = basics(deployment, problem.as_ref());
    if arguments.detail {
        let (service, cron_jobs) = futures::join!(
            inventory::service(&cluster, namespace, &arguments.name),
            inventory::cron_jobs(&cluster, namespace, &arguments.name),
        );
        let service = service?;
        let endpoint =
            service.map(|_| format!("{}.{namespace}.svc.cluster.local:8080", arguments.name));
        merge(
            &mut workflow,
            detail(deployment, endpoint.as_deref(), &seen)?,
        );
        let cron_jobs: Vec<_> = cron_jobs?.iter().map(cron_job).collect();
        merge(&mut workflow, json!({ "cronJobs": cron_jobs }));
    }
    let outcome = Outcome::new(summary(deployment, problem.as_ref()))
        .text(text(&workflow))
        .field("workflow", workflow);
    Ok(problem
        .and_then(|problem| problem.hint)
        .into_iter()
        .fold(outcome, Outcome::hint))
}

fn summary(deployment: &Deployment, problem: Option<&Problem>) -> String {
    let line = format!("{} is {}", deployment.name_any(), list::state(deployment));
    problem.map_or_else(|| line.clone(), |problem| format!("{line}: {problem}"))
}

fn basics(deployment: &Deployment, problem: Option<&Problem>) -> Value {
    let (ready, wanted) = list::replicas(deployment);
    json!({
        "name": deployment.name_any(),
        "namespace": deployment.namespace(),
        "version": deployment.labels().get(labels::VERSION),
        "status": list::state(deployment),
        "replicas": format!("{ready}/{wanted}"),
        "problem": problem.map(ToString::to_string),
    })
}

fn detail(deployment: &Deployment, endpoint: Option<&str>, seen: &Observed) -> Result<Value> {
    let template = deployment
        .spec
        .as_ref()
        .and_then(|spec| spec.template.spec.as_ref());
    let template = template.ok_or_else(|| Error::failed("the Deployment has no pod template"))?;
    let engine = template
        .containers
        .first()
        .ok_or_else(|| Error::failed("the Deployment has no container"))?;
    let mut events: Vec<_> = seen
        .events
        .values()
        .filter(|event| concerns(event, deployment, seen))
        .collect();
    events.sort_by_key(|event| when(event));
    let recent = events
        .iter()
        .rev()
        .take(EVENTS)
        .rev()
        .map(|event| shown(event));
    Ok(json!({
        "image": engine.image,
        "runtimeClass": runtime_class(template),
        "resources": resources(engine),
        "endpoint": endpoint,
        "pods": seen.pods.values().map(pod).collect::<Vec<_>>(),
        "events": recent.collect::<Vec<_>>(),
    }))
}

fn runtime_class(template: &PodSpec) -> &str {
    template.runtime_class_name.as_deref().unwrap_or("none")
}

fn resources(engine: &Container) -> Value {
    let resources = engine.resources.as_ref();
    json!({
        "requests": resources.and_then(|resources| resources.requests.as_ref()),
        "limits": resources.and_then(|resources| resources.limits.as_ref()),
    })
}

fn pod(pod: &Pod) -> Value {
    let restarts: i32 = diagnose::containers(pod)
        .map(|container| container.restart_count)
        .sum();
    let ready = diagnose::containers(pod).all(|container| container.ready);
    let status = pod.status.as_ref();
    json!({
        "name": pod.name_any(),
        "phase": status.and_then(|status| status.phase.clone()),
        "ready": ready,
        "restarts": restarts,
        "node": pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
    })
}

/// When it runs next is the controller's business; when and how it last ran is what a person looks for.
fn cron_job((cron_job, newest): &(CronJob, Option<Job>)) -> Value {
    let spec = cron_job.spec.as_ref();
    let status = cron_job.status.clone().unwrap_or_default();
    let time = |time: Option<Time>| time.map(|time| time.0.to_string());
    json!({
        "name": cron_job.name_any(),
        "schedule": spec.map(|spec| &spec.schedule),
        "timezone": spec.and_then(|spec| spec.time_zone.as_ref()),
        "suspended": spec.and_then(|spec| spec.suspend).unwrap_or_default(),
        "lastScheduledAt": time(status.last_schedule_time),
        "lastSucceededAt": time(status.last_successful_time),
        "lastRun": newest.as_ref().map(last_run),
    })
}

fn last_run(job: &Job) -> String {
    let conditions = job
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    let mut conditions = conditions
        .into_iter()
        .flatten()
        .filter(|condition| condition.status == "True");
    let ended =
        conditions.find(|condition| matches!(condition.type_.as_str(), "Complete" | "Failed"));
    match ended {
        Some(condition) if condition.type_ == "Complete" => "succeeded".to_owned(),
        Some(condition) => format!(
            "failed: {}",
            condition.message.as_deref().unwrap_or_default()
        ),
        None => "running".to_owned(),
    }
}

fn concerns(event: &Event, deployment: &Deployment, seen: &Observed) -> bool {
    let Some(name) = event.involved_object.name.as_deref() else {
        return false;
    };
    name == deployment.name_any()
        || seen.pods.contains_key(name)
        || seen.replica_sets.contains_key(name)
}

fn when(event: &Event) -> Option<jiff::Timestamp> {
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    last.or_else(|| event.event_time.as_ref().map(|time| time.0))
}

fn shown(event: &Event) -> Value {
    json!({
        "at": when(event).map(|time| time.to_string()),
        "type": event.type_,
        "reason": event.reason,
        "object": format!("{}/{}", event.involved_object.kind.as_deref().unwrap_or_default(), event.involved_object.name.as_deref().unwrap_or_default()),
        "message": event.message,
        "count": event.count.unwrap_or(1),
    })
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

/// `name: value` lines; lists indented below their name.
fn text(workflow: &Value) -> String {
    let fields = workflow
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null());
    let lines = fields.map(|(name, value)| match value {
        Value::Array(items) if items.is_empty() => format!("{name}: none"),
        Value::Array(items) => format!(
            "{name}:\n{}",
            items.iter().map(item).collect::<Vec<_>>().join("\n")
        ),
        other => format!("{name}: {}", inline(other)),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn item(value: &Value) -> String {
    let fields = value
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null());
    let shown: Vec<_> = fields
        .map(|(name, value)| format!("{name}={}", inline(value)))
        .collect();
    format!("  {}", shown.join(" "))
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let shown: Vec<_> = fields
                .iter()
                .map(|(name, value)| format!("{name} {}", inline(value)))
                .collect();
            shown.join(", ")
        }
        other => other.to_string(),
    }
}
