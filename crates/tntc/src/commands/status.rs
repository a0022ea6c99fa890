//! `tntc status`: how a deployed workflow is doing.

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use tntc_core::manifests::labels;
use tntc_core::observe::Observed;
use tntc_core::observe::diagnosis::{self, Problem};
use tntc_core::observe::workload;
use tntc_core::trigger;

use super::list;
use crate::cluster::rollout::events;
use crate::cluster::{Cluster, inventory, loaded, queues};
use crate::context::{self, Context};
use crate::outcome::{Error, Event, Outcome, Result};
use crate::terminal::table;
use crate::workspace::trust::Standing;

/// Show how a deployed workflow is doing
#[derive(Debug, Args)]
pub struct Status {
    /// Name of the deployed workflow
    pub name: String,
    /// Add image, runtime class, resources, service, pods and recent events
    #[arg(long)]
    pub detail: bool,
}

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    workflow: Workflow,
    /// The workflow directory that the command was run in, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<Standing>,
}

/// A deployed workflow; everything from `image` on only with `--detail`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Workflow {
    name: String,
    namespace: Option<String>,
    version: Option<String>,
    status: &'static str,
    /// Ready and wanted, such as `1/1`.
    replicas: String,
    metadata: list::Metadata,
    /// Why it is not ready, when the cluster says.
    problem: Option<String>,
    /// What the user may not look at, in the API server's words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<String>,
    #[serde(flatten)]
    detail: Option<Detail>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Detail {
    image: Option<String>,
    /// `none` for the cluster's default runtime.
    runtime_class: String,
    resources: Resources,
    /// Host and port of the Service.
    endpoint: Option<String>,
    pods: Vec<PodLine>,
    /// The newest, oldest first.
    events: Vec<Event>,
    cron_jobs: Vec<CronJobLine>,
}

/// Quantities by name, as Kubernetes writes them.
#[derive(Debug, Serialize, JsonSchema)]
struct Resources {
    requests: Option<BTreeMap<String, String>>,
    limits: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PodLine {
    name: String,
    phase: Option<String>,
    ready: bool,
    restarts: i32,
    /// The machine that it runs on.
    node: Option<String>,
}

/// When it runs next is the controller's business; when and how it last ran is what a person looks for.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CronJobLine {
    name: String,
    schedule: Option<String>,
    timezone: Option<String>,
    suspended: bool,
    /// RFC 3339.
    last_scheduled_at: Option<String>,
    /// RFC 3339.
    last_succeeded_at: Option<String>,
    /// `running`, `succeeded`, or how it failed, such as `workflow failed (HTTP 422)`.
    last_run: Option<String>,
}

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
        .ok_or_else(|| inventory::no_such_workflow(&cluster, &arguments.name, namespace))?;
    for refused in &seen.refused {
        context
            .printer
            .warn(format!("this is without what you may not see: {refused}"));
    }
    let problem = match workload::current_problem(&seen, deployment) {
        Some(problem) => Some(problem),
        None => reported(&cluster, namespace, &arguments.name, context).await?,
    };
    let mut workflow = basics(deployment, problem.as_ref());
    workflow.refused.clone_from(&seen.refused);
    if arguments.detail {
        let (service, cron_jobs) = futures::join!(
            inventory::service(&cluster, namespace, &arguments.name),
            inventory::cron_jobs(&cluster, namespace, &arguments.name),
        );
        let service = service?;
        let endpoint =
            service.map(|_| format!("{}.{namespace}.svc.cluster.local:8080", arguments.name));
        let cron_jobs = cron_jobs?.iter().map(cron_job).collect();
        workflow.detail = Some(detail(deployment, endpoint, &seen, cron_jobs)?);
    }
    let directory = Standing::here(context.home.as_deref())?;
    let mut lines = vec![text(&workflow, Timestamp::now())];
    lines.extend(directory.as_ref().map(Standing::line));
    let outcome = Outcome::new(summary(deployment, problem.as_ref()))
        .text(lines.join("\n"))
        .own(Answer {
            workflow,
            directory,
        });
    Ok(problem
        .and_then(|problem| problem.hint)
        .into_iter()
        .fold(outcome, Outcome::hint))
}

/// Whether a pod has loaded something else than the cluster holds, or receives nothing; with -v, also which could not be
/// asked.
async fn reported(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    context: &Context,
) -> Result<Option<Problem>> {
    let pods = inventory::pods(cluster, namespace, name).await?;
    let (problem, unseen) = loaded::look(cluster, namespace, name).await?;
    for line in unseen.iter().filter(|_| context.printer.verbose()) {
        context.printer.warn(line);
    }
    match problem {
        Some(problem) => Ok(Some(problem)),
        None => Ok(queues::problem(cluster, namespace, &pods).await),
    }
}

fn state(deployment: &Deployment, problem: Option<&Problem>) -> &'static str {
    list::state(deployment, problem.is_some_and(|problem| problem.fatal))
}

fn summary(deployment: &Deployment, problem: Option<&Problem>) -> String {
    let line = format!(
        "{} is {}",
        deployment.name_any(),
        state(deployment, problem)
    );
    problem.map_or_else(|| line.clone(), |problem| format!("{line}: {problem}"))
}

