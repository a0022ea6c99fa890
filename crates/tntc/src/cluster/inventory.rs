//! What is deployed, and how it is doing.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Event, Pod, Service};
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use kube::core::NamespaceResourceScope;
use serde::de::DeserializeOwned;
use tntc_core::manifests::labels;
use tntc_core::observe::Observed;
use tntc_core::observe::diagnosis::Problem;
use tntc_core::observe::workload;

use super::client::errors;
use super::{Cluster, objects};
use crate::outcome::{Error, Result};

/// Every Deployment of ours in the namespace, or in all of them, by namespace and name; only those whose labels match
/// the selector, when there is one.
pub async fn deployments(
    cluster: &Cluster,
    namespace: Option<&str>,
    selector: Option<&str>,
) -> Result<Vec<Deployment>> {
    let api: Api<Deployment> = objects::api_in(cluster, namespace);
    let ours = format!("{}={}", labels::MANAGED_BY, labels::MANAGER);
    let selector: Vec<_> = std::iter::once(ours.as_str()).chain(selector).collect();
    let ours = ListParams::default().labels(&selector.join(","));
    let listed = api
        .list(&ours)
        .await
        .map_err(|cause| errors::tell("listing workflows", cause))?;
    let mut deployments = listed.items;
    deployments.sort_by_key(|deployment| (deployment.namespace(), deployment.name_any()));
    Ok(deployments)
}

/// The workflow's Deployment.
///
/// # Errors
/// There is none of that name, or it is not ours.
pub async fn deployment(cluster: &Cluster, namespace: &str, name: &str) -> Result<Deployment> {
    let api: Api<Deployment> = objects::api(cluster, namespace);
    let found = api
        .get_opt(name)
        .await
        .map_err(|cause| errors::tell(&format!("reading workflow {name}"), cause))?;
    found
        .filter(objects::is_ours)
        .ok_or_else(|| no_such_workflow(cluster, name, namespace))
}

/// The error of asking for a workflow that is not deployed.
pub fn no_such_workflow(cluster: &Cluster, name: &str, namespace: &str) -> Error {
    let list = cluster.followup.tntc(format!("list -n {namespace}"));
    Error::failed(format!("no workflow `{name}` in namespace {namespace}"))
        .hint(format!("see what is there with: {list}"))
}

/// The Service, when there is one.
pub async fn service(cluster: &Cluster, namespace: &str, name: &str) -> Result<Option<Service>> {
    objects::get(cluster, namespace, name).await
}

/// The pods of the workflow's engine.
pub async fn pods(cluster: &Cluster, namespace: &str, name: &str) -> Result<Vec<Pod>> {
    let engines = ListParams::default().labels(&format!("{}={name}", labels::NAME));
    objects::list(cluster, namespace, &engines).await
}

/// The engine pods of every workflow in the namespace, or in all of them.
pub async fn every_pod(cluster: &Cluster, namespace: Option<&str>) -> Result<Vec<Pod>> {
    let api: Api<Pod> = objects::api_in(cluster, namespace);
    let ours = format!(
        "{},{}={}",
        labels::NAME,
        labels::MANAGED_BY,
        labels::MANAGER
    );
    let listed = api.list(&ListParams::default().labels(&ours)).await;
    let listed = listed.map_err(|cause| errors::tell("listing pods", cause))?;
    Ok(listed.items)
}

/// One look at everything that tells how the workflow is doing.
pub async fn observe(cluster: &Cluster, namespace: &str, name: &str) -> Result<Observed> {
    let deployment = deployment(cluster, namespace, name).await?;
    let ours = ListParams::default().labels(&format!("{}={name}", labels::NAME));
    let everything = ListParams::default();
    let (replica_sets, pods, events) = futures::try_join!(
        list_allowed::<ReplicaSet>(cluster, namespace, &ours),
        list_allowed::<Pod>(cluster, namespace, &ours),
        list_allowed::<Event>(cluster, namespace, &everything),
    )?;
    let refused = [replica_sets.1, pods.1, events.1];
    Ok(Observed {
        deployments: named(vec![deployment]),
        replica_sets: named(replica_sets.0),
        pods: named(pods.0),
        events: named(events.0),
        refused: refused.into_iter().flatten().collect(),
    })
}

/// Nothing, and the API server's words, where this user may not list the kind: the rest is still worth showing.
async fn list_allowed<K>(
    cluster: &Cluster,
    namespace: &str,
    selector: &ListParams,
) -> Result<(Vec<K>, Option<String>)>
where
    K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned,
{
    let api: Api<K> = objects::api(cluster, namespace);
    match api.list(selector).await {
        Ok(list) => Ok((list.items, None)),
        Err(kube::Error::Api(status)) if status.code == 403 => {
            Ok((Vec::new(), Some(status.message.trim_end().to_owned())))
        }
        Err(cause) => Err(errors::tell(&format!("listing {}", K::plural(&())), cause)),
    }
}

/// The workflow's CronJobs by name, each with the newest of its Jobs.
pub async fn cron_jobs(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
) -> Result<Vec<(CronJob, Option<Job>)>> {
    let ours = ListParams::default().labels(&objects::ours(name));
    let runs = ListParams::default().labels(&format!("{}={name}", labels::WORKFLOW));
    let (cron_jobs, jobs) = futures::join!(
        objects::list::<CronJob>(cluster, namespace, &ours),
        objects::list::<Job>(cluster, namespace, &runs),
    );
    let jobs = jobs?;
    let newest = |cron_job: &CronJob| {
        let uid = cron_job.uid();
        let own = jobs.iter().filter(|job| {
            let mut owners = job.owner_references().iter();
            owners.any(|owner| Some(&owner.uid) == uid.as_ref())
        });
        own.max_by_key(|job| job.creation_timestamp().map(|time| time.0))
            .cloned()
    };
    let cron_jobs = cron_jobs?.into_iter();
    Ok(cron_jobs
        .map(|cron_job| {
            let newest = newest(&cron_job);
            (cron_job, newest)
        })
        .collect())
}

fn named<K: kube::Resource>(objects: Vec<K>) -> std::collections::BTreeMap<String, K> {
    objects
        .into_iter()
        .map(|object| (object.name_any(), object))
        .collect()
}

/// Why the workflow's newest pods do not run, when they do not.
pub async fn problem_of(cluster: &Cluster, namespace: &str, name: &str) -> Result<Option<Problem>> {
    let seen = observe(cluster, namespace, name).await?;
    Ok(seen
        .deployments
        .get(name)
        .and_then(|deployment| workload::current_problem(&seen, deployment)))
}
