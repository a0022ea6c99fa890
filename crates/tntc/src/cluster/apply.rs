//! Server-side apply of a plan: what is somebody else's is never touched, and the rest is sent all at once.

use std::fmt::Debug;
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, ValidationDirective};
use kube::core::PartialObjectMeta;
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

impl<K: Object> One<K> {
    fn new(after: K, before: Option<&PartialObjectMeta<K>>, what: String) -> Self {
        let same =
            before.is_some_and(|before| before.resource_version() == after.resource_version());
        Self {
            object: after,
            changed: (!same).then_some(what),
        }
    }
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
    sender.require_all_ours(plan).await?;
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
        deleted: sender.delete_unwanted(plan).await?,
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

    /// Looks at every object before any is sent, so that somebody else's object of one name stops them all.
    async fn require_all_ours(&self, plan: &Plan) -> Result<()> {
        let jobs = plan.cron_jobs.iter().map(|job| self.look(job));
        let (secret, config_map, policy, service, deployment, jobs) = futures::join!(
            self.maybe_look(plan.secret.as_ref()),
            self.look(&plan.config_map),
            self.maybe_look(plan.network_policy.as_ref()),
            self.look(&plan.service),
            self.look(&plan.deployment),
            join_all(jobs),
        );
        [
            secret,
            config_map.map(drop),
            policy,
            service.map(drop),
            deployment.map(drop),
        ]
        .into_iter()
        .chain(jobs.into_iter().map(|job| job.map(drop)))
        .collect()
    }

    async fn maybe_look<K: Object>(&self, object: Option<&K>) -> Result<()> {
        match object {
            Some(object) => self.look(object).await.map(drop),
            None => Ok(()),
        }
    }

    /// The metadata of the present object, when there is one; it must be ours.
    async fn look<K: Object>(&self, object: &K) -> Result<Option<PartialObjectMeta<K>>> {
        let what = describe(object);
        let found = self.api(object).get_metadata_opt(&object.name_any()).await;
        let found = found.map_err(|cause| errors::tell(&format!("reading {what}"), cause))?;
        match found {
            Some(found) if !is_ours(&found) => Err(not_ours(object, &what)),
            found => Ok(found),
        }
    }

    /// Reads first: server-side apply would silently merge into somebody else's object of the same name. An object that
    /// is being deleted is waited for, and one that changed in between is looked at again.
    async fn one<K: Object>(&self, object: &K) -> Result<One<K>> {
        let what = describe(object);
        for _ in 0..TERMINATING_LOOKS {
            let before = self.look(object).await?;
            if before.as_ref().is_some_and(is_terminating) {
                tokio::time::sleep(TERMINATING_PAUSE).await;
                continue;
            }
            match self.send(object, before.as_ref()).await {
                Ok(after) if is_terminating(&after) => tokio::time::sleep(TERMINATING_PAUSE).await,
                Ok(after) => return Ok(One::new(after, before.as_ref(), what)),
                Err(cause) if errors::was_modified(&cause) => {}
                Err(cause) => return Err(conflict(&what, cause)),
            }
        }
        Err(Error::failed(format!("{what} is still being deleted"))
            .hint("wait until it is gone, then deploy again"))
    }

    /// With the resource version that was looked at, so that nobody can slip in between.
    async fn send<K: Object>(
        &self,
        object: &K,
        before: Option<&PartialObjectMeta<K>>,
    ) -> kube::Result<K> {
        let mut wanted = object.clone();
        wanted.meta_mut().resource_version = before.and_then(ResourceExt::resource_version);
        let parameters = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            field_validation: Some(ValidationDirective::Strict),
            force: self.options.force_conflicts,
            ..PatchParams::default()
        };
        self.api(object)
            .patch(&object.name_any(), &parameters, &Patch::Apply(&wanted))
            .await
    }

    fn api<K: Object>(&self, object: &K) -> Api<K> {
        Api::namespaced(
            self.cluster.client.clone(),
            &object.namespace().unwrap_or_default(),
        )
    }

    /// CronJobs of triggers that are gone, and the NetworkPolicy of a contract that is.
    async fn delete_unwanted(&self, plan: &Plan) -> Result<Vec<String>> {
        let jobs: Vec<_> = plan.cron_jobs.iter().map(ResourceExt::name_any).collect();
        let policies: Vec<_> = plan
            .network_policy
            .iter()
            .map(ResourceExt::name_any)
            .collect();
        let mut deleted = self.delete_all_but::<CronJob>(plan, &jobs).await?;
        deleted.extend(
            self.delete_all_but::<NetworkPolicy>(plan, &policies)
                .await?,
        );
        Ok(deleted)
    }

    async fn delete_all_but<K: Object>(
        &self,
        plan: &Plan,
        wanted: &[String],
    ) -> Result<Vec<String>> {
        let namespace = plan.deployment.namespace().unwrap_or_default();
        let api: Api<K> = Api::namespaced(self.cluster.client.clone(), &namespace);
        let selector = ListParams::default().labels(&ours(&plan.deployment.name_any()));
        let existing = api.list_metadata(&selector).await;
        let existing = existing
            .map_err(|cause| errors::tell(&format!("listing {}", K::plural(&())), cause))?;
        let mut deleted = Vec::new();
        for name in existing
            .items
            .iter()
            .map(ResourceExt::name_any)
            .filter(|name| !wanted.contains(name))
        {
            let what = format!("{}/{name}", K::kind(&()));
            match api.delete(&name, &DeleteParams::background()).await {
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

fn is_terminating<K: Resource>(object: &K) -> bool {
    object.meta().deletion_timestamp.is_some()
}

fn not_ours<K: Object>(object: &K, what: &str) -> Error {
    let name = object.name_any();
    let namespace = object.namespace().unwrap_or_default();
    let kind = K::kind(&()).to_lowercase();
    let label = format!("{}={}", labels::MANAGED_BY, labels::MANAGER);
    Error::failed(format!("{what} in namespace {namespace} exists and is not managed by tentacular; nothing was changed"))
        .hint(format!("rename the workflow, or delete the other object: kubectl delete {kind} {name} -n {namespace}"))
        .hint(format!("or hand it over: kubectl label {kind} {name} -n {namespace} {label}"))
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
