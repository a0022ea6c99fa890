//! Removing a workflow: only what is ours, and its Secret.

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::ResourceExt;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams};
use tntc_core::manifests::{self, code, cron_job, labels, network_policy, secret};
use tntc_core::project::WORKFLOW_FILE;

use super::Cluster;
use super::client::errors;
use super::objects::{self, Object};
use crate::outcome::{Error, Result};

/// Pause between looks whether everything is gone.
const PAUSE: Duration = Duration::from_millis(200);
/// How much longer than its grace period a pod may take to go.
const SLACK: Duration = Duration::from_secs(30);
/// Kubernetes' own grace period of a pod that names none.
const DEFAULT_GRACE_SECONDS: i64 = 30;

/// An object by its kind and name.
#[derive(Debug, Clone)]
pub struct Named {
    resource: ApiResource,
    name: String,
}

impl Named {
    fn of<K: Object>(object: &K) -> Self {
        Self {
            resource: ApiResource::erase::<K>(&()),
            name: object.name_any(),
        }
    }

    /// As `kubectl -o name` prints it.
    pub fn resource_name(&self) -> String {
        manifests::resource_name(&self.resource.group, &self.resource.kind, &self.name)
    }
}

impl fmt::Display for Named {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.resource.kind, self.name)
    }
}

/// An object that stays, and why.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Which one.
    pub object: Named,
    /// In a few words.
    pub why: &'static str,
}

/// What an undeploy would do.
#[derive(Debug, Default, Clone)]
pub struct Removal {
    /// Goes.
    pub remove: Vec<Named>,
    /// Has the name of one of our objects but is not ours, or was asked to stay.
    pub keep: Vec<Kept>,
    /// Whether the workflow has durable triggers, for which a NATS server keeps messages.
    pub has_durable_triggers: bool,
    /// How long the pods may take to go.
    patience: Duration,
}

/// Whether to wait until the workflow's pods are gone, too: they first finish the runs under way, and an idle one serves
/// on for two seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pods {
    /// Until they are gone.
    Await,
    /// Only until the objects are gone: the garbage collector ends the pods.
    Leave,
}

/// What becomes of one object.
enum Fate {
    Remove(Named),
    Keep(Kept),
}

const NOT_OURS: &str = "not managed by tentacular";

/// Looks for every object of the workflow, all at once.
pub async fn plan(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    keep_secrets: bool,
) -> Result<Removal> {
    let finder = Finder { cluster, namespace };
    let (secret_name, code_name, policy_name, trigger_policy_name) = (
        secret::name(name),
        code::name(name),
        network_policy::name(name),
        network_policy::trigger_name(name),
    );
    let (service, deployment, secret, code, policy, trigger_policy, cron_jobs) = futures::join!(
        objects::get::<Service>(cluster, namespace, name),
        objects::get::<Deployment>(cluster, namespace, name),
        objects::get::<Secret>(cluster, namespace, &secret_name),
        objects::get::<ConfigMap>(cluster, namespace, &code_name),
        objects::get::<NetworkPolicy>(cluster, namespace, &policy_name),
        objects::get::<NetworkPolicy>(cluster, namespace, &trigger_policy_name),
        finder.cron_jobs(name),
    );
    let (deployment, code) = (deployment?, code?);
    let patience = patience(deployment.as_ref());
    let single = [
        service?.as_ref().map(of_name),
        deployment.as_ref().map(of_name),
        secret?
            .as_ref()
            .map(|secret| of_secret(secret, keep_secrets)),
        code.as_ref().map(of_name),
        policy?.as_ref().map(of_name),
        trigger_policy?.as_ref().map(of_name),
    ];
    let mut removal = Removal {
        patience,
        has_durable_triggers: code.as_ref().is_some_and(has_durable_triggers),
        ..Removal::default()
    };
    let fates = single.into_iter().flatten().chain(cron_jobs?);
    for fate in fates {
        match fate {
            Fate::Remove(object) => removal.remove.push(object),
            Fate::Keep(kept) => removal.keep.push(kept),
        }
    }
    Ok(removal)
}

/// By the text alone: the nodes, without which no workflow can be checked, are of no interest here.
fn has_durable_triggers(code: &ConfigMap) -> bool {
    let files = code::contents(code);
    let text = files
        .get(WORKFLOW_FILE)
        .map(|it| String::from_utf8_lossy(it).replace(['"', '\''], ""));
    text.is_some_and(|text| text.contains("durable: true"))
}

fn of_name<K: Object>(object: &K) -> Fate {
    let named = Named::of(object);
    if objects::is_ours(object) {
        Fate::Remove(named)
    } else {
        kept(named, NOT_OURS)
    }
}

fn kept(object: Named, why: &'static str) -> Fate {
    Fate::Keep(Kept { object, why })
}

/// The Secret goes by its name, also when it was made by hand.
fn of_secret(secret: &Secret, keep: bool) -> Fate {
    let named = Named::of(secret);
    if keep {
        kept(named, "--keep-secrets")
    } else {
        Fate::Remove(named)
    }
}

fn patience(deployment: Option<&Deployment>) -> Duration {
    let template =
        deployment.and_then(|deployment| deployment.spec.as_ref()?.template.spec.as_ref());
    let grace = template.and_then(|template| template.termination_grace_period_seconds);
    let grace = u64::try_from(grace.unwrap_or(DEFAULT_GRACE_SECONDS)).unwrap_or_default();
    Duration::from_secs(grace) + SLACK
}

