//! What ends the waiting for a run, and what is known of the run then.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::ready;
use super::request::Request;
use crate::cluster::Cluster;
use crate::outcome::{Error, Result};
use crate::process::interrupt::Interrupt;
use crate::terminal::progress::Phase;

/// How far a run has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Stage {
    /// No pod of the workflow is ready.
    #[default]
    NotReady,
    /// The trigger pod's container does not run yet; why, as far as the cluster says.
    Pending(String),
    /// Input was sent to somebody, so the workflow may have been started.
    Sent,
}

/// The stage of a run, kept for whoever stops waiting for it, and what is shown meanwhile.
#[derive(Default)]
pub struct Progress<'a> {
    stage: Mutex<Stage>,
    shown: Option<&'a Phase<'a>>,
}

impl<'a> Progress<'a> {
    /// Shown at the end of this phase's line.
    pub fn shown(phase: Option<&'a Phase<'a>>) -> Self {
        Self {
            stage: Mutex::default(),
            shown: phase,
        }
    }

    /// Shows this at the end of the line.
    pub fn show(&self, detail: &str) {
        if let Some(phase) = self.shown {
            phase.detail(detail);
        }
    }

    /// The run has come to this stage.
    pub fn reach(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    /// The stage now.
    pub fn stage(&self) -> Stage {
        let stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        stage.clone()
    }
}

/// The timeout and Ctrl-C, which end whatever is being waited for.
pub struct Bounds<'a> {
    cluster: &'a Cluster,
    request: &'a Request<'a>,
    progress: &'a Progress<'a>,
    deadline: Instant,
    interrupt: Interrupt,
}

impl<'a> Bounds<'a> {
    /// The timeout runs from here.
    pub fn new(
        cluster: &'a Cluster,
        request: &'a Request<'a>,
        progress: &'a Progress<'a>,
    ) -> Result<Self> {
        Ok(Self {
            cluster,
            request,
            progress,
            deadline: Instant::now() + request.timeout,
            interrupt: Interrupt::listen()?,
        })
    }

    /// Waits for the future.
    ///
    /// # Errors
    /// The time is over, or the user pressed Ctrl-C.
    pub async fn within<T>(&mut self, future: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            done = tokio::time::timeout_at(self.deadline, future) => {
                done.map_err(|_| timed_out(self.cluster, self.request, &self.progress.stage()))
            }
            signal = self.interrupt.raised() => Err(signal.error(match self.progress.stage() {
                Stage::Sent => "interrupted; the run may go on in the engine",
                Stage::NotReady | Stage::Pending(_) => "interrupted; nothing was started",
            })),
        }
    }
}

fn timed_out(cluster: &Cluster, request: &Request<'_>, stage: &Stage) -> Error {
    let (workflow, namespace) = (request.workflow, request.namespace);
    let seconds = request.timeout.as_secs_f64();
    let more = "give it more time with --timeout";
    match stage {
        Stage::NotReady => Error::failed(format!(
            "no pod of {workflow} was ready within {seconds}s; nothing was started"
        ))
        .hint(ready::look_closer(cluster, namespace, workflow))
        .hint(more),
        Stage::Pending(why) => Error::surroundings(format!(
            "the trigger pod did not start within {seconds}s: {why}; nothing was started"
        ))
        .hint("it needs a node with 10m CPU and 16Mi memory to spare, and `trigger_image` on it")
        .hint(more),
        Stage::Sent => Error::failed(format!(
            "no answer from {workflow} within {seconds}s; the run may go on in the engine"
        ))
        .hint(more)
        .hint(ready::read_its_log(cluster, namespace, workflow)),
    }
}
