//! Waiting for the rollout that a deploy made, and only for that one.

pub mod events;
pub mod watch;

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use tntc_core::observe::diagnosis::Problem;
use tntc_core::observe::workload::{is_complete, problem};

use super::Cluster;
use crate::outcome::{Error, Result};
use watch::Watch;

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
