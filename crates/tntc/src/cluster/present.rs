//! What a plan takes over from what is there: files that running pods still mount, and when they were last restarted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use kube::api::Api;
use tntc_core::manifests::{Plan, labels};

use super::apply::{self, Applied, Object, Options};
use super::{Cluster, errors, inventory};
use crate::error::{Error, Result};
use crate::unique;

/// How often a deploy that another one got in between of is done again.
const ATTEMPTS: u32 = 8;

/// Applies the plan on top of what is there.
///
/// The ConfigMap and the Deployment are two objects, so two deploys at once can leave the one's code with the other's
/// revision. Whoever finds the other's code after its own Deployment begins again, with a restart, since a pod of its
/// revision may have started with the other's code; the last one to look wins.
pub async fn apply(
    cluster: &Cluster,
    plan: &Plan,
    restart: bool,
    options: Options,
) -> Result<Applied> {
    for attempt in 0..ATTEMPTS {
        let settled = settle(cluster, plan.clone(), restart || attempt > 0).await?;
        let applied = apply::all(cluster, &settled, options).await?;
        let there: Option<ConfigMap> = find(cluster, &plan.config_map).await?;
        if code_of(there.as_ref()) == code_of(Some(&plan.config_map)) {
            return Ok(applied);
        }
        tokio::time::sleep(some_time()).await;
    }
    Err(
        Error::failed("other deploys of this workflow kept getting in between")
            .hint("deploy again once they are done"),
    )
}

/// A tenth of a second to half of one, so that two deploys that met do not meet again.
fn some_time() -> Duration {
    let random = u32::from_str_radix(&unique::suffix(), 16).unwrap_or_default();
    Duration::from_millis(u64::from(100 + random % 400))
}

async fn settle(cluster: &Cluster, mut plan: Plan, restart: bool) -> Result<Plan> {
    let (config_map, deployment) = futures::try_join!(
        find(cluster, &plan.config_map),
        find(cluster, &plan.deployment)
    )?;
    let restarted_at = if restart || is_torn(&plan, config_map.as_ref(), deployment.as_ref()) {
        Some(Timestamp::now().to_string())
    } else {
        template_annotation(deployment.as_ref(), labels::RESTARTED_AT)
    };
    if let (Some(at), Some(annotations)) =
        (restarted_at, template_annotations(&mut plan.deployment))
    {
        annotations.insert(labels::RESTARTED_AT.to_owned(), at);
    }
    if let Some(config_map) = config_map {
        keep_mounted_keys(cluster, &mut plan, config_map).await?;
    }
    Ok(plan)
}

async fn find<K: Object>(cluster: &Cluster, wanted: &K) -> Result<Option<K>> {
    let api: Api<K> = Api::namespaced(
        cluster.client.clone(),
        &wanted.namespace().unwrap_or_default(),
    );
    let found = api.get_opt(&wanted.name_any()).await;
    let found = found
        .map_err(|cause| errors::tell(&format!("reading {}", apply::describe(wanted)), cause))?;
    Ok(found.filter(apply::is_ours))
}

/// The Deployment has the plan's revision already but the ConfigMap another one's code, so that pods of this revision
/// may have started with that code.
fn is_torn(plan: &Plan, config_map: Option<&ConfigMap>, deployment: Option<&Deployment>) -> bool {
    let wanted = code_of(Some(&plan.config_map));
    let running = template_annotation(deployment, labels::CODE_HASH);
    running.as_ref() == wanted && config_map.is_some() && code_of(config_map) != wanted
}

fn code_of(config_map: Option<&ConfigMap>) -> Option<&String> {
    config_map?.annotations().get(labels::CODE_HASH)
}

fn template_annotation(deployment: Option<&Deployment>, name: &str) -> Option<String> {
    let template = &deployment?.spec.as_ref()?.template;
    template
        .metadata
        .as_ref()?
        .annotations
        .as_ref()?
        .get(name)
        .cloned()
}

fn template_annotations(deployment: &mut Deployment) -> Option<&mut BTreeMap<String, String>> {
    let template = &mut deployment.spec.as_mut()?.template;
    Some(
        template
            .metadata
            .as_mut()?
            .annotations
            .get_or_insert_default(),
    )
}

/// A pod whose `items` name a missing key could not be restarted on its node.
async fn keep_mounted_keys(cluster: &Cluster, plan: &mut Plan, before: ConfigMap) -> Result<()> {
    let (namespace, workflow) = (
        plan.deployment.namespace().unwrap_or_default(),
        plan.deployment.name_any(),
    );
    let name = plan.config_map.name_any();
    let wanted = plan.config_map.data.get_or_insert_default();
    let old = before.data.unwrap_or_default();
    if old.keys().all(|key| wanted.contains_key(key)) {
        return Ok(());
    }
    let mounted = mounted_keys(cluster, &namespace, &workflow, &name).await?;
    for (key, content) in old.into_iter().filter(|(key, _)| mounted.contains(key)) {
        wanted.entry(key).or_insert(content);
    }
    Ok(())
}

async fn mounted_keys(
    cluster: &Cluster,
    namespace: &str,
    workflow: &str,
    config_map: &str,
) -> Result<BTreeSet<String>> {
    let pods = inventory::pods(cluster, namespace, workflow).await?;
    let volumes = pods
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
