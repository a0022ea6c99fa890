//! Logs of every pod of a workflow.

use futures::{AsyncBufReadExt, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, ListParams, LogParams};
use tntc_core::manifests::{deployment, labels};
use tokio::sync::mpsc;

use super::{Cluster, errors};
use crate::error::{Error, Result};

/// A line and the pod that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    /// Name of the pod.
    pub pod: String,
    /// The line, without its newline.
    pub line: String,
}

/// The pods of a workflow by name.
pub async fn pods(cluster: &Cluster, namespace: &str, workflow: &str) -> Result<Vec<String>> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let ours = ListParams::default().labels(&format!("{}={workflow}", labels::NAME));
    let listed = api
        .list(&ours)
        .await
        .map_err(|cause| errors::tell("listing pods", cause))?;
    let mut names: Vec<_> = listed.items.iter().map(ResourceExt::name_any).collect();
    names.sort();
    Ok(names)
}

/// The recent lines of each pod, pod by pod.
pub async fn recent(
    cluster: &Cluster,
    namespace: &str,
    pods: &[String],
    tail: u32,
) -> Result<Vec<Line>> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let mut lines = Vec::new();
    for pod in pods {
        let text = api
            .logs(pod, &parameters(tail, false))
            .await
            .map_err(|cause| not_readable(pod, cause))?;
        lines.extend(text.lines().map(|line| Line {
            pod: pod.clone(),
            line: line.to_owned(),
        }));
    }
    Ok(lines)
}

/// Follows each pod's log; the channel ends when every pod has ended.
pub fn follow(
    cluster: &Cluster,
    namespace: &str,
    pods: &[String],
    tail: u32,
) -> mpsc::Receiver<Result<Line>> {
    let (sender, receiver) = mpsc::channel(64);
    for pod in pods {
        let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
        tokio::spawn(follow_one(api, pod.clone(), tail, sender.clone()));
    }
    receiver
}

async fn follow_one(api: Api<Pod>, pod: String, tail: u32, sender: mpsc::Sender<Result<Line>>) {
    let stream = match api.log_stream(&pod, &parameters(tail, true)).await {
        Ok(stream) => stream,
        Err(cause) => return drop(sender.send(Err(not_readable(&pod, cause))).await),
    };
    let mut lines = stream
        .lines()
        .map_err(|cause| Error::surroundings(format!("the log of {pod} broke off: {cause}")));
    while let Some(line) = lines.next().await {
        let line = line.map(|line| Line {
            pod: pod.clone(),
            line,
        });
        if sender.send(line).await.is_err() {
            return;
        }
    }
}

fn parameters(tail: u32, follow: bool) -> LogParams {
    LogParams {
        container: Some(deployment::CONTAINER.to_owned()),
        tail_lines: Some(i64::from(tail)),
        follow,
        ..LogParams::default()
    }
}

/// 400 means that the container has not started.
fn not_readable(pod: &str, cause: kube::Error) -> Error {
    let not_started = matches!(&cause, kube::Error::Api(status) if status.code == 400);
    let error = errors::tell(&format!("reading the log of pod {pod}"), cause);
    if not_started {
        error.hint("its container has not started; tntc status tells why")
    } else {
        error
    }
}
