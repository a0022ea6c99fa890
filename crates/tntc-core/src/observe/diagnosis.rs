//! Why a pod does not run, in the pod's own words: a pure function of what the API server shows.
//!
//! Each failure shows first in another place: an image in the container's waiting reason, a missing volume only in an
//! event, quota and Pod Security only in a condition of the ReplicaSet.

use std::borrow::Cow;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Event, Pod};
use k8s_openapi::jiff::Timestamp;

/// What keeps a pod from running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Kubernetes' own reason, such as `ErrImagePull`.
    pub reason: String,
    /// Kubernetes' own message.
    pub message: String,
    /// Whether waiting cannot be expected to help.
    pub fatal: bool,
    /// What to do about it.
    pub hint: Option<Cow<'static, str>>,
}

impl Problem {
    /// Whether a container crashed and the kubelet is about to start it again at once; only after a second crash does it
    /// wait, and say `CrashLoopBackOff`.
    #[must_use]
    pub fn is_first_crash(&self) -> bool {
        matches!(self.reason.as_str(), "Error" | "OOMKilled")
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.message.trim() {
            "" => out.write_str(&self.reason),
            message => write!(out, "{}: {message}", self.reason),
        }
    }
}

/// Reasons of a waiting container that do not pass by themselves.
const STUCK: [&str; 9] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "CrashLoopBackOff",
    "StartError",
];

/// The most telling problem of the pods and their ReplicaSet, fatal ones first.
pub fn problem<'a>(
    replica_set: Option<&ReplicaSet>,
    pods: impl Iterator<Item = &'a Pod>,
    events: &(impl Iterator<Item = &'a Event> + Clone),
) -> Option<Problem> {
    let mut found: Vec<Problem> = replica_set.and_then(not_created).into_iter().collect();
    for pod in pods {
        found.extend(of_pod(pod, events.clone()));
    }
    found.sort_by_key(|problem| !problem.fatal);
    found.into_iter().next()
}

/// Quota, Pod Security and an absent RuntimeClass keep the pod from ever being created.
fn not_created(replica_set: &ReplicaSet) -> Option<Problem> {
    let conditions = replica_set.status.as_ref()?.conditions.as_ref()?;
    let failure = conditions
        .iter()
        .find(|condition| condition.type_ == "ReplicaFailure" && condition.status == "True")?;
    let message = failure.message.clone().unwrap_or_default();
    Some(Problem {
        reason: failure
            .reason
            .clone()
            .unwrap_or_else(|| "FailedCreate".to_owned()),
        hint: hint_for_refusal(&message).map(Cow::Borrowed),
        message,
        fatal: true,
    })
}

/// The way out when a quota is used up.
pub const QUOTA_HINT: &str = "raise the namespace's ResourceQuota, or free some of it";

fn hint_for_refusal(message: &str) -> Option<&'static str> {
    if message.contains("RuntimeClass") {
        Some("the cluster lacks this RuntimeClass: install it, or deploy with --runtime-class \"\"")
    } else if message.contains("exceeded quota") {
        Some(QUOTA_HINT)
    } else if message.contains("violates PodSecurity") {
        Some(
            "the pods pass the level `restricted`: see which label pod-security.kubernetes.io/enforce the namespace has, and what was changed in them on their way",
        )
    } else if message.contains("denied") {
        Some(
            "an admission policy or webhook of the cluster refused the pods: ask whoever runs it, or meet what it asks for",
        )
    } else {
        None
    }
}

fn of_pod<'a>(pod: &Pod, events: impl Iterator<Item = &'a Event>) -> Vec<Problem> {
    let name = pod.metadata.name.as_deref();
    let about = events.filter(|event| event.involved_object.name.as_deref() == name);
    let mut found: Vec<_> = containers(pod).filter_map(of_container).collect();
    found.extend(unschedulable(pod));
    found.extend(ended(pod));
    found.extend(about.filter_map(of_event));
    found
}

/// Every container status of the pod, whatever kind of container it is.
pub fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let init = status.and_then(|status| status.init_container_statuses.as_ref());
    let main = status.and_then(|status| status.container_statuses.as_ref());
    init.into_iter().chain(main).flatten()
}

