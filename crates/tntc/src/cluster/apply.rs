//! Server-side apply of a plan: what is somebody else's is never touched, and the rest is sent all at once.

use std::fmt::Debug;
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::CronJob;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, ValidationDirective};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tntc_core::manifests::{Plan, labels};

use super::{Cluster, errors};
use crate::error::{Error, Result};

/// The name under which the API server books our fields.
pub const FIELD_MANAGER: &str = "tntc";

/// Pause between looks at an object that is still being deleted.
const TERMINATING_PAUSE: Duration = Duration::from_millis(200);
/// How often an object that is still being deleted is looked at: 60 s in all, twice the default grace of a pod.
const TERMINATING_LOOKS: u32 = 300;

/// How a plan is applied.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Take back fields that another manager has taken over.
    pub force_conflicts: bool,
}

/// What applying a plan did.
#[derive(Debug)]
pub struct Applied {
    /// The Deployment as the server now has it.
    pub deployment: Deployment,
    /// `Kind/name` of each object that was created or changed, in the order of the plan.
    pub changed: Vec<String>,
    /// `Kind/name` of each object that was no longer wanted.
    pub deleted: Vec<String>,
}

/// One object's result.
struct One<K> {
    object: K,
    changed: Option<String>,
}

/// Kinds that live in a namespace and can be sent by server-side apply.
pub trait Object:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()>
    + Clone
    + Debug
    + Serialize
    + DeserializeOwned
{
}
impl<K> Object for K where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + Serialize
        + DeserializeOwned
{
}

/// Applies what the Deployment's pods need, then the Deployment and the CronJobs, then deletes unwanted CronJobs.
pub async fn all(cluster: &Cluster, plan: &Plan, options: Options) -> Result<Applied> {
    let sender = Sender { cluster, options };
    let (secret, config_map, policy, service) = futures::join!(
        sender.maybe(plan.secret.as_ref()),
        sender.one(&plan.config_map),
        sender.maybe(plan.network_policy.as_ref()),
        sender.one(&plan.service),
    );
    let mut changed = vec![secret?, config_map?.changed, policy?, service?.changed];
    let (deployment, cron_jobs) = futures::join!(
        sender.one(&plan.deployment),
        join_all(plan.cron_jobs.iter().map(|job| sender.one(job)))
    );
    let deployment = deployment?;
    changed.push(deployment.changed);
    for job in cron_jobs {
        changed.push(job?.changed);
    }
    Ok(Applied {
        deployment: deployment.object,
        changed: changed.into_iter().flatten().collect(),
        deleted: sender.delete_unwanted_cron_jobs(plan).await?,
    })
}

struct Sender<'a> {
    cluster: &'a Cluster,
    options: Options,
}

impl Sender<'_> {
    async fn maybe<K: Object>(&self, object: Option<&K>) -> Result<Option<String>> {
        match object {
            Some(object) => Ok(self.one(object).await?.changed),
            None => Ok(None),
        }
    }

    /// Reads first: server-side apply would silently merge into somebody else's object of the same name.
    async fn one<K: Object>(&self, object: &K) -> Result<One<K>> {
        let api: Api<K> = Api::namespaced(
            self.cluster.client.clone(),
            &object.namespace().unwrap_or_default(),
        );
        let what = describe(object);
        for _ in 0..TERMINATING_LOOKS {
            let before = api
                .get_opt(&object.name_any())
                .await
                .map_err(|cause| errors::tell(&format!("reading {what}"), cause))?;
            if let Some(before) = &before {
                require_ours(before, &what)?;
            }
            if before
                .as_ref()
                .is_none_or(|object| object.meta().deletion_timestamp.is_none())
            {
                let after = self.send(&api, object, before.as_ref(), &what).await?;
                if after.meta().deletion_timestamp.is_none() {
                    let same = before.is_some_and(|before| {
                        before.resource_version() == after.resource_version()
                    });
                    return Ok(One {
                        object: after,
                        changed: (!same).then_some(what),
                    });
                }
            }
            tokio::time::sleep(TERMINATING_PAUSE).await;
        }
        Err(Error::failed(format!("{what} is still being deleted"))
            .hint("wait until it is gone, then deploy again"))
    }

    /// With the resource version that was looked at, so that nobody can slip in between.
    async fn send<K: Object>(
        &self,
        api: &Api<K>,
        object: &K,
        before: Option<&K>,
        what: &str,
    ) -> Result<K> {
        let mut wanted = object.clone();
        wanted.meta_mut().resource_version = before.and_then(ResourceExt::resource_version);
        let parameters = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            field_validation: Some(ValidationDirective::Strict),
            force: self.options.force_conflicts,
            ..PatchParams::default()
        };
        let sent = api
            .patch(&object.name_any(), &parameters, &Patch::Apply(&wanted))
            .await;
        sent.map_err(|cause| conflict(what, cause))
    }

    async fn delete_unwanted_cron_jobs(&self, plan: &Plan) -> Result<Vec<String>> {
        let namespace = plan.deployment.namespace().unwrap_or_default();
        let api: Api<CronJob> = Api::namespaced(self.cluster.client.clone(), &namespace);
        let selector = ListParams::default().labels(&ours(&plan.deployment.name_any()));
        let existing = api
            .list(&selector)
            .await
            .map_err(|cause| errors::tell("listing CronJobs", cause))?;
        let wanted: Vec<_> = plan.cron_jobs.iter().map(ResourceExt::name_any).collect();
        let mut deleted = Vec::new();
        for job in existing
            .items
            .iter()
            .filter(|job| !wanted.contains(&job.name_any()))
        {
            let what = describe(job);
            match api
                .delete(&job.name_any(), &DeleteParams::background())
                .await
            {
                Ok(_) => deleted.push(what),
                Err(cause) if errors::is_not_found(&cause) => {}
                Err(cause) => return Err(errors::tell(&format!("deleting {what}"), cause)),
            }
        }
        Ok(deleted)
    }
}

/// The label selector of everything that belongs to the workflow.
pub fn ours(workflow: &str) -> String {
    format!(
        "{}={workflow},{}={}",
        labels::NAME,
        labels::MANAGED_BY,
        labels::MANAGER
    )
}

/// Whether the object carries our mark.
pub fn is_ours<K: Resource>(object: &K) -> bool {
    let labels = object.meta().labels.as_ref();
    labels
        .and_then(|labels| labels.get(labels::MANAGED_BY))
        .is_some_and(|manager| manager == labels::MANAGER)
}

fn require_ours<K: Object>(object: &K, what: &str) -> Result<()> {
    if is_ours(object) {
        return Ok(());
    }
    let name = object.name_any();
    let namespace = object.namespace().unwrap_or_default();
    let kind = K::kind(&()).to_lowercase();
    Err(Error::failed(format!("{what} in namespace {namespace} exists and is not managed by tentacular; nothing of it was changed"))
        .hint(format!("rename the workflow, or delete the other object: kubectl delete {kind} {name} -n {namespace}"))
        .hint(format!(
            "or hand it over: kubectl label {kind} {name} -n {namespace} {}={}",
            labels::MANAGED_BY,
            labels::MANAGER
        )))
}

/// `Kind/name`.
pub fn describe<K: Object>(object: &K) -> String {
    format!("{}/{}", K::kind(&()), object.name_any())
}

fn conflict(what: &str, cause: kube::Error) -> Error {
    let is_conflict = matches!(&cause, kube::Error::Api(status) if status.code == 409);
    let error = errors::tell(&format!("applying {what}"), cause);
    if is_conflict {
        error.hint("somebody else has taken these fields over; --force-conflicts takes them back")
    } else {
        error
    }
}
