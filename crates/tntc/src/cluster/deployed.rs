//! Everything that is deployed of one workflow, as an audit compares it.

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::api::{Api, ListParams};
use kube::{Resource, ResourceExt};
use tntc_core::audit::Found;
use tntc_core::manifests::{Plan, code, labels, secret};

use super::Cluster;
use super::client::errors;
use super::objects::{self, Object};
use crate::outcome::Result;

/// Reads it all at once.
pub async fn everything(cluster: &Cluster, namespace: &str, plan: &Plan) -> Result<Found> {
    let name = plan.deployment.name_any();
    let reader = Reader { cluster, namespace };
    let (secret_name, code_name) = (secret::name(&name), code::name(&name));
    let (secret, config_map, network_policies, service, deployment, cron_jobs) = futures::join!(
        reader.one(&secret_name),
        reader.one(&code_name),
        reader.all::<NetworkPolicy>(),
        reader.one(&name),
        reader.one(&name),
        reader.all::<CronJob>(),
    );
    let planned = |job: &CronJob| {
        plan.cron_jobs
            .iter()
            .any(|planned| planned.name_any() == job.name_any())
    };
    let ours =
        |job: &CronJob| objects::is_ours(job) && job.labels().get(labels::NAME) == Some(&name);
    Ok(Found {
        secret: secret?,
        config_map: config_map?,
        network_policies: network_policies?,
        service: service?,
        deployment: deployment?,
        cron_jobs: cron_jobs?
            .into_iter()
            .filter(|job| planned(job) || ours(job))
            .collect(),
    })
}

struct Reader<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
}

impl Reader<'_> {
    fn api<K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>>(&self) -> Api<K> {
        Api::namespaced(self.cluster.client.clone(), self.namespace)
    }

    async fn one<K: Object>(&self, name: &str) -> Result<Option<K>> {
        let found = self.api::<K>().get_opt(name).await;
        found.map_err(|cause| errors::tell(&format!("reading {}/{name}", K::kind(&())), cause))
    }

    async fn all<K: Object>(&self) -> Result<Vec<K>> {
        let listed = self.api::<K>().list(&ListParams::default()).await;
        let listed =
            listed.map_err(|cause| errors::tell(&format!("listing {}", K::plural(&())), cause))?;
        Ok(listed.items)
    }
}
