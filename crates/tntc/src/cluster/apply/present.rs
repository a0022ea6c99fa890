//! What a plan takes over from what is there: files that running pods still mount, when they were last restarted, and
//! which build of the image they run.

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::ResourceExt;
use kube::api::DynamicObject;
use serde::de::DeserializeOwned;
use serde_json::json;
use tntc_core::manifests::loaded::Held;
use tntc_core::manifests::{Plan, code, config_map, labels, secret, template_annotations};

use crate::cluster::objects::{self, Object};
use crate::cluster::{Cluster, inventory, loaded};
use crate::outcome::{Error, Result};

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
        let wanted = code::contents(&plan.config_map);
        let other_code = self.config_map.as_ref().is_some_and(|live| {
            let live = code::contents(live);
            wanted
                .iter()
                .any(|(key, content)| live.get(key) != Some(content))
        });
        let other_secrets = self.secret.as_ref().zip(plan.secret.as_ref());
        let other_secrets =
            other_secrets.is_some_and(|(live, wanted)| secret::data(live) != secret::data(wanted));
        self.runs(plan, labels::CODE_HASH) && other_code
            || self.runs(plan, labels::SECRETS_HASH) && other_secrets
    }

    /// Whether the Deployment's template has the plan's annotation already.
    fn runs(&self, plan: &Plan, name: &str) -> bool {
        let wanted = template_annotation(&plan.deployment, name);
        wanted.is_some() && self.template_annotation(name) == wanted
    }

    /// The Secret's salt, or a new one; without local secrets, the hash of those that are deployed stays.
    fn salt(&self, plan: &mut Plan) -> Result<()> {
        if plan.secret.is_some() {
            let salt = self.secret.as_ref().and_then(salt_of);
            plan.salt(salt.map_or_else(new_salt, Ok)?);
            return Ok(());
        }
        let deployed = self.template_annotation(labels::SECRETS_HASH).cloned();
        if let Some((hash, annotations)) = deployed.zip(template_annotations(&mut plan.deployment))
        {
            annotations.insert(labels::SECRETS_HASH.to_owned(), hash);
        }
        Ok(())
    }

    /// Whether pods of the wanted template run that have loaded something else than is wanted, as after a ConfigMap that
    /// was changed and changed back. Who may not see that deploys as ever.
    async fn is_out_of_sync(&self, cluster: &Cluster, plan: &Plan) -> bool {
        let is_same = self.deployment.is_some()
            && [labels::CODE_HASH, labels::SECRETS_HASH]
                .iter()
                .all(|name| {
                    self.template_annotation(name) == template_annotation(&plan.deployment, name)
                });
        if !is_same {
            return false;
        }
        let namespace = plan.deployment.namespace().unwrap_or_default();
        let name = plan.deployment.name_any();
        let Ok(pods) = inventory::pods(cluster, &namespace, &name).await else {
            return false;
        };
        let mut held = match &plan.secret {
            Some(secret) => Held {
                secret: Some(Some(secret.clone())),
                ..Held::default()
            },
            None => loaded::held(cluster, &namespace, &name, &pods).await,
        };
        held.config_map = Some(plan.config_map.clone());
        let reports = loaded::reports(cluster, &namespace, pods).await;
        loaded::out_of_sync(&held, &reports).is_some()
    }

    fn template_annotation(&self, name: &str) -> Option<&String> {
        template_annotation(self.deployment.as_ref()?, name)
    }

    /// A build that this directory does not know of still runs, as long as its tag is the one that is wanted.
    fn image_id(&self, plan: &Plan) -> Option<String> {
        let same = image(self.deployment.as_ref()?) == image(&plan.deployment);
        self.template_annotation(labels::IMAGE_ID)
            .filter(|_| same)
            .cloned()
    }
}

fn template_annotation<'a>(deployment: &'a Deployment, name: &str) -> Option<&'a String> {
    let template = &deployment.spec.as_ref()?.template;
    template.metadata.as_ref()?.annotations.as_ref()?.get(name)
}

/// A Secret's salt, when it has one.
pub fn salt_of(secret: &Secret) -> Option<Vec<u8>> {
    let salt = secret.data.as_ref()?.get(secret::SALT)?;
    (!salt.0.is_empty()).then(|| salt.0.clone())
}

/// The salt of the plan's Secret as the cluster has it, as far as it can be seen.
pub async fn deployed_salt(cluster: &Cluster, plan: &Plan) -> Option<Vec<u8>> {
    let found = find(cluster, plan.secret.as_ref()).await.ok()??;
    salt_of(&found)
}

/// 128 random bits as text, which can be read where somebody looks at a Secret.
pub fn new_salt() -> Result<Vec<u8>> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|cause| Error::surroundings(format!("no random numbers: {cause}")))?;
    Ok(random
        .iter()
        .flat_map(|byte| format!("{byte:02x}").into_bytes())
        .collect())
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
    present.salt(&mut plan)?;
    if let Some(config_map) = &present.config_map {
        keep_mounted_keys(cluster, &mut plan, config_map).await?;
    }
    let heal = restart || present.is_torn(&plan) || present.is_out_of_sync(cluster, &plan).await;
    let restarted_at = if heal {
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
    Ok(plan)
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
    objects::get(cluster, &namespace, &wanted.name_any()).await
}

/// A pod whose `items` name a missing key could not be restarted on its node. Keys stay as far as there is room: the pods
/// that mount them are about to go.
async fn keep_mounted_keys(cluster: &Cluster, plan: &mut Plan, before: &ConfigMap) -> Result<()> {
    let wanted = code::contents(&plan.config_map);
    let mut dropped = code::contents(before);
    dropped.retain(|key, _| !wanted.contains_key(key));
    if dropped.is_empty() {
        return Ok(());
    }
    let namespace = plan.deployment.namespace().unwrap_or_default();
    let workflow = plan.deployment.name_any();
    let name = plan.config_map.name_any();
    let mounted = mounted_keys(cluster, &namespace, &workflow, &name).await?;
    dropped.retain(|key, _| mounted.contains(key));
    let taken: usize = wanted.values().map(Vec::len).sum();
    let mut room = code::MAX_CONFIG_MAP.saturating_sub(taken);
    for (key, content) in dropped {
        if content.len() <= room {
            room -= content.len();
            config_map::insert(&mut plan.config_map, key, content);
        }
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