fn basics(deployment: &Deployment, problem: Option<&Problem>) -> Workflow {
    let (ready, wanted) = (workload::ready(deployment), workload::wanted(deployment));
    Workflow {
        name: deployment.name_any(),
        namespace: deployment.namespace(),
        version: deployment.labels().get(labels::VERSION).cloned(),
        status: state(deployment, problem),
        replicas: format!("{ready}/{wanted}"),
        metadata: list::Metadata::of(deployment),
        problem: problem.map(ToString::to_string),
        refused: Vec::new(),
        detail: None,
    }
}

fn detail(
    deployment: &Deployment,
    endpoint: Option<String>,
    seen: &Observed,
    cron_jobs: Vec<CronJobLine>,
) -> Result<Detail> {
    let template = deployment
        .spec
        .as_ref()
        .and_then(|spec| spec.template.spec.as_ref());
    let template = template.ok_or_else(|| Error::failed("the Deployment has no pod template"))?;
    let engine = template
        .containers
        .first()
        .ok_or_else(|| Error::failed("the Deployment has no container"))?;
    Ok(Detail {
        image: engine.image.clone(),
        runtime_class: runtime_class(template).to_owned(),
        resources: resources(engine),
        endpoint,
        pods: seen.pods.values().map(pod).collect(),
        events: events::recent(seen, deployment),
        cron_jobs,
    })
}

fn runtime_class(template: &PodSpec) -> &str {
    template.runtime_class_name.as_deref().unwrap_or("none")
}

fn resources(engine: &Container) -> Resources {
    let resources = engine.resources.clone().unwrap_or_default();
    Resources {
        requests: resources.requests.map(amounts),
        limits: resources.limits.map(amounts),
    }
}

fn amounts(quantities: BTreeMap<String, Quantity>) -> BTreeMap<String, String> {
    quantities
        .into_iter()
        .map(|(name, Quantity(amount))| (name, amount))
        .collect()
}

fn pod(pod: &Pod) -> PodLine {
    let restarts = diagnosis::containers(pod)
        .map(|container| container.restart_count)
        .sum();
    let status = pod.status.as_ref();
    PodLine {
        name: pod.name_any(),
        phase: status.and_then(|status| status.phase.clone()),
        ready: diagnosis::containers(pod).all(|container| container.ready),
        restarts,
        node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
    }
}

fn cron_job((cron_job, newest): &(CronJob, Option<Job>)) -> CronJobLine {
    let spec = cron_job.spec.as_ref();
    let status = cron_job.status.clone().unwrap_or_default();
    let time = |time: Option<Time>| time.map(|time| time.0.to_string());
    CronJobLine {
        name: cron_job.name_any(),
        schedule: spec.map(|spec| spec.schedule.clone()),
        timezone: spec.and_then(|spec| spec.time_zone.clone()),
        suspended: spec.and_then(|spec| spec.suspend).unwrap_or_default(),
        last_scheduled_at: time(status.last_schedule_time),
        last_succeeded_at: time(status.last_successful_time),
        last_run: newest.as_ref().map(last_run),
    }
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
        Some(condition) => trigger::told_end(
            condition.reason.as_deref().unwrap_or_default(),
            condition.message.as_deref().unwrap_or_default(),
        ),
        None => "running".to_owned(),
    }
}

/// `name: value` lines; lists indented below their name, and what kubectl shows as a table as one.
fn text(workflow: &Workflow, now: Timestamp) -> String {
    let is_said = |value: &Value| match value {
        Value::Null => false,
        Value::Object(_) => !inline(value).is_empty(),
        _ => true,
    };
    let fields = json!(workflow);
    let fields = fields
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| is_said(value) && *name != "refused");
    let detail = workflow.detail.as_ref();
    let lines = fields.map(|(name, value)| match (value, detail) {
        (Value::Array(items), _) if items.is_empty() => format!("{name}: none"),
        (Value::Array(_), Some(detail)) if name == "events" => {
            below(name, &events::table(&detail.events, now))
        }
        (Value::Array(_), Some(detail)) if name == "pods" => below(name, &pod_table(&detail.pods)),
        (Value::Array(items), _) => {
            below(name, &items.iter().map(item).collect::<Vec<_>>().join("\n"))
        }
        (other, _) => format!("{name}: {}", inline(other)),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn below(name: &str, lines: &str) -> String {
    let indented = lines.lines().map(|line| format!("\n  {line}"));
    format!("{name}:{}", indented.collect::<String>())
}

fn pod_table(pods: &[PodLine]) -> String {
    let cells = |pod: &PodLine| {
        [
            pod.name.clone(),
            pod.ready.to_string(),
            pod.phase.clone().unwrap_or_default(),
            pod.restarts.to_string(),
            pod.node.clone().unwrap_or_default(),
        ]
    };
    let header = ["NAME", "READY", "STATUS", "RESTARTS", "NODE"];
    table::render(header, pods.iter().map(cells))
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
    shown.join(" ")
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let shown: Vec<_> = fields
                .iter()
                .map(|(name, value)| (name, inline(value)))
                .filter(|(_, text)| !text.is_empty())
                .map(|(name, text)| format!("{name} {text}"))
                .collect();
            shown.join(", ")
        }
        Value::Null => String::new(),
        Value::Array(items) => items.iter().map(inline).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
