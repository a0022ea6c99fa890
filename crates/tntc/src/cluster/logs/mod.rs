//! Logs of every pod of a workflow, as they are now; `follow` reads them as they grow.

pub mod follow;

use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, LogParams};
use tntc_core::manifests::deployment;
use tntc_core::observe::diagnosis;

use super::client::errors;
use super::{Cluster, inventory, objects};
use crate::outcome::{Error, LogLine, Result};

/// Lines of a crashed container that say why it crashed.
const CRASH_LINES: i64 = 20;

/// Which lines are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Selection {
    /// At most this many of the newest; of a negative number, all.
    pub tail: i64,
    /// Not older than this.
    pub since: Option<Duration>,
    /// Of the container before the last restart.
    pub previous: bool,
    /// Each line begins with when it was written (RFC 3339).
    pub timestamps: bool,
}

impl Selection {
    /// This many of the newest lines.
    pub fn newest(tail: i64) -> Self {
        Self {
            tail,
            since: None,
            previous: false,
            timestamps: false,
        }
    }

    /// As the API takes them.
    pub fn parameters(&self) -> LogParams {
        let seconds = |since: Duration| i64::try_from(since.as_secs().max(1)).unwrap_or(i64::MAX);
        LogParams {
            container: Some(deployment::CONTAINER.to_owned()),
            tail_lines: (self.tail >= 0).then_some(self.tail),
            since_seconds: self.since.map(seconds),
            previous: self.previous,
            timestamps: self.timestamps,
            ..LogParams::default()
        }
    }
}

/// What could be read.
#[derive(Debug, Default)]
pub struct Recent {
    /// Pod by pod.
    pub lines: Vec<LogLine>,
    /// Pods that have nothing to read yet, and why; and those whose lines are of the container before.
    pub silent: Vec<String>,
}

/// The pods of a workflow by name.
pub async fn pods(cluster: &Cluster, namespace: &str, workflow: &str) -> Result<Vec<String>> {
    let mut names: Vec<_> = inventory::pods(cluster, namespace, workflow)
        .await?
        .iter()
        .map(ResourceExt::name_any)
        .collect();
    names.sort();
    Ok(names)
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
    let api: Api<Pod> = objects::api(cluster, namespace);
    let texts = join_all(pods.iter().map(|pod| newest(&api, pod, selection))).await;
    let mut recent = Recent::default();
    let mut failure = None;
    for (pod, text) in pods.iter().zip(texts) {
        match text {
            Ok((text, restarted)) => {
                recent.lines.extend(lines(pod, &text));
                recent.silent.extend(restarted.then(|| {
                    format!(
                        "pod {pod} was restarted and has logged nothing since; these are the lines before"
                    )
                }));
            }
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

/// The log of a pod, and whether it is that of the container before: one that crashes again and again has logged nothing in
/// the moment after its start, and why it crashes is what is asked.
async fn newest(api: &Api<Pod>, pod: &str, selection: Selection) -> kube::Result<(String, bool)> {
    let text = api.logs(pod, &selection.parameters()).await?;
    if !text.is_empty() || selection.previous || selection.since.is_some() {
        return Ok((text, false));
    }
    let before = Selection {
        previous: true,
        ..selection
    };
    let before = api.logs(pod, &before.parameters()).await;
    let before = before.unwrap_or_default();
    let restarted = !before.is_empty();
    Ok((before, restarted))
}

fn lines<'a>(pod: &'a str, text: &'a str) -> impl Iterator<Item = LogLine> + 'a {
    text.lines().map(|line| LogLine {
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
        true => error.hint("its container has not started; tntc status shows why"),
        false => error,
    }
}

/// The last lines of a container of the workflow that ended with an error, when there is one.
///
/// It may be started again between the look at its pod and the look at its log, which then is that of its predecessor.
pub async fn of_crash(cluster: &Cluster, namespace: &str, workflow: &str) -> Vec<LogLine> {
    let pods = inventory::pods(cluster, namespace, workflow)
        .await
        .unwrap_or_default();
    let Some((pod, restarted)) = pods
        .iter()
        .find_map(|pod| Some((pod.name_any(), crashed(pod)?)))
    else {
        return Vec::new();
    };
    let api: Api<Pod> = objects::api(cluster, namespace);
    let wanted: &[bool] = if restarted { &[true] } else { &[false, true] };
    for previous in wanted {
        let selection = Selection {
            previous: *previous,
            ..Selection::newest(CRASH_LINES)
        };
        let text = api.logs(&pod, &selection.parameters()).await;
        let text = text.unwrap_or_default();
        if !text.is_empty() {
            return lines(&pod, &text).collect();
        }
    }
    Vec::new()
}

/// Whether a container of the pod crashed, and if so, whether it has been started again since.
fn crashed(pod: &Pod) -> Option<bool> {
    let failed = |state: Option<&k8s_openapi::api::core::v1::ContainerState>| {
        state
            .and_then(|state| state.terminated.as_ref())
            .is_some_and(|ended| ended.exit_code != 0)
    };
    diagnosis::containers(pod).find_map(|container| {
        let ended = failed(container.state.as_ref());
        (ended || failed(container.last_state.as_ref())).then_some(!ended)
    })
}
