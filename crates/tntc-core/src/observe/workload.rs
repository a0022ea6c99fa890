//! How a workflow's Deployment is doing: its replicas, whether its rollout is complete, and what keeps it from that.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::Observed;
use super::diagnosis::{self, Problem};

/// Annotation by which the Deployment controller numbers its `ReplicaSet`s.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// How many replicas are wanted; one where nothing is said (Kubernetes' default).
#[must_use]
pub fn wanted(deployment: &Deployment) -> i32 {
    let spec = deployment.spec.as_ref();
    spec.and_then(|spec| spec.replicas).unwrap_or(1)
}

/// How many replicas are ready.
#[must_use]
pub fn ready(deployment: &Deployment) -> i32 {
    let status = deployment.status.as_ref();
    status
        .and_then(|status| status.ready_replicas)
        .unwrap_or_default()
}

/// Every wanted replica runs the newest template and no older one is left.
#[must_use]
pub fn is_complete(deployment: &Deployment) -> bool {
    let wanted = wanted(deployment);
    let Some(status) = &deployment.status else {
        return false;
    };
    let counts = [
        status.updated_replicas,
        status.available_replicas,
        status.replicas,
    ];
    counts
        .iter()
        .all(|count| count.unwrap_or_default() == wanted)
}

/// What keeps the pods of the newest template from running; older pods do not count.
#[must_use]
pub fn problem(seen: &Observed, deployment: &Deployment) -> Option<Problem> {
    let newest = newest_replica_set(seen, deployment)?;
    let uid = newest.metadata.uid.clone();
    let pods = seen.pods.values().filter(|pod| {
        let mut owners = pod.metadata.owner_references.iter().flatten();
        owners.any(|owner| Some(&owner.uid) == uid.as_ref())
    });
    diagnosis::problem(Some(newest), pods, &seen.events.values())
}

fn newest_replica_set<'a>(seen: &'a Observed, deployment: &Deployment) -> Option<&'a ReplicaSet> {
    let newest = revision(&deployment.metadata)?;
    seen.replica_sets
        .values()
        .find(|set| revision(&set.metadata) == Some(newest))
}

fn revision(metadata: &ObjectMeta) -> Option<&String> {
    metadata.annotations.as_ref()?.get(REVISION)
}

/// A problem only matters while the rollout is not complete.
#[must_use]
pub fn current_problem(seen: &Observed, deployment: &Deployment) -> Option<Problem> {
    if is_complete(deployment) {
        return None;
    }
    problem(seen, deployment)
}

/// Whether a rollout cannot be expected to end well: its pods crash, cannot start or are refused, or its time is over.
#[must_use]
pub fn is_failing<'a>(deployment: &Deployment, pods: impl Iterator<Item = &'a Pod>) -> bool {
    let status = deployment.status.as_ref();
    let mut conditions = status
        .and_then(|status| status.conditions.as_ref())
        .into_iter()
        .flatten();
    let refused = conditions.any(|condition| {
        let state = (condition.type_.as_str(), condition.status.as_str());
        matches!(state, ("ReplicaFailure", "True") | ("Progressing", "False"))
    });
    let mut staying = pods.filter(|pod| pod.metadata.deletion_timestamp.is_none());
    refused || staying.any(diagnosis::is_stuck)
}
