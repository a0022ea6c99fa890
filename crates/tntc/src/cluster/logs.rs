//! Logs of every pod of a workflow, as they are now; `follow` reads them as they grow.

use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, ListParams, LogParams};
use tntc_core::manifests::{deployment, labels};

use super::{Cluster, diagnose, errors};
use crate::error::{Error, Result};

/// Lines of a crashed container that say why it crashed.
const CRASH_LINES: i64 = 20;

/// A line and the pod that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Line {
    /// Name of the pod.
    pub pod: String,
    /// The line, without its newline.
    pub line: String,
}

/// Which lines are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Selection {
    /// At most this many of the newest.
    pub tail: u32,
    /// Not older than this.
    pub since: Option<Duration>,
    /// Of the container before the last restart.
    pub previous: bool,
}

impl Selection {
    /// This many of the newest lines.
    pub fn newest(tail: u32) -> Self {
        Self {
            tail,
            since: None,
            previous: false,
        }
    }

    /// As the API takes them.
    pub fn parameters(&self) -> LogParams {
        let seconds = |since: Duration| i64::try_from(since.as_secs().max(1)).unwrap_or(i64::MAX);
        LogParams {
            container: Some(deployment::CONTAINER.to_owned()),
            tail_lines: Some(i64::from(self.tail)),
            since_seconds: self.since.map(seconds),
            previous: self.previous,
            ..LogParams::default()
        }
    }
}

/// What could be read.
#[derive(Debug, Default)]
pub struct Recent {
    /// Pod by pod.
    pub lines: Vec<Line>,
    /// Pods that have nothing to read yet, and why.
    pub silent: Vec<String>,
}

/// The pods of a workflow by name.
pub async fn pods(cluster: &Cluster, namespace: &str, workflow: &str) -> Result<Vec<String>> {
    let mut names: Vec<_> = list(cluster, namespace, workflow)
        .await?
        .iter()
        .map(ResourceExt::name_any)
        .collect();
    names.sort();
    Ok(names)
}

async fn list(cluster: &Cluster, namespace: &str, workflow: &str) -> Result<Vec<Pod>> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let ours = ListParams::default().labels(&format!("{}={workflow}", labels::NAME));
    let listed = api.list(&ours).await;
    let listed = listed.map_err(|cause| errors::tell("listing pods", cause))?;
    Ok(listed.items)
}

/// The recent lines of each pod, pod by pod; a pod that has not started hides nothing of the others.
///
/// # Errors
/// None of the pods could be read.
pub async fn recent(
    cluster: &Cluster,
    namespace: &str,
    pods: &[String],
    selection: Selection,
) -> Result<Recent> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let parameters = selection.parameters();
    let texts = join_all(pods.iter().map(|pod| api.logs(pod, &parameters))).await;
    let mut recent = Recent::default();
    let mut failure = None;
    for (pod, text) in pods.iter().zip(texts) {
        match text {
            Ok(text) => recent.lines.extend(lines(pod, &text)),
            // Gone since the pods were listed.
            Err(cause) if errors::is_not_found(&cause) => {}
            Err(cause) if has_nothing(&cause) => {
                let error = not_readable(pod, selection, cause);
                recent.silent.push(error.message.clone());
                failure = Some(error);
            }
            Err(cause) => return Err(not_readable(pod, selection, cause)),
        }
    }
    match failure {
        Some(error) if recent.silent.len() == pods.len() => Err(error),
        _ => Ok(recent),
    }
}

fn lines<'a>(pod: &'a str, text: &'a str) -> impl Iterator<Item = Line> + 'a {
    text.lines().map(|line| Line {
        pod: pod.to_owned(),
        line: line.to_owned(),
    })
}

/// 400 means that there is no such container: not started yet, or not restarted when its predecessor is asked for.
pub fn has_nothing(cause: &kube::Error) -> bool {
    matches!(cause, kube::Error::Api(status) if status.code == 400)
}

/// Why a pod's log cannot be read.
pub fn not_readable(pod: &str, selection: Selection, cause: kube::Error) -> Error {
    let nothing = has_nothing(&cause);
    let error = errors::tell(&format!("reading the log of pod {pod}"), cause);
    match nothing {
        true if selection.previous => error.hint("it was not restarted; leave out --previous"),
        true => error.hint("its container has not started; tntc status tells why"),
        false => error,
    }
}

/// The last lines of a container of the workflow that ended with an error, when there is one.
pub async fn of_crash(cluster: &Cluster, namespace: &str, workflow: &str) -> Vec<Line> {
    let pods = list(cluster, namespace, workflow).await.unwrap_or_default();
    let Some((pod, previous)) = pods
        .iter()
        .find_map(|pod| Some((pod.name_any(), crashed(pod)?)))
    else {
        return Vec::new();
    };
    let parameters = LogParams {
        container: Some(deployment::CONTAINER.to_owned()),
        tail_lines: Some(CRASH_LINES),
        previous,
        ..LogParams::default()
    };
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let text = api.logs(&pod, &parameters).await.unwrap_or_default();
    lines(&pod, &text).collect()
}

/// Whether a container of the pod crashed, and if so, whether it has been started again since.
fn crashed(pod: &Pod) -> Option<bool> {
    let failed = |state: Option<&k8s_openapi::api::core::v1::ContainerState>| {
        state
            .and_then(|state| state.terminated.as_ref())
            .is_some_and(|ended| ended.exit_code != 0)
    };
    diagnose::containers(pod).find_map(|container| {
        let state = container.state.as_ref();
        let running = state.is_some_and(|state| state.running.is_some());
        (failed(state) || failed(container.last_state.as_ref())).then_some(running)
    })
}
