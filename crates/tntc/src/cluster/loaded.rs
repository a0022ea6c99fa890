//! What the pods of a workflow have loaded, as their engines report it in the first line of their logs.
//!
//! The log reaches us through the kubelet, whatever a NetworkPolicy closes, and needs no right but `get` on `pods/log`,
//! which `tntc logs` needs as well. Who lacks it is told that nothing could be seen, and nothing fails.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::ResourceExt;
use kube::api::{Api, LogParams};
use tntc_core::manifests::loaded::{Held, Loaded, mounted_secret};
use tntc_core::manifests::{code, deployment, labels};
use tntc_core::observe::diagnosis::{self, Problem};

use super::client::errors;
use super::{Cluster, inventory, objects};
use crate::outcome::{Error, Result};

/// Enough of a log for the report and for what Deno may warn of before it.
const BEGINNING_BYTES: i64 = 8 * 1024;

/// What could be found out about the running pods of a workflow.
#[derive(Debug, Default)]
pub struct Reports {
    /// Pods with what they have loaded.
    pub known: Vec<(Pod, Loaded)>,
    /// A line for each pod of which it is not known, with the reason.
    pub unknown: Vec<String>,
}

/// Asks every pod that is ready; those that are about to go do not count.
pub async fn reports(cluster: &Cluster, namespace: &str, pods: Vec<Pod>) -> Reports {
    let pods: Vec<_> = pods.into_iter().filter(is_serving).collect();
    let api: Api<Pod> = objects::api(cluster, namespace);
    let parameters = LogParams {
        container: Some(deployment::CONTAINER.to_owned()),
        limit_bytes: Some(BEGINNING_BYTES),
        ..LogParams::default()
    };
    let names: Vec<_> = pods.iter().map(ResourceExt::name_any).collect();
    let logs = join_all(names.iter().map(|name| api.logs(name, &parameters))).await;
    let mut reports = Reports::default();
    for (pod, log) in pods.into_iter().zip(logs) {
        let name = pod.name_any();
        match log.map(|log| Loaded::parse(&log)) {
            Ok(Some(loaded)) => reports.known.push((pod, loaded)),
            Ok(None) => reports.unknown.push(format!(
                "what pod {name} has loaded is not known: its log does not begin with the engine's report, as with an older engine image or a log that was rotated"
            )),
            // Gone since the pods were listed.
            Err(cause) if errors::is_not_found(&cause) => {}
            Err(cause) => reports.unknown.push(format!(
                "what pod {name} has loaded is not known: {}",
                errors::tell("reading its log", cause).message
            )),
        }
    }
    reports
}

/// An engine that is ready has written its report.
fn is_serving(pod: &Pod) -> bool {
    let mut containers = diagnosis::containers(pod);
    pod.metadata.deletion_timestamp.is_none()
        && containers.any(|it| it.name == deployment::CONTAINER && it.ready)
}

/// UIDs of the running pods that have loaded other code than their own template names, or none of the secrets it had.
/// What was deployed since is not looked at, so that many workflows take few requests.
pub async fn unlike_their_templates(cluster: &Cluster, pods: &[Pod]) -> BTreeSet<String> {
    let mut by_namespace: BTreeMap<String, Vec<Pod>> = BTreeMap::new();
    for pod in pods {
        let namespace = pod.namespace().unwrap_or_default();
        by_namespace.entry(namespace).or_default().push(pod.clone());
    }
    let asked = by_namespace
        .into_iter()
        .map(|(namespace, pods)| async move { reports(cluster, &namespace, pods).await });
    let known = join_all(asked).await.into_iter().flat_map(|it| it.known);
    known
        .filter(|(pod, loaded)| {
            let annotation = |name: &str| pod.annotations().get(name);
            annotation(labels::CODE_HASH).is_some_and(|hash| *hash != loaded.revision)
                || annotation(labels::SECRETS_HASH).is_some() && loaded.secrets == "none"
        })
        .filter_map(|(pod, _)| pod.uid())
        .collect()
}

/// What the cluster holds for these pods now.
pub async fn held(cluster: &Cluster, namespace: &str, workflow: &str, pods: &[Pod]) -> Held {
    let config_maps: Api<ConfigMap> = objects::api(cluster, namespace);
    let secrets: Api<Secret> = objects::api(cluster, namespace);
    let code_name = code::name(workflow);
    let secret = async {
        let name = pods.iter().find_map(mounted_secret)?;
        secrets.get_opt(name).await.ok()
    };
    let (config_map, secret) = futures::join!(config_maps.get_opt(&code_name), secret);
    Held {
        config_map: config_map.ok().flatten(),
        secret,
    }
}

/// The first pod that would load something else if it started now.
pub fn out_of_sync(held: &Held, reports: &Reports) -> Option<Problem> {
    reports.known.iter().find_map(|(pod, loaded)| {
        let difference = *held.differences(pod, loaded).first()?;
        Some(Problem {
            reason: "OutOfSync".to_owned(),
            message: format!(
                "pod {} has loaded other {} than the cluster holds",
                pod.name_any(),
                difference.what()
            ),
            fatal: false,
            hint: None,
        })
    })
}

/// Looks at all running pods of the workflow: what is out of sync, and what could not be seen.
///
/// # Errors
/// The pods cannot be listed.
pub async fn look(
    cluster: &Cluster,
    namespace: &str,
    workflow: &str,
) -> Result<(Option<Problem>, Vec<String>)> {
    let pods = inventory::pods(cluster, namespace, workflow).await?;
    let held = held(cluster, namespace, workflow, &pods).await;
    let reports = reports(cluster, namespace, pods).await;
    let problem = out_of_sync(&held, &reports).map(|problem| {
        let deploy = format!("deploy DIR -n {namespace}");
        let deploy = cluster.followup.tntc(deploy);
        let hint = format!("deploy again, which restarts such pods: {deploy}");
        Problem {
            hint: Some(hint.into()),
            ..problem
        }
    });
    Ok((problem, reports.unknown))
}

/// Requires that every running pod has loaded what the cluster holds; what could not be seen comes back.
///
/// # Errors
/// A pod has loaded something else.
pub async fn verify(cluster: &Cluster, namespace: &str, workflow: &str) -> Result<Vec<String>> {
    match look(cluster, namespace, workflow).await? {
        (None, unknown) => Ok(unknown),
        (Some(problem), _) => {
            let restart = format!("deploy DIR --restart -n {namespace}");
            let restart = cluster.followup.tntc(restart);
            Err(Error::failed(format!("verification: {}", problem.message))
                .hint(format!("restart the pods with: {restart}")))
        }
    }
}
