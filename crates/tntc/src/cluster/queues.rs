//! Whether the queue triggers of a workflow receive, as its pods report in their logs.

use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, LogParams};
use tntc_core::manifests::{deployment, queue_log};
use tntc_core::observe::diagnosis::Problem;

use super::{Cluster, objects};

/// Lines of a log that are read, the last ones: a chatty workflow must not make `status` slow.
const LAST_LINES: i64 = 5_000;

/// What keeps the first trigger of the first pod from receiving; none when no log can be read, which is reported elsewhere.
pub async fn problem(cluster: &Cluster, namespace: &str, pods: &[Pod]) -> Option<Problem> {
    let api: Api<Pod> = objects::api(cluster, namespace);
    let parameters = LogParams {
        container: Some(deployment::CONTAINER.to_owned()),
        since_seconds: Some(queue_log::RECENT_SECONDS),
        tail_lines: Some(LAST_LINES),
        ..LogParams::default()
    };
    let names: Vec<_> = pods.iter().map(ResourceExt::name_any).collect();
    let logs = join_all(names.iter().map(|name| api.logs(name, &parameters))).await;
    names.iter().zip(logs).find_map(|(pod, log)| {
        let log = log.ok()?;
        let (subject, problem) = queue_log::down(&log).into_iter().next()?;
        Some(Problem {
            reason: "QueueDown".to_owned(),
            message: format!("pod {pod} receives nothing on {subject}: {problem}"),
            fatal: false,
            hint: None,
        })
    })
}
