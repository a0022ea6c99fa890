//! Is there an engine that could answer, and if not, why not?

use std::time::Duration;

use jiff::Timestamp;
use tntc_core::observe::diagnosis::{self, Problem};
use tntc_core::observe::workload;

use super::request::Request;
use crate::cluster::rollout::watch::Watch;
use crate::cluster::{Cluster, inventory, logs};
use crate::outcome::{Error, LogLine, Result};

/// How often it is looked whether an engine has ended, and the pause between: the kubelet reports it after a second or
/// two.
const ENDED_LOOKS: u32 = 16;
const ENDED_PAUSE: Duration = Duration::from_millis(200);

/// Waits until a pod of the workflow is ready.
///
/// # Errors
/// There is no such workflow, it is scaled to nothing, or its pods cannot run.
pub async fn require(cluster: &Cluster, request: &Request<'_>) -> Result<()> {
    let (namespace, name) = (request.namespace, request.workflow);
    let deployment = inventory::deployment(cluster, namespace, name).await?;
    if workload::wanted(&deployment) == 0 {
        return Err(Error::failed(format!(
            "{name} in namespace {namespace} is scaled to no replicas"
        ))
        .hint(format!(
            "start one with: {}",
            cluster.followup.kubectl(format!(
                "scale deployment {name} -n {namespace} --replicas=1"
            ))
        )));
    }
    if workload::ready(&deployment) > 0 {
        return Ok(());
    }
    let mut watch = Watch::rollout(&cluster.client, namespace, name);
    loop {
        let seen = watch.changed().await;
        let Some(deployment) = seen.deployments.get(name) else {
            continue;
        };
        if workload::ready(deployment) > 0 {
            return Ok(());
        }
        let problem = workload::problem(seen, deployment);
        if let Some(problem) = problem.filter(|problem| problem.fatal && !problem.is_first_crash())
        {
            let log = logs::of_crash(cluster, namespace, name).await;
            return Err(told(
                cluster,
                namespace,
                name,
                "is not running",
                &problem,
                &log,
            ));
        }
    }
}

/// Whether a pod of the workflow is ready at this moment.
pub async fn is_now(cluster: &Cluster, request: &Request<'_>) -> Result<bool> {
    let deployment = inventory::deployment(cluster, request.namespace, request.workflow).await?;
    Ok(workload::ready(&deployment) > 0)
}

/// Why the workflow's pods do not run, with the log of a crash; nothing when they do.
pub async fn not_running(cluster: &Cluster, namespace: &str, name: &str) -> Option<Error> {
    let (problem, log) = futures::join!(
        inventory::problem_of(cluster, namespace, name),
        logs::of_crash(cluster, namespace, name),
    );
    let problem = problem.ok().flatten()?;
    Some(told(
        cluster,
        namespace,
        name,
        "is not running",
        &problem,
        &log,
    ))
}

/// Why an engine ended since then, with its last lines; nothing when none did.
pub async fn ended_since(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    since: Timestamp,
) -> Option<Error> {
    for _ in 0..ENDED_LOOKS {
        let pods = inventory::pods(cluster, namespace, name).await.ok()?;
        let mut ended = pods
            .iter()
            .filter_map(|pod| diagnosis::ended_since(pod, since));
        if let Some(problem) = ended.next() {
            let log = logs::of_crash(cluster, namespace, name).await;
            return Some(told(
                cluster,
                namespace,
                name,
                "ended during the run",
                &problem,
                &log,
            ));
        }
        tokio::time::sleep(ENDED_PAUSE).await;
    }
    None
}

fn told(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    what: &str,
    problem: &Problem,
    log: &[LogLine],
) -> Error {
    let error = Error::failed(format!("{name} {what}: {problem}"));
    let error = problem.hint.clone().into_iter().fold(error, Error::hint);
    let error = error.hint(look_closer(cluster, namespace, name));
    if log.is_empty() {
        return error;
    }
    let text: Vec<_> = log
        .iter()
        .map(|line| format!("{} {}", line.pod, line.line))
        .collect();
    let mut error = error.details(text.join("\n"));
    error.evidence.lines = Some(log.to_vec());
    error
}

/// The hint that leads to everything else that is known.
pub fn look_closer(cluster: &Cluster, namespace: &str, name: &str) -> String {
    let status = format!("status {name} -n {namespace} --detail");
    format!("look closer with: {}", cluster.followup.tntc(status))
}

/// The hint that leads to what a run does that is not waited for any more.
pub fn read_its_log(cluster: &Cluster, namespace: &str, name: &str) -> String {
    let logs = cluster.followup.tntc(format!("logs {name} -n {namespace}"));
    format!("see what it does with: {logs}")
}