/// Whether a container of the pod cannot start, or crashed last time.
#[must_use]
pub fn is_stuck(pod: &Pod) -> bool {
    let problem = |container: &ContainerStatus| of_container(container);
    containers(pod).filter_map(problem).any(|it| it.fatal)
}

fn of_container(container: &ContainerStatus) -> Option<Problem> {
    waiting(container).or_else(|| crashed(container))
}

fn waiting(container: &ContainerStatus) -> Option<Problem> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.clone()?;
    if !STUCK.contains(&reason.as_str()) {
        return None;
    }
    Some(Problem {
        hint: hint_for(&reason).map(Cow::Borrowed),
        message: waiting.message.clone().unwrap_or_default(),
        reason,
        fatal: true,
    })
}

/// A container that ended with an error shows here long before `CrashLoopBackOff`.
fn crashed(container: &ContainerStatus) -> Option<Problem> {
    let last = container
        .last_state
        .as_ref()
        .and_then(|state| state.terminated.as_ref());
    let ended = container
        .state
        .as_ref()
        .and_then(|state| state.terminated.as_ref())
        .or(last)?;
    if ended.exit_code == 0 || container.ready {
        return None;
    }
    Some(of_end(container, ended))
}

/// How a container of the pod ended at this time or later, also when another one runs in its place by now.
#[must_use]
pub fn ended_since(pod: &Pod, since: Timestamp) -> Option<Problem> {
    containers(pod).find_map(|container| {
        let states = [&container.state, &container.last_state];
        let mut ends = states
            .into_iter()
            .filter_map(|state| state.as_ref()?.terminated.as_ref());
        let later = |end: &&ContainerStateTerminated| {
            end.finished_at.as_ref().is_some_and(|at| at.0 >= since)
        };
        ends.find(later).map(|end| of_end(container, end))
    })
}

fn of_end(container: &ContainerStatus, ended: &ContainerStateTerminated) -> Problem {
    let reason = ended.reason.clone().unwrap_or_else(|| "Error".to_owned());
    let detail = ended
        .message
        .clone()
        .map(|message| format!(": {message}"))
        .unwrap_or_default();
    Problem {
        message: format!(
            "container {} ended with exit status {}{detail}",
            container.name, ended.exit_code
        ),
        hint: Some(Cow::Borrowed(if reason == "OOMKilled" {
            "the container needed more memory than its limit"
        } else {
            "the last lines of the container's log tell why"
        })),
        reason,
        fatal: true,
    }
}

fn hint_for(reason: &str) -> Option<&'static str> {
    match reason {
        "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" => Some(
            "check the image's name and that the nodes can pull it; `tntc build --push -r REGISTRY` builds and pushes one, --image names another",
        ),
        "InvalidImageName" => Some("write the image as [HOST/]NAME[:TAG][@DIGEST]"),
        "CrashLoopBackOff" => Some("the last lines of the container's log tell why"),
        _ => None,
    }
}

/// Not fatal: an autoscaler may add a node.
fn unschedulable(pod: &Pod) -> Option<Problem> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let refused = conditions
        .iter()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")?;
    Some(Problem {
        reason: refused
            .reason
            .clone()
            .unwrap_or_else(|| "Unschedulable".to_owned()),
        message: refused.message.clone().unwrap_or_default(),
        fatal: false,
        hint: Some("no node can take the pod now".into()),
    })
}

/// The kubelet itself ended the pod, as on eviction or at its deadline.
fn ended(pod: &Pod) -> Option<Problem> {
    let status = pod.status.as_ref()?;
    let reason = status
        .reason
        .clone()
        .filter(|_| status.phase.as_deref() == Some("Failed"))?;
    Some(Problem {
        reason,
        message: status.message.clone().unwrap_or_default(),
        fatal: true,
        hint: None,
    })
}

