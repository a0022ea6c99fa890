//! Following the logs of a workflow: across restarts of its containers, rollouts of its pods, and an API server that
//! goes away for a while.

use std::collections::HashSet;
use std::time::Duration;

use futures::{AsyncBufReadExt, StreamExt};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, LogParams};
use tokio::sync::mpsc;

use super::{Selection, has_nothing, not_readable};
use crate::cluster::client::errors;
use crate::cluster::rollout::watch::Watch;
use crate::cluster::{Cluster, objects};
use crate::outcome::{LogLine, Result};

/// Pause before a log that ended is opened again: a container that crashed is back after a second at the earliest.
const PAUSE: Duration = Duration::from_millis(300);

/// What a follower has to say.
#[derive(Debug)]
pub enum News {
    /// A line of a log.
    Line(LogLine),
    /// Something about the following itself.
    Note(String),
}

/// Follows every pod that there is or will be, until the receiver is dropped.
pub fn follow(
    cluster: &Cluster,
    namespace: &str,
    workflow: &str,
    selection: Selection,
) -> mpsc::Receiver<Result<News>> {
    let (sender, receiver) = mpsc::channel(64);
    let api: Api<Pod> = objects::api(cluster, namespace);
    let watch = Watch::pods(&cluster.client, namespace, workflow);
    tokio::spawn(async move {
        let closed = sender.clone();
        tokio::select! {
            () = follow_all(api, watch, selection, sender) => {}
            () = closed.closed() => {}
        }
    });
    receiver
}

/// The lines asked for are those of the pods that are there at the start; later pods are followed from their first line.
async fn follow_all(
    api: Api<Pod>,
    mut watch: Watch,
    selection: Selection,
    sender: mpsc::Sender<Result<News>>,
) {
    let mut followed = HashSet::new();
    let started = Timestamp::now();
    loop {
        for (name, pod) in &watch.changed().await.pods {
            if !followed.insert(name.clone()) {
                continue;
            }
            let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
            let is_later = created.is_some_and(|created| created > started);
            let one = Follower {
                api: api.clone(),
                pod: name.clone(),
                selection,
                from_start: is_later,
                seen: Seen::default(),
                sender: sender.clone(),
            };
            tokio::spawn(one.run());
        }
    }
}

/// Follows one pod until it is deleted.
struct Follower {
    api: Api<Pod>,
    pod: String,
    selection: Selection,
    from_start: bool,
    seen: Seen,
    sender: mpsc::Sender<Result<News>>,
}

impl Follower {
    async fn run(mut self) {
        let mut lost = false;
        loop {
            match self.api.log_stream(&self.pod, &self.parameters()).await {
                Ok(stream) => {
                    if std::mem::take(&mut lost) {
                        self.note("the connection is back").await;
                    }
                    self.pass_on(stream).await;
                }
                Err(cause) if errors::is_not_found(&cause) => return,
                Err(cause) if has_nothing(&cause) => {}
                Err(cause) if is_refused(&cause) => {
                    let error = not_readable(&self.pod, self.selection, cause);
                    return drop(self.sender.send(Err(error)).await);
                }
                Err(cause) => {
                    if !std::mem::replace(&mut lost, true) {
                        let error = not_readable(&self.pod, self.selection, cause);
                        self.note(&format!("{}; trying again", error.message)).await;
                    }
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn note(&self, text: &str) {
        // Nobody listens any more: the task is about to be dropped.
        drop(self.sender.send(Ok(News::Note(text.to_owned()))).await);
    }

    /// With time stamps, so that a log that is opened again goes on where it was left.
    fn parameters(&self) -> LogParams {
        let mut parameters = self.selection.parameters();
        parameters.follow = true;
        parameters.timestamps = true;
        if self.seen.newest.is_some() || self.from_start {
            parameters.tail_lines = None;
            parameters.since_seconds = None;
        }
        // The API takes whole seconds; what was seen already within that second is left out when it comes.
        parameters.since_time = self
            .seen
            .newest
            .and_then(|seen| Timestamp::from_second(seen.as_second()).ok());
        parameters
    }

    async fn pass_on(&mut self, stream: impl futures::AsyncBufRead) {
        let mut lines = std::pin::pin!(stream.lines());
        let mut repeated = self.seen;
        // A log that breaks off ends like one whose container ended: it is opened again.
        while let Some(Ok(text)) = lines.next().await {
            let (time, line) = split(&text);
            if time.is_some_and(|time| repeated.holds(time)) {
                continue;
            }
            self.seen.add(time);
            let shown = if self.selection.timestamps {
                &text
            } else {
                line
            };
            let line = LogLine {
                pod: self.pod.clone(),
                line: shown.to_owned(),
            };
            if self.sender.send(Ok(News::Line(line))).await.is_err() {
                return;
            }
        }
    }
}

/// Where a log was left: its newest time stamp, and how many lines carry it. Two lines can be written within one tick of
/// the clock.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    newest: Option<Timestamp>,
    lines: usize,
}

impl Seen {
    /// Counts a line that was passed on.
    fn add(&mut self, time: Option<Timestamp>) {
        match time {
            Some(time) if Some(time) == self.newest => self.lines += 1,
            Some(time) => (self.newest, self.lines) = (Some(time), 1),
            None => {}
        }
    }

    /// Whether a line of the log, opened again, was passed on before; each line is asked about once, in its order.
    fn holds(&mut self, time: Timestamp) -> bool {
        let is_newest = Some(time) == self.newest;
        if is_newest && self.lines > 0 {
            self.lines -= 1;
            return true;
        }
        !is_newest && Some(time) < self.newest
    }
}

/// Waiting does not help against missing rights; any other answer may be that of a server about to come back.
fn is_refused(cause: &kube::Error) -> bool {
    matches!(cause, kube::Error::Api(status) if matches!(status.code, 401 | 403))
}

/// The API server's time stamp, RFC 3339 with nanoseconds, and the line itself.
fn split(text: &str) -> (Option<Timestamp>, &str) {
    let parsed = text
        .split_once(' ')
        .and_then(|(time, line)| Some((time.parse().ok()?, line)));
    parsed.map_or((None, text), |(time, line)| (Some(time), line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_stamp_is_split_from_its_line() {
        let (time, line) = split("2026-01-02T03:04:05.000000006Z [only] INFO  two spaces");
        assert_eq!(
            time.map(|time| time.as_nanosecond() % 1_000_000_000),
            Some(6)
        );
        assert_eq!(line, "[only] INFO  two spaces");
        assert_eq!(split("no time stamp"), (None, "no time stamp"));
    }

    /// The lines of a log, each by the nanosecond at which it was written, that come after the first `left` of them.
    fn resumed(log: &[i64], left: usize) -> Vec<usize> {
        let at = |time: i64| Timestamp::from_nanosecond(time.into()).expect("a time");
        let mut seen = Seen::default();
        for time in &log[..left] {
            seen.add(Some(at(*time)));
        }
        let mut repeated = seen;
        let lines = log.iter().enumerate();
        lines
            .filter(|(_, time)| !repeated.holds(at(**time)))
            .map(|(line, _)| line)
            .collect()
    }

    #[test]
    fn a_log_that_is_opened_again_goes_on_within_a_nanosecond() {
        let log = [1, 2, 2, 2, 3];
        for left in 0..=log.len() {
            assert_eq!(
                resumed(&log, left),
                (left..log.len()).collect::<Vec<_>>(),
                "left after {left} lines"
            );
        }
    }
}