/// Deletes what was planned, all at once, and waits until it is gone; the workflow's pods that are not.
///
/// # Errors
/// Something could not be deleted, and `removal` then holds what was; or something that is waited for is still there when
/// the pods' grace period is long over.
pub async fn execute(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    removal: &mut Removal,
    pods: Pods,
) -> Result<Vec<String>> {
    let finder = Finder { cluster, namespace };
    let held = finder.delete_all(&mut removal.remove).await?;
    let waited = tokio::time::timeout(removal.patience, finder.wait(name, &held, pods)).await;
    match waited {
        Ok(done) => done?,
        Err(_) => {
            return Err(finder
                .still_there(name, &held, pods, removal.patience)
                .await);
        }
    }
    match pods {
        Pods::Await => Ok(Vec::new()),
        // Everything is deleted: that its pods cannot be listed takes nothing away from it.
        Pods::Leave => Ok(finder.pods(name).await.unwrap_or_default()),
    }
}

struct Finder<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
}

impl Finder<'_> {
    fn api<K: Object>(&self) -> Api<K> {
        objects::api(self.cluster, self.namespace)
    }

    fn api_of(&self, object: &Named) -> Api<DynamicObject> {
        let client = self.cluster.client.clone();
        Api::namespaced_with(client, self.namespace, &object.resource)
    }

    /// Ours by their labels, however many triggers there once were; somebody else's when they have a name of ours.
    async fn cron_jobs(&self, name: &str) -> Result<Vec<Fate>> {
        let listed = self.api::<CronJob>().list(&ListParams::default()).await;
        let listed = listed.map_err(|cause| errors::tell("listing CronJobs", cause))?;
        let ours = |job: &CronJob| {
            objects::is_ours(job) && job.labels().get(labels::NAME).is_some_and(|of| of == name)
        };
        let fate = |job: &CronJob| {
            let named = Named::of(job);
            if ours(job) {
                Some(Fate::Remove(named))
            } else {
                (!objects::is_ours(job) && cron_job::is_name_of(&job.name_any(), name))
                    .then(|| kept(named, NOT_OURS))
            }
        };
        Ok(listed.items.iter().filter_map(fate).collect())
    }

    /// Those that are not gone at once.
    ///
    /// # Errors
    /// One could not be deleted; `objects` then holds those that were.
    async fn delete_all(&self, objects: &mut Vec<Named>) -> Result<Vec<Named>> {
        let deletions = objects.iter().map(|object| self.delete(object));
        let deletions = futures::future::join_all(deletions).await;
        let (mut held, mut failure) = (Vec::new(), None);
        for (object, deleted) in std::mem::take(objects).into_iter().zip(deletions) {
            match deleted {
                Ok(is_gone) => {
                    held.extend((!is_gone).then(|| object.clone()));
                    objects.push(object);
                }
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(held), Err)
    }

    /// Whether it is gone at once; a finalizer, for one, keeps an object until somebody else is done with it.
    async fn delete(&self, object: &Named) -> Result<bool> {
        let api = self.api_of(object);
        match api.delete(&object.name, &DeleteParams::background()).await {
            Ok(answer) => Ok(answer.is_right()),
            Err(cause) if errors::is_not_found(&cause) => Ok(true),
            Err(cause) => Err(errors::tell(&format!("deleting {object}"), cause)),
        }
    }

    async fn wait(&self, name: &str, held: &[Named], pods: Pods) -> Result<()> {
        while !self.left(name, held, pods).await?.is_empty() {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// What is waited for and not gone yet, as `Kind/name`.
    async fn left(&self, name: &str, held: &[Named], pods: Pods) -> Result<Vec<String>> {
        let objects = held.iter().map(|object| async move {
            let found = self.api_of(object).get_opt(&object.name).await;
            let found = found.map_err(|cause| errors::tell(&format!("reading {object}"), cause))?;
            Ok(found.map(|_| object.to_string()))
        });
        let pods = async {
            match pods {
                Pods::Await => self.pods(name).await,
                Pods::Leave => Ok(Vec::new()),
            }
        };
        let (objects, pods) = futures::try_join!(futures::future::try_join_all(objects), pods)?;
        let pods = pods.into_iter().map(|pod| format!("Pod/{pod}"));
        Ok(objects.into_iter().flatten().chain(pods).collect())
    }

    /// Pods of the Deployment and of the CronJobs. Those of a `tntc run` have no owner, and go with it.
    async fn pods(&self, name: &str) -> Result<Vec<String>> {
        let api = self.api::<Pod>();
        let by = |label: &str| ListParams::default().labels(&format!("{label}={name}"));
        let (engines, triggers) = (by(labels::NAME), by(labels::WORKFLOW));
        let (engines, triggers) = futures::join!(api.list(&engines), api.list(&triggers));
        let told = |cause| errors::tell("listing pods", cause);
        let pods = engines
            .map_err(told)?
            .items
            .into_iter()
            .chain(triggers.map_err(told)?.items);
        let owned = pods.filter(|pod| !pod.owner_references().is_empty());
        Ok(owned.map(|pod| pod.name_any()).collect())
    }

    async fn still_there(&self, name: &str, held: &[Named], pods: Pods, waited: Duration) -> Error {
        let left = self.left(name, held, pods).await.unwrap_or_default();
        let first = left.first().map_or("pod", String::as_str);
        Error::failed(format!(
            "everything of {name} was deleted, but after {}s this is not gone yet: {}",
            waited.as_secs(),
            left.join(", ")
        ))
        .hint(format!(
            "see why, such as a finalizer, with: kubectl describe {first} -n {}",
            self.namespace
        ))
    }
}
