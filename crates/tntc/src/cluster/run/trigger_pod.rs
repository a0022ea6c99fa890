//! What the cluster says of a trigger pod: why it does not start, and how its container ended.

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, LogParams};
use tntc_core::manifests::trigger::CONTAINER;
use tntc_core::observe::Observed;
use tntc_core::observe::diagnosis;

use crate::cluster::client::limits;
use crate::cluster::rollout::watch::Watch;
use crate::outcome::{Error, Result};

/// Waits until the pod's container runs, or has run.
///
/// # Errors
/// It never will.
pub async fn started(watch: &mut Watch, pod: &str) -> Result<()> {
    loop {
        let seen = watch.changed().await;
        if seen.pods.get(pod).is_some_and(has_started) {
            return Ok(());
        }
        if let Some(error) = cannot_start(seen, pod) {
            return Err(error);
        }
    }
}

/// Waits until the pod's container has ended, or the pod was deleted.
pub async fn over(watch: &mut Watch, pod: &str) {
    let mut was_there = false;
    loop {
        match watch.seen().pods.get(pod) {
            Some(found) if has_ended(found) => return,
            Some(_) => was_there = true,
            None if was_there => return,
            None => {}
        }
        watch.changed().await;
    }
}

/// Whether the pod's container has ended.
pub fn has_ended(pod: &Pod) -> bool {
    diagnosis::containers(pod).any(|container| {
        let state = container.state.as_ref();
        state.is_some_and(|state| state.terminated.is_some())
    })
}

/// What a pod that does not run yet is waiting for, in the cluster's words.
pub fn waiting_for(seen: &Observed, name: &str) -> String {
    let Some(pod) = seen.pods.get(name) else {
        return "it is being created".to_owned();
    };
    let problem = diagnosis::problem(None, std::iter::once(pod), &seen.events.values());
    let waiting = || {
        diagnosis::containers(pod)
            .find_map(|container| container.state.as_ref()?.waiting.as_ref()?.reason.clone())
    };
    let phase = || pod.status.as_ref().and_then(|status| status.phase.clone());
    let told = problem.map(|problem| problem.to_string());
    told.or_else(waiting)
        .or_else(phase)
        .unwrap_or_else(|| "Pending".to_owned())
}

/// What keeps the pod's container from ever starting.
pub fn cannot_start(seen: &Observed, pod: &str) -> Option<Error> {
    let pod = seen.pods.get(pod)?;
    // That it ended is no problem: curl's status follows the workflow's.
    if has_started(pod) {
        return None;
    }
    let problem = diagnosis::problem(None, std::iter::once(pod), &seen.events.values());
    let problem = problem.filter(|problem| problem.fatal)?;
    let error = Error::surroundings(format!(
        "the trigger pod cannot start: {problem}; nothing was started"
    ));
    Some(
        error.hint(
            "its image is `trigger_image` in the config file; the nodes must be able to pull it",
        ),
    )
}

/// Whether the pod's container runs, or has run.
pub fn has_started(pod: &Pod) -> bool {
    diagnosis::containers(pod).any(|container| {
        container
            .state
            .as_ref()
            .is_some_and(|state| state.running.is_some() || state.terminated.is_some())
    })
}

/// Everything that curl has written so far, which the kubelet keeps for as long as there is the pod. An answer is one line
/// of any length, so the request has the bound of answers, and none of its lines that of logs.
pub async fn log(pods: &Api<Pod>, pod: &str) -> Result<String, kube::Error> {
    let parameters = LogParams {
        container: Some(CONTAINER.to_owned()),
        limit_bytes: i64::try_from(limits::ANSWER).ok(),
        ..LogParams::default()
    };
    pods.logs(pod, &parameters).await
}
