//! Waiting for the rollout that a deploy made, and only for that one.

pub mod diagnose;
pub mod events;
pub mod watch;

use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use kube::ResourceExt;

use super::Cluster;
use crate::outcome::{Error, Result};
use diagnose::Problem;
use watch::{Observed, Watch};

/// Annotation by which the Deployment controller numbers its `ReplicaSet`s.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// Waits until the given state of the Deployment is rolled out completely.
///
/// # Errors
/// The pod's own reason as soon as waiting cannot help; at the timeout, the last known reason.
pub async fn wait(cluster: &Cluster, applied: &Deployment, timeout: Duration) -> Result<()> {
    let name = applied.name_any();
    let namespace = applied.namespace().unwrap_or_default();
    let mut watch = Watch::rollout(&cluster.client, &namespace, &name);
    let generation = applied.metadata.generation.unwrap_or_default();
    match tokio::time::timeout(timeout, completion(&mut watch, &name, generation)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(problem)) => Err(told(&name, &namespace, &problem)),
        Err(_) => Err(timed_out(&watch, &name, &namespace, timeout)),
    }
}

async fn completion(watch: &mut Watch, name: &str, generation: i64) -> Result<(), Problem> {
    loop {
        let seen = watch.changed().await;
        let Some(deployment) = seen.deployments.get(name) else {
            continue;
        };
        if observed_generation(deployment) < generation {
            continue;
        }
        if is_complete(deployment) {
            return Ok(());
        }
        if let Some(problem) = problem(seen, deployment).filter(|problem| problem.fatal) {
            return Err(problem);
        }
    }
}

fn observed_generation(deployment: &Deployment) -> i64 {
    deployment
        .status
        .as_ref()
        .and_then(|status| status.observed_generation)
        .unwrap_or_default()
}

/// Every wanted replica runs the newest template and no older one is left.
pub fn is_complete(deployment: &Deployment) -> bool {
    let wanted = deployment
        .spec
        .as_ref()
        .and_then(|spec| spec.replicas)
        .unwrap_or(1);
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
pub fn problem(seen: &Observed, deployment: &Deployment) -> Option<Problem> {
    let newest = newest_replica_set(seen, deployment)?;
    let uid = newest.uid();
    let pods = seen.pods.values().filter(|pod| {
        let owners = pod.owner_references();
        owners.iter().any(|owner| Some(&owner.uid) == uid.as_ref())
    });
    diagnose::problem(Some(newest), pods, &seen.events.values())
}

fn newest_replica_set<'a>(seen: &'a Observed, deployment: &Deployment) -> Option<&'a ReplicaSet> {
    let revision = deployment.annotations().get(REVISION)?;
    seen.replica_sets
        .values()
        .find(|set| set.annotations().get(REVISION) == Some(revision))
}

fn told(name: &str, namespace: &str, problem: &Problem) -> Error {
    let error = Error::failed(format!(
        "rollout of {name} in namespace {namespace} failed: {problem}"
    ));
    problem.hint.clone().into_iter().fold(error, Error::hint)
}

fn timed_out(watch: &Watch, name: &str, namespace: &str, timeout: Duration) -> Error {
    let seen = watch.seen();
    let last = seen
        .deployments
        .get(name)
        .and_then(|deployment| problem(seen, deployment));
    let reason = last
        .as_ref()
        .map_or_else(|| "the pods are not ready".to_owned(), ToString::to_string);
    let error = Error::failed(format!(
        "rollout of {name} in namespace {namespace} is not complete after {}s: {reason}",
        timeout.as_secs()
    ));
    let hint = last.and_then(|problem| problem.hint);
    let error = hint.into_iter().fold(error, Error::hint);
    error.hint("give it more time with --timeout")
}
