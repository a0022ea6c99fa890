//! Does this cluster enforce network policies? Two pods and a policy that closes one of two ports tell.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use tntc_core::audit;
use tntc_core::manifests::probe::{CLOSED_IS_OPEN, OPEN_IS_CLOSED, Probe};
use tntc_core::observe::diagnosis;

use crate::cluster::client::errors;
use crate::cluster::rollout::watch::Watch;
use crate::cluster::{Cluster, objects, unique};
use crate::outcome::{Check, CheckStatus, Error, Result};
use crate::process::interrupt::Interrupt;

/// Bound of the whole proof: two pod starts, and ten seconds for the policy to take effect.
const PATIENCE: Duration = Duration::from_mins(1);

/// Proves it, and removes the pods and the policy whatever happens.
pub async fn enforcement(cluster: &Cluster, namespace: &str, image: &str) -> Check {
    let suffix = unique::suffix();
    let probe = Probe {
        namespace,
        image,
        suffix: &suffix,
    };
    let outcome = prove(cluster, &probe).await;
    let removed = remove(cluster, &probe).await;
    match outcome.and_then(|found| removed.map(|()| found)) {
        Ok(check) => check,
        Err(error) => {
            let message =
                format!("Whether network policies are enforced could not be proven: {error}");
            let check = Check::new("network-policy", CheckStatus::Unknown, message);
            error.hints.into_iter().fold(check, Check::remedy)
        }
    }
}

async fn prove(cluster: &Cluster, probe: &Probe<'_>) -> Result<Check> {
    let mut interrupt = Interrupt::listen()?;
    tokio::select! {
        found = tokio::time::timeout(PATIENCE, watch(cluster, probe)) => {
            found.unwrap_or_else(|_| Err(Error::surroundings(format!("no result after {}s", PATIENCE.as_secs()))))
        }
        signal = interrupt.raised() => Err(signal.error("interrupted")),
    }
}

async fn watch(cluster: &Cluster, probe: &Probe<'_>) -> Result<Check> {
    let pods: Api<Pod> = objects::api(cluster, probe.namespace);
    let policies: Api<NetworkPolicy> = objects::api(cluster, probe.namespace);
    let post = PostParams::default();
    let told = |cause| errors::tell("creating the probe", cause);
    policies
        .create(&post, &probe.policy())
        .await
        .map_err(told)?;
    let server = pods.create(&post, &probe.server()).await.map_err(told)?;
    let address = address(cluster, probe.namespace, &server.name_any()).await?;
    let client = pods
        .create(&post, &probe.client(&address))
        .await
        .map_err(told)?;
    let ended = exit_status(cluster, probe.namespace, &client.name_any()).await?;
    match opener(&policies, probe, server.labels()).await? {
        Some(policy) if ended == CLOSED_IS_OPEN => Ok(opened(&policy)),
        _ => Ok(verdict(ended)),
    }
}

/// A policy of somebody else's that lets others in to the server, if there is one.
async fn opener(
    policies: &Api<NetworkPolicy>,
    probe: &Probe<'_>,
    labels: &BTreeMap<String, String>,
) -> Result<Option<String>> {
    let listed = policies.list(&ListParams::default()).await;
    let listed = listed.map_err(|cause| errors::tell("listing networkpolicies", cause))?;
    let own = probe.policy().name_any();
    let mut others = listed.items.iter().filter(|it| it.name_any() != own);
    Ok(others
        .find(|policy| audit::lets_in(policy, labels))
        .map(ResourceExt::name_any))
}

fn opened(policy: &str) -> Check {
    let message = format!(
        "Whether network policies are enforced could not be proven: NetworkPolicy/{policy} opens what the probe closes"
    );
    Check::new("network-policy", CheckStatus::Unknown, message)
        .remedy("Prove it in a namespace without a policy for all pods: -n NAMESPACE")
}

fn verdict(exit_status: i32) -> Check {
    let check = |state, message: &str| Check::new("network-policy", state, message);
    match exit_status {
        0 => check(CheckStatus::Pass, "Network policies are enforced"),
        CLOSED_IS_OPEN => check(CheckStatus::Fail, "Network policies are not enforced: a port that a policy closes stayed open")
            .remedy("Install a network plugin that enforces them, such as Calico, Cilium or kube-router"),
        OPEN_IS_CLOSED => check(CheckStatus::Unknown, "Whether network policies are enforced could not be proven: the two pods do not reach each other at all"),
        other => check(CheckStatus::Unknown, &format!("Whether network policies are enforced could not be proven: the probe ended with exit status {other}"))
            .remedy("The probe needs sh, curl and nc in `trigger_image`"),
    }
}

async fn address(cluster: &Cluster, namespace: &str, name: &str) -> Result<String> {
    observe(cluster, namespace, name, |pod| {
        let running = diagnosis::containers(pod).any(|container| container.started == Some(true));
        pod.status.as_ref()?.pod_ip.clone().filter(|_| running)
    })
    .await
}

async fn exit_status(cluster: &Cluster, namespace: &str, name: &str) -> Result<i32> {
    observe(cluster, namespace, name, |pod| {
        let mut ended = diagnosis::containers(pod)
            .filter_map(|container| container.state.as_ref()?.terminated.as_ref());
        ended.next().map(|ended| ended.exit_code)
    })
    .await
}

/// Watches a pod until it shows what is looked for, or cannot start.
async fn observe<T>(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    look: impl Fn(&Pod) -> Option<T>,
) -> Result<T> {
    let mut watch = Watch::pod(&cluster.client, namespace, name);
    loop {
        let seen = watch.changed().await;
        let Some(pod) = seen.pods.get(name) else {
            continue;
        };
        if let Some(found) = look(pod) {
            return Ok(found);
        }
        let problem = diagnosis::problem(None, std::iter::once(pod), &seen.events.values());
        if let Some(problem) = problem.filter(|problem| problem.fatal) {
            return Err(Error::surroundings(format!(
                "pod {name} cannot run: {problem}"
            )));
        }
    }
}

async fn remove(cluster: &Cluster, probe: &Probe<'_>) -> Result<()> {
    let pods: Api<Pod> = objects::api(cluster, probe.namespace);
    let policies: Api<NetworkPolicy> = objects::api(cluster, probe.namespace);
    let at_once = DeleteParams::default().grace_period(0);
    let (server, client, policy) = (
        probe.server().name_any(),
        probe.client("").name_any(),
        probe.policy().name_any(),
    );
    let (server, client, policy) = futures::join!(
        pods.delete(&server, &at_once),
        pods.delete(&client, &at_once),
        policies.delete(&policy, &at_once),
    );
    let causes = [server.err(), client.err(), policy.err()];
    let cause = causes
        .into_iter()
        .flatten()
        .find(|cause| !errors::is_not_found(cause));
    cause.map_or(Ok(()), |cause| {
        Err(errors::tell("removing the probe", cause))
    })
}
