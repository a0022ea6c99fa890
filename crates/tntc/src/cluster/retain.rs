//! ConfigMap keys that running pods still mount stay until no pod does: a pod whose `items` name a missing key could
//! not be restarted on its node.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use tntc_core::manifests::{Plan, labels};

use super::{Cluster, apply, errors};
use crate::error::Result;

/// Adds to the plan's ConfigMap what the present one holds beyond it and some pod still mounts.
pub async fn keep_referenced_keys(cluster: &Cluster, mut plan: Plan) -> Result<Plan> {
    let name = plan.config_map.name_any();
    let namespace = plan.config_map.namespace().unwrap_or_default();
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), &namespace);
    let before = maps
        .get_opt(&name)
        .await
        .map_err(|cause| errors::tell(&format!("reading ConfigMap/{name}"), cause))?;
    let Some(before) = before.filter(apply::is_ours) else {
        return Ok(plan);
    };
    let wanted = plan.config_map.data.get_or_insert_default();
    let old = before.data.unwrap_or_default();
    if old.keys().all(|key| wanted.contains_key(key)) {
        return Ok(plan);
    }
    let mounted = mounted_keys(cluster, &namespace, &plan.deployment.name_any(), &name).await?;
    let kept = old.into_iter().filter(|(key, _)| mounted.contains(key));
    for (key, content) in kept {
        wanted.entry(key).or_insert(content);
    }
    Ok(plan)
}

async fn mounted_keys(
    cluster: &Cluster,
    namespace: &str,
    workflow: &str,
    config_map: &str,
) -> Result<BTreeSet<String>> {
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let ours = ListParams::default().labels(&format!("{}={workflow}", labels::NAME));
    let pods = pods
        .list(&ours)
        .await
        .map_err(|cause| errors::tell("listing pods", cause))?;
    let volumes = pods
        .items
        .into_iter()
        .filter_map(|pod| pod.spec?.volumes)
        .flatten();
    let sources = volumes
        .filter_map(|volume| volume.config_map)
        .filter(|source| source.name == config_map);
    Ok(sources
        .filter_map(|source| source.items)
        .flatten()
        .map(|item| item.key)
        .collect())
}
