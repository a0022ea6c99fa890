//! Everything that is deployed of one workflow, as an audit compares it.

use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::ResourceExt;
use kube::api::ListParams;
use tntc_core::audit::Found;
use tntc_core::manifests::{Plan, code, labels, secret};

use super::{Cluster, objects};
use crate::outcome::Result;

/// Reads it all at once.
pub async fn everything(cluster: &Cluster, namespace: &str, plan: &Plan) -> Result<Found> {
    let name = plan.deployment.name_any();
    let every = ListParams::default();
    let (secret_name, code_name) = (secret::name(&name), code::name(&name));
    let (secret, config_map, network_policies, service, deployment, cron_jobs) = futures::join!(
        objects::get(cluster, namespace, &secret_name),
        objects::get(cluster, namespace, &code_name),
        objects::list::<NetworkPolicy>(cluster, namespace, &every),
        objects::get(cluster, namespace, &name),
        objects::get(cluster, namespace, &name),
        objects::list::<CronJob>(cluster, namespace, &every),
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
