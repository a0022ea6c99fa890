//! Server-side apply of a plan: what is somebody else's is never touched, what is in force already is not sent, and
//! what would be refused is found out before anything is sent.

pub mod piece;
pub mod present;

use std::time::Duration;

use futures::future::{join_all, try_join_all};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams};
use tntc_core::manifests::Plan;

use super::Cluster;
use super::client::errors;
use super::objects::{self, Object, ours};
use crate::outcome::{Error, Result};
pub use piece::Options;
use piece::Piece;
use present::{Present, is_consistent, settle, typed};

/// How often a deploy that another one got in between of is done again.
const ATTEMPTS: u32 = 8;

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

/// Applies the plan on top of what is there.
///
/// The ConfigMap, the Secret and the Deployment are several objects, so two deploys at once can leave the one's code
/// with the other's revision. Whoever finds the other's after its own Deployment begins again, with a restart, since a
/// pod of its revision may have started with it; the last one to look wins.
///
/// # Errors
/// An object is somebody else's or would be refused, and then nothing was changed; or the cluster failed on the way.
pub async fn all(
    cluster: &Cluster,
    plan: &Plan,
    restart: bool,
    options: Options,
) -> Result<Applied> {
    for attempt in 0..ATTEMPTS {
        let (applied, settled) = once(cluster, plan, restart || attempt > 0, options).await?;
        if is_nothing(&applied) || is_consistent(cluster, &settled).await? {
            return Ok(applied);
        }
        tokio::time::sleep(some_time()).await;
    }
    Err(
        Error::failed("other deploys of this workflow kept getting in between")
            .hint("deploy again once they are done"),
    )
}

/// Whether everything was in force already: what was seen then was whole.
fn is_nothing(applied: &Applied) -> bool {
    applied.changed.is_empty() && applied.deleted.is_empty()
}

/// A tenth of a second to half of one, so that two deploys that met do not meet again.
fn some_time() -> Duration {
    Duration::from_millis(fastrand::u64(100..500))
}

/// Looks at everything at once, then sends what the Deployment's pods need, then the Deployment and the CronJobs, then
/// deletes what is no longer wanted.
async fn once(
    cluster: &Cluster,
    plan: &Plan,
    restart: bool,
    options: Options,
) -> Result<(Applied, Plan)> {
    let wanted = pieces(cluster, plan);
    let looks = try_join_all(wanted.iter().map(Piece::look));
    let (live, unwanted) = futures::try_join!(looks, Unwanted::find(cluster, plan))?;
    let adoptions = wanted.iter().zip(live);
    let adoptions = adoptions.map(|(piece, live)| piece.adopt(live, options));
    let live = try_join_all(adoptions).await?;
    let settled = settle(cluster, plan, &Present::of(&live)?, restart).await?;
    let changed: Vec<_> = pieces(cluster, &settled)
        .into_iter()
        .zip(&live)
        .filter(|(piece, live)| !piece.is_in_force(live.as_ref()))
        .collect();
    try_join_all(changed.iter().map(|(piece, _)| piece.rehearse(options))).await?;
    let names = changed.iter().map(|(piece, _)| piece.what()).collect();
    let (needed, needing): (Vec<_>, Vec<_>) = changed
        .into_iter()
        .partition(|(piece, _)| piece.is_needed_by_pods());
    let mut done = Vec::new();
    send(needed, options, &mut done).await?;
    let sent = send(needing, options, &mut done).await?;
    let deployment = typed(&sent)?.or(typed(live.iter().flatten())?);
    let applied = Applied {
        deployment: deployment.unwrap_or_default(),
        changed: names,
        deleted: unwanted.delete().await?,
    };
    Ok((applied, settled))
}

/// In the order in which they are applied and told.
fn pieces(cluster: &Cluster, plan: &Plan) -> Vec<Piece> {
    let mut pieces = Vec::new();
    pieces.extend(plan.secret.iter().map(|it| Piece::of(cluster, it)));
    pieces.push(Piece::of(cluster, &plan.config_map));
    pieces.extend(plan.policies().map(|it| Piece::of(cluster, it)));
    pieces.push(Piece::of(cluster, &plan.service));
    pieces.push(Piece::of(cluster, &plan.deployment));
    pieces.extend(plan.cron_jobs.iter().map(|it| Piece::of(cluster, it)));
    pieces
}

/// Sends them all at once, and notes which the server has taken.
///
/// # Errors
/// One was refused; what was taken all the same, and before, is in a hint.
async fn send(
    pieces: Vec<(Piece, &Option<DynamicObject>)>,
    options: Options,
    done: &mut Vec<String>,
) -> Result<Vec<DynamicObject>> {
    let sends = pieces
        .iter()
        .map(|(piece, live)| piece.send((*live).clone(), options));
    let sent = join_all(sends).await;
    let taken = pieces.iter().zip(&sent).filter(|(_, sent)| sent.is_ok());
    done.extend(taken.map(|((piece, _), _)| piece.what()));
    let sent: Result<_> = sent.into_iter().collect();
    sent.map_err(|error| half_done(error, done))
}

fn half_done(error: Error, done: &[String]) -> Error {
    if done.is_empty() {
        return error;
    }
    let done = done.join(", ");
    error.hint(format!(
        "these were applied, so deploy again to apply the rest: {done}"
    ))
}

/// CronJobs of triggers that are gone, and the NetworkPolicy of a contract that is.
struct Unwanted {
    cron_jobs: Named<CronJob>,
    policies: Named<NetworkPolicy>,
}

/// Objects of one kind.
struct Named<K> {
    api: Api<K>,
    names: Vec<String>,
}

impl Unwanted {
    async fn find(cluster: &Cluster, plan: &Plan) -> Result<Self> {
        let jobs: Vec<_> = plan.cron_jobs.iter().map(ResourceExt::name_any).collect();
        let policies = plan.policies().map(ResourceExt::name_any);
        let policies: Vec<_> = policies.collect();
        let (cron_jobs, policies) = futures::try_join!(
            Named::all_but(cluster, plan, &jobs),
            Named::all_but(cluster, plan, &policies),
        )?;
        Ok(Self {
            cron_jobs,
            policies,
        })
    }

    async fn delete(self) -> Result<Vec<String>> {
        let (mut deleted, policies) =
            futures::try_join!(self.cron_jobs.delete(), self.policies.delete())?;
        deleted.extend(policies);
        Ok(deleted)
    }
}

impl<K: Object> Named<K> {
    async fn all_but(cluster: &Cluster, plan: &Plan, wanted: &[String]) -> Result<Self> {
        let namespace = plan.deployment.namespace().unwrap_or_default();
        let api: Api<K> = objects::api(cluster, &namespace);
        let selector = ListParams::default().labels(&ours(&plan.deployment.name_any()));
        let existing = api.list_metadata(&selector).await;
        let existing = existing
            .map_err(|cause| errors::tell(&format!("listing {}", K::plural(&())), cause))?;
        let names = existing.items.iter().map(ResourceExt::name_any);
        let names = names.filter(|name| !wanted.contains(name)).collect();
        Ok(Self { api, names })
    }

    async fn delete(self) -> Result<Vec<String>> {
        let mut deleted = Vec::new();
        for name in self.names {
            let what = format!("{}/{name}", K::kind(&()));
            match self.api.delete(&name, &DeleteParams::background()).await {
                Ok(_) => deleted.push(what),
                Err(cause) if errors::is_not_found(&cause) => {}
                Err(cause) => return Err(errors::tell(&format!("deleting {what}"), cause)),
            }
        }
        Ok(deleted)
    }
}