/// Some failures show in events only.
fn of_event(event: &Event) -> Option<Problem> {
    let reason = event.reason.as_deref()?;
    let message = event.message.clone().unwrap_or_default();
    let (fatal, hint) = match reason {
        // The kubelet says so in passing at every first mount.
        "FailedMount" if message.contains("failed to sync") => return None,
        "FailedMount" => (true, None),
        "FailedCreatePodSandBox" => (false, None),
        "Unhealthy" => (
            false,
            Some(
                "the engine answers /health once every node file is loaded: what do they do at their top level?",
            ),
        ),
        _ => return None,
    };
    Some(Problem {
        reason: reason.to_owned(),
        message,
        fatal,
        hint: hint.map(Cow::Borrowed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(status: &Value) -> Pod {
        let pod = json!({"metadata": {"name": "p"}, "status": status});
        serde_json::from_value(pod).expect("a pod")
    }

    fn problem_of(pod: &Pod) -> Option<Problem> {
        problem(None, std::iter::once(pod), &std::iter::empty())
    }

    fn container(state: &Value) -> Value {
        json!({"containerStatuses": [{"name": "engine", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state}]})
    }

    #[test]
    fn an_image_that_cannot_be_pulled_is_told_in_the_pods_words() {
        let state = json!({"waiting": {"reason": "ErrImagePull", "message": "no such host"}});
        let found = problem_of(&pod(&container(&state))).expect("a problem");
        assert_eq!(found.to_string(), "ErrImagePull: no such host");
        assert!(found.fatal);
    }

    #[test]
    fn a_container_that_is_being_created_is_no_problem() {
        let state = json!({"waiting": {"reason": "ContainerCreating"}});
        assert_eq!(problem_of(&pod(&container(&state))), None);
    }

    #[test]
    fn a_crash_is_told_before_the_kubelet_backs_off() {
        let state = json!({"terminated": {"exitCode": 1, "reason": "Error"}});
        let found = problem_of(&pod(&container(&state))).expect("a problem");
        assert_eq!(
            found.to_string(),
            "Error: container engine ended with exit status 1"
        );
    }

    #[test]
    fn an_end_during_a_run_is_told_also_when_another_container_is_ready_by_now() {
        let mut status = container(&json!({"running": {}}));
        status["containerStatuses"][0]["ready"] = json!(true);
        status["containerStatuses"][0]["lastState"] = json!({"terminated":
            {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-01-02T03:04:05Z"}});
        let pod = pod(&status);
        let told = |since: &str| ended_since(&pod, since.parse().expect("a time"));
        let during = told("2026-01-02T03:04:05Z").expect("an end");
        assert_eq!(
            during.to_string(),
            "OOMKilled: container engine ended with exit status 137"
        );
        assert_eq!(told("2026-01-02T03:04:06Z"), None);
    }

    #[test]
    fn a_pod_that_ended_well_is_no_problem() {
        let state = json!({"terminated": {"exitCode": 0, "reason": "Completed"}});
        assert_eq!(problem_of(&pod(&container(&state))), None);
    }

    #[test]
    fn a_passing_mount_failure_is_not_told() {
        let event = |message: &str| -> Event {
            let event = json!({"metadata": {}, "involvedObject": {"name": "p"}, "reason": "FailedMount", "message": message});
            serde_json::from_value(event).expect("an event")
        };
        let pod = pod(&json!({}));
        let passing = [event("failed to sync configmap cache: timed out")];
        let lasting = [event("configmap \"c\" not found")];
        assert_eq!(problem(None, std::iter::once(&pod), &passing.iter()), None);
        assert!(
            problem(None, std::iter::once(&pod), &lasting.iter())
                .is_some_and(|problem| problem.fatal)
        );
    }

    #[test]
    fn a_fatal_problem_is_told_before_one_that_may_pass() {
        let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "m"}});
        let mut status = container(&waiting);
        status["conditions"] =
            json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]);
        assert_eq!(
            problem_of(&pod(&status))
                .map(|problem| problem.reason)
                .as_deref(),
            Some("ImagePullBackOff")
        );
    }

    #[test]
    fn a_pod_refused_by_admission_is_told_by_its_replica_set() {
        let refused = json!({"metadata": {}, "status": {"replicas": 0, "conditions": [
            {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: q"}
        ]}});
        let refused: ReplicaSet = serde_json::from_value(refused).expect("a ReplicaSet");
        let found =
            problem(Some(&refused), std::iter::empty(), &std::iter::empty()).expect("a problem");
        assert_eq!(found.to_string(), "FailedCreate: exceeded quota: q");
        assert!(
            found
                .hint
                .is_some_and(|hint| hint.contains("ResourceQuota"))
        );
    }
}
