//! One CronJob for each cron trigger: a hardened curl pod that starts the workflow once.

use k8s_openapi::api::batch::v1::{
    CronJob, CronJobSpec, JobSpec, JobTemplateSpec, PodFailurePolicy,
    PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern,
    PodFailurePolicyRule,
};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::json;

use super::{Inputs, deployment, labels, metadata, service, trigger};
use crate::cron::Schedule;
use crate::trigger::NEVER_REACHED;
use crate::workflow::{TimeZone, Trigger, TriggerName};

/// Seconds that a cron pod may take beyond the workflow's own longest run, for start and retries.
const SLACK_SECONDS: i64 = 60;

pub(super) fn build_all(inputs: &Inputs) -> Vec<CronJob> {
    let several = inputs.workflow.crons().count() > 1;
    let crons = inputs.workflow.crons().enumerate();
    crons
        .map(|(index, (trigger, schedule, timezone))| {
            let name = object_name(inputs.workflow.name.as_str(), several.then_some(index));
            let spec = spec(inputs, trigger, schedule, timezone);
            CronJob {
                metadata: metadata(inputs, name),
                spec: Some(spec),
                ..CronJob::default()
            }
        })
        .collect()
}

fn spec(
    inputs: &Inputs,
    trigger: &Trigger,
    schedule: &Schedule,
    timezone: Option<&TimeZone>,
) -> CronJobSpec {
    CronJobSpec {
        schedule: schedule.to_string(),
        time_zone: timezone.map(ToString::to_string),
        concurrency_policy: Some("Forbid".to_owned()),
        successful_jobs_history_limit: Some(3),
        failed_jobs_history_limit: Some(3),
        job_template: JobTemplateSpec {
            metadata: Some(ObjectMeta {
                labels: Some(labels::trigger_pod(inputs.workflow.name.as_str())),
                ..ObjectMeta::default()
            }),
            spec: Some(job(
                inputs,
                &body(trigger.name.as_ref().map(TriggerName::as_str)),
            )),
        },
        ..CronJobSpec::default()
    }
}

/// Name of the CronJob of the trigger with this index; the index is left out when there is only one.
#[must_use]
pub fn object_name(workflow: &str, index: Option<usize>) -> String {
    match index {
        Some(index) => format!("{workflow}-cron-{index}"),
        None => format!("{workflow}-cron"),
    }
}

/// Whether a CronJob of the workflow could have this name.
#[must_use]
pub fn is_name_of(name: &str, workflow: &str) -> bool {
    let rest = name
        .strip_prefix(workflow)
        .and_then(|rest| rest.strip_prefix("-cron"));
    let is_index =
        |index: &str| !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
    rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix('-').is_some_and(is_index))
}

fn body(trigger: Option<&str>) -> String {
    match trigger {
        Some(name) => json!({ "trigger": name }).to_string(),
        None => "{}".to_owned(),
    }
}

fn job(inputs: &Inputs, body: &str) -> JobSpec {
    let workflow = inputs.workflow.name.as_str();
    let url = service::run_url(workflow, inputs.namespace.as_str());
    let container = trigger::container(inputs.trigger_image, &url, trigger::Body::Text(body));
    JobSpec {
        backoff_limit: Some(3),
        pod_failure_policy: Some(failure_policy()),
        template: PodTemplateSpec {
            metadata: Some(ObjectMeta {
                labels: Some(labels::trigger_pod(workflow)),
                ..ObjectMeta::default()
            }),
            spec: Some(trigger::pod_spec(
                container,
                deployment::grace_seconds(inputs) + SLACK_SECONDS,
            )),
        },
        ..JobSpec::default()
    }
}

/// Never start a workflow that may already have been started: a disruption ends the Job, and so does every exit status
/// but those of a request that never arrived.
fn failure_policy() -> PodFailurePolicy {
    let disruption = PodFailurePolicyRule {
        action: "FailJob".to_owned(),
        on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
            type_: "DisruptionTarget".to_owned(),
            status: "True".to_owned(),
        }]),
        ..PodFailurePolicyRule::default()
    };
    let started = PodFailurePolicyRule {
        action: "FailJob".to_owned(),
        on_exit_codes: Some(PodFailurePolicyOnExitCodesRequirement {
            operator: "NotIn".to_owned(),
            values: NEVER_REACHED.to_vec(),
            ..PodFailurePolicyOnExitCodesRequirement::default()
        }),
        ..PodFailurePolicyRule::default()
    };
    PodFailurePolicy {
        rules: vec![disruption, started],
    }
}
