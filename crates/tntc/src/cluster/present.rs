//! What a plan takes over from what is there: files that running pods still mount, when they were last restarted, and
//! which build of the image they run.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::ResourceExt;
use kube::api::{Api, DynamicObject};
use serde::de::DeserializeOwned;
use serde_json::json;
use tntc_core::manifests::{Plan, labels};

use super::apply::{self, Object};
use super::{Cluster, errors, inventory};
use crate::error::{Error, Result};

/// The objects that a plan's pods are told by, as they were at one moment.
#[derive(Debug, Default)]
pub struct Present {
    config_map: Option<ConfigMap>,
    secret: Option<Secret>,
    deployment: Option<Deployment>,
}

impl Present {
    /// Picks them out of what was looked at.
    pub fn of(live: &[Option<DynamicObject>]) -> Result<Self> {
        Ok(Self {
            config_map: typed(live.iter().flatten())?,
            secret: typed(live.iter().flatten())?,
            deployment: typed(live.iter().flatten())?,
        })
    }

    /// The Deployment has the plan's revision already but the ConfigMap or the Secret is another one's, so that pods of
    /// this revision may have started with that.
    fn is_torn(&self, plan: &Plan) -> bool {
        let code = hash(Some(&plan.config_map), labels::CODE_HASH);
        let secrets = hash(plan.secret.as_ref(), labels::SECRETS_HASH);
        let is_running = |wanted: Option<&String>, label| {
            wanted.is_some() && self.template_annotation(label) == wanted
        };
        let other_code =
            self.config_map.is_some() && hash(self.config_map.as_ref(), labels::CODE_HASH) != code;
        let other_secrets =
            self.secret.is_some() && hash(self.secret.as_ref(), labels::SECRETS_HASH) != secrets;
        is_running(code, labels::CODE_HASH) && other_code
            || is_running(secrets, labels::SECRETS_HASH) && other_secrets
    }

    fn template_annotation(&self, name: &str) -> Option<&String> {
        let template = &self.deployment.as_ref()?.spec.as_ref()?.template;
        template.metadata.as_ref()?.annotations.as_ref()?.get(name)
    }

    /// A build that this directory does not know of still runs, as long as its tag is the one that is wanted.
    fn image_id(&self, plan: &Plan) -> Option<String> {
        let same = image(self.deployment.as_ref()?) == image(&plan.deployment);
        self.template_annotation(labels::IMAGE_ID)
            .filter(|_| same)
            .cloned()
    }
}

fn image(deployment: &Deployment) -> Option<&String> {
    let pod = deployment.spec.as_ref()?.template.spec.as_ref()?;
    pod.containers.first()?.image.as_ref()
}

fn hash<'a, K: Object>(object: Option<&'a K>, label: &str) -> Option<&'a String> {
    object?.annotations().get(label)
}

/// The first of some objects that is of this kind.
pub fn typed<'a, K: Object>(
    objects: impl IntoIterator<Item = &'a DynamicObject>,
) -> Result<Option<K>> {
    let kind = K::kind(&());
    let mut objects = objects.into_iter();
    let found = objects.find(|object| {
        let types = object.types.as_ref();
        types.is_some_and(|types| types.kind == kind)
    });
    found.map(parse).transpose()
}

fn parse<K: DeserializeOwned>(object: &DynamicObject) -> Result<K> {
    serde_json::from_value(json!(object)).map_err(|cause| {
        let name = object.name_any();
        Error::surroundings(format!("the cluster answered with an odd {name}: {cause}"))
    })
}

/// The plan on top of what is there.
pub async fn settle(
    cluster: &Cluster,
    plan: &Plan,
    present: &Present,
    restart: bool,
) -> Result<Plan> {
    let mut plan = plan.clone();
    let restarted_at = if restart || present.is_torn(&plan) {
        Some(Timestamp::now().to_string())
    } else {
        present.template_annotation(labels::RESTARTED_AT).cloned()
    };
    let image_id = present.image_id(&plan);
    if let Some(annotations) = template_annotations(&mut plan.deployment) {
        annotations.extend(restarted_at.map(|at| (labels::RESTARTED_AT.to_owned(), at)));
        if let Some(image_id) = image_id {
            annotations
                .entry(labels::IMAGE_ID.to_owned())
                .or_insert(image_id);
        }
    }
    if let Some(config_map) = &present.config_map {
        keep_mounted_keys(cluster, &mut plan, config_map).await?;
    }
    Ok(plan)
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

/// Whether the code and the secrets that are there now are the plan's.
pub async fn is_consistent(cluster: &Cluster, plan: &Plan) -> Result<bool> {
    let (config_map, secret) = futures::try_join!(
        find(cluster, Some(&plan.config_map)),
        find(cluster, plan.secret.as_ref())
    )?;
    let same_code = hash(config_map.as_ref(), labels::CODE_HASH)
        == hash(Some(&plan.config_map), labels::CODE_HASH);
    let same_secrets = hash(secret.as_ref(), labels::SECRETS_HASH)
        == hash(plan.secret.as_ref(), labels::SECRETS_HASH);
    Ok(same_code && same_secrets)
}

async fn find<K: Object>(cluster: &Cluster, wanted: Option<&K>) -> Result<Option<K>> {
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    let namespace = wanted.namespace().unwrap_or_default();
    let api: Api<K> = Api::namespaced(cluster.client.clone(), &namespace);
    let found = api.get_opt(&wanted.name_any()).await;
    found.map_err(|cause| errors::tell(&format!("reading {}", apply::describe(wanted)), cause))
}

/// A pod whose `items` name a missing key could not be restarted on its node.
async fn keep_mounted_keys(cluster: &Cluster, plan: &mut Plan, before: &ConfigMap) -> Result<()> {
    let (namespace, workflow) = (
        plan.deployment.namespace().unwrap_or_default(),
        plan.deployment.name_any(),
    );
    let name = plan.config_map.name_any();
    let wanted = plan.config_map.data.get_or_insert_default();
    let old = before.data.iter().flatten();
    let dropped: Vec<_> = old.filter(|(key, _)| !wanted.contains_key(*key)).collect();
    if dropped.is_empty() {
        return Ok(());
    }
    let mounted = mounted_keys(cluster, &namespace, &workflow, &name).await?;
    let kept = dropped
        .into_iter()
        .filter(|(key, _)| mounted.contains(*key));
    wanted.extend(kept.map(|(key, content)| (key.clone(), content.clone())));
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
