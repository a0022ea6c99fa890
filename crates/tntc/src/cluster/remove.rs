//! Removing a workflow: only what is ours, and its Secret.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::api::{Api, DeleteParams, ListParams};
use std::time::Duration;
use tntc_core::manifests::{code, labels, network_policy, secret};

use super::apply::{self, Object};
use super::{Cluster, errors};
use crate::error::Result;

/// Pause between looks whether the pods are gone.
const PAUSE: Duration = Duration::from_millis(200);

/// What an undeploy would do: objects as `Kind/name`.
#[derive(Debug, Default, Clone)]
pub struct Removal {
    /// Goes.
    pub remove: Vec<String>,
    /// Has the name of one of our objects but is not ours, or was asked to stay.
    pub keep: Vec<String>,
}

/// Looks for every object of the workflow.
pub async fn plan(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    keep_secrets: bool,
) -> Result<Removal> {
    let mut removal = Removal::default();
    let finder = Finder { cluster, namespace };
    finder.named::<Service>(name, &mut removal).await?;
    finder.named::<Deployment>(name, &mut removal).await?;
    finder
        .secret(&secret::name(name), keep_secrets, &mut removal)
        .await?;
    finder
        .named::<ConfigMap>(&code::name(name), &mut removal)
        .await?;
    finder
        .named::<NetworkPolicy>(&network_policy::name(name), &mut removal)
        .await?;
    let ours = ListParams::default().labels(&apply::ours(name));
    let jobs = finder
        .api::<CronJob>()
        .list(&ours)
        .await
        .map_err(|cause| errors::tell("listing CronJobs", cause))?;
    removal
        .remove
        .extend(jobs.items.iter().map(apply::describe));
    Ok(removal)
}

/// Deletes what was planned, all at once, and waits until the workflow's pods are gone.
pub async fn execute(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    removal: &Removal,
) -> Result<()> {
    let finder = Finder { cluster, namespace };
    let deletions = removal.remove.iter().map(|what| finder.delete(what));
    futures::future::try_join_all(deletions).await?;
    finder.wait_for_pods(name).await
}

struct Finder<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
}

impl Finder<'_> {
    fn api<K: Object>(&self) -> Api<K> {
        Api::namespaced(self.cluster.client.clone(), self.namespace)
    }

    async fn find<K: Object>(&self, name: &str) -> Result<Option<K>> {
        let found = self.api::<K>().get_opt(name).await;
        found.map_err(|cause| errors::tell(&format!("reading {}/{name}", K::kind(&())), cause))
    }

    async fn named<K: Object>(&self, name: &str, removal: &mut Removal) -> Result<()> {
        if let Some(object) = self.find::<K>(name).await? {
            let list = if apply::is_ours(&object) {
                &mut removal.remove
            } else {
                &mut removal.keep
            };
            list.push(apply::describe(&object));
        }
        Ok(())
    }

    /// The Secret goes by its name, also when it was made by hand.
    async fn secret(&self, name: &str, keep: bool, removal: &mut Removal) -> Result<()> {
        if let Some(secret) = self.find::<Secret>(name).await? {
            let list = if keep {
                &mut removal.keep
            } else {
                &mut removal.remove
            };
            list.push(apply::describe(&secret));
        }
        Ok(())
    }

    async fn delete(&self, what: &str) -> Result<()> {
        let (kind, name) = what.split_once('/').unwrap_or_default();
        match kind {
            "Service" => self.delete_one::<Service>(name).await,
            "Deployment" => self.delete_one::<Deployment>(name).await,
            "Secret" => self.delete_one::<Secret>(name).await,
            "ConfigMap" => self.delete_one::<ConfigMap>(name).await,
            "NetworkPolicy" => self.delete_one::<NetworkPolicy>(name).await,
            _ => self.delete_one::<CronJob>(name).await,
        }
    }

    async fn delete_one<K: Object>(&self, name: &str) -> Result<()> {
        match self
            .api::<K>()
            .delete(name, &DeleteParams::background())
            .await
        {
            Ok(_) => Ok(()),
            Err(cause) if errors::is_not_found(&cause) => Ok(()),
            Err(cause) => Err(errors::tell(
                &format!("deleting {}/{name}", K::kind(&())),
                cause,
            )),
        }
    }

    async fn wait_for_pods(&self, name: &str) -> Result<()> {
        let ours = ListParams::default().labels(&format!("{}={name}", labels::NAME));
        loop {
            let left = self
                .api::<Pod>()
                .list(&ours)
                .await
                .map_err(|cause| errors::tell("listing pods", cause))?;
            if left.items.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
