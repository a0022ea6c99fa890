//! From a trigger pod to its answer, however often the connection to it is lost.
//!
//! An attach to a container that is not there yet is answered by the API server with a failure and the end of the
//! connection. Input that is on its way then resets the connection, and the failure is lost with it, so that it looks
//! like a connection that was lost in the middle of a run. The proxies on the way can also lose the end of an answer
//! (the kubelet closes both directions as soon as one has ended). Neither is a reason to give up: the same pod is
//! attached to again, since curl sends one request at most; and what an attach has missed is in the pod's log, for as
//! long as there is the pod.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::Api;
use tntc_core::trigger::{self as core, Reached, Verdict, reached};
use tokio::time::{Instant, sleep};

use super::attach::{self, Heard};
use super::bounds::{Progress, Stage};
use super::request::{Request, RunResponse};
use super::{ready, trigger_pod};
use crate::cluster::client::errors;
use crate::cluster::rollout::watch::Watch;
use crate::cluster::{Cluster, objects};
use crate::outcome::{Error, Result};

/// Pause between attempts to attach: the container exists some 300 ms after the pod was made.
const ATTACH_PAUSE: Duration = Duration::from_millis(20);
/// How many attempts come that fast; after about three seconds something takes longer, such as an image.
const FAST_ATTEMPTS: u32 = 100;
/// Pause between later attempts.
const SLOW_PAUSE: Duration = Duration::from_millis(250);
/// How long a lost connection, or news of a pod that must have ended, is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause between looks into the pod's log.
const LOG_PAUSE: Duration = Duration::from_millis(500);
/// How long the answer may come after the end of the request there: the two are written by different hands.
const LOG_PATIENCE: Duration = Duration::from_secs(5);
/// Bytes that a Linux pipe takes before anybody reads (pipe(7)), less a margin.
const PIPE: usize = 60 * 1024;

/// One trigger pod, asked for its answer.
pub struct Conversation<'a> {
    cluster: &'a Cluster,
    request: &'a Request<'a>,
    progress: &'a Progress<'a>,
    pods: Api<Pod>,
    pod: &'a str,
}

impl<'a> Conversation<'a> {
    /// With the pod of this name.
    pub fn new(
        cluster: &'a Cluster,
        request: &'a Request<'a>,
        progress: &'a Progress<'a>,
        pod: &'a str,
    ) -> Self {
        Self {
            pods: objects::api(cluster, request.namespace),
            cluster,
            request,
            progress,
            pod,
        }
    }

    /// The answer; nothing when the workflow was certainly not started, and another pod may try.
    pub async fn answer(&self) -> Result<Option<RunResponse>> {
        let mut watch = Watch::pod(&self.cluster.client, self.request.namespace, self.pod);
        // A container that does not run yet takes a pipe's worth of input and then, with containerd 1.6, nothing more,
        // also once it runs.
        if self.request.input.len() > PIPE {
            trigger_pod::started(&mut watch, self.pod).await?;
        }
        let heard = self.talk(&mut watch).await?;
        match heard.verdict() {
            Verdict::Answered => Ok(Some(answer(&heard))),
            Verdict::Ended(status) => self.unanswered(status, &heard, &watch).await,
            Verdict::NoContainer | Verdict::Incomplete => self.by_pod(&mut watch, heard).await,
        }
    }

    /// Attaches until curl has said something, or has ended.
    async fn talk(&self, watch: &mut Watch) -> Result<Heard> {
        let mut link = Link::default();
        for attempt in 0.. {
            let heard = tokio::select! {
                heard = self.attach() => heard,
                over = self.watching(watch) => return over.map(|()| Heard::default()),
            };
            match heard {
                Ok(heard) => match heard.verdict() {
                    Verdict::NoContainer => link.no_container(),
                    Verdict::Incomplete if heard.is_silent() => link.lost(),
                    _ => return Ok(heard),
                },
                Err(kube::Error::Api(status)) if status.code == 403 => {
                    let cause = kube::Error::Api(status);
                    return Err(errors::tell("attaching to the trigger pod", cause));
                }
                Err(cause) if errors::is_not_found(&cause) => return Err(self.gone(&link)),
                Err(_) => link.unreachable(),
            }
            if link.is_given_up() {
                return Err(self.broken_off());
            }
            if !link.was_lost {
                let why = trigger_pod::waiting_for(watch.seen(), self.pod);
                self.progress.reach(Stage::Pending(why));
            }
            let pause = if attempt < FAST_ATTEMPTS {
                ATTACH_PAUSE
            } else {
                SLOW_PAUSE
            };
            tokio::select! {
                () = sleep(pause) => {}
                over = self.watching(watch) => return over.map(|()| Heard::default()),
            }
            if self.has_ended(watch) {
                break;
            }
        }
        Ok(Heard::default())
    }

    async fn attach(&self) -> Result<Heard, kube::Error> {
        let process = attach::begin(&self.pods, self.pod).await?;
        self.progress.reach(Stage::Sent);
        Ok(attach::converse(process, self.request.input).await)
    }

    fn has_ended(&self, watch: &Watch) -> bool {
        let pod = watch.seen().pods.get(self.pod);
        pod.is_some_and(trigger_pod::has_ended)
    }

    /// Ends with an error when the pod can never start, and without one when it ended a while ago.
    async fn watching(&self, watch: &mut Watch) -> Result<()> {
        while !self.has_ended(watch) {
            if let Some(error) = trigger_pod::cannot_start(watch.seen(), self.pod) {
                return Err(error);
            }
            self.show(watch);
            watch.changed().await;
        }
        sleep(PATIENCE).await;
        Ok(())
    }

    fn show(&self, watch: &Watch) {
        let pod = watch.seen().pods.get(self.pod);
        if pod.is_some_and(trigger_pod::has_started) {
            self.progress.show("waiting for the answer");
        } else {
            let why = trigger_pod::waiting_for(watch.seen(), self.pod);
            self.progress
                .show(&format!("starting the trigger pod: {why}"));
        }
    }

    /// What the attach did not bring, from the pod's log: curl has sent its request, or is about to.
    async fn by_pod(&self, watch: &mut Watch, heard: Heard) -> Result<Option<RunResponse>> {
        let log = tokio::select! {
            log = self.log_with_end() => log,
            // A pod that ended before its log had an end will never have one.
            () = trigger_pod::over(watch, self.pod) => self.log().await.ok(),
        };
        let log = log.ok_or_else(|| self.broken_off())?;
        let end = core::end_in(log.as_bytes());
        if let Some(status) = end.map(|end| end.exit_status)
            && reached(status) != Reached::Answered
        {
            return self.unanswered(status, &heard, watch).await;
        }
        match core::answer_in(&log) {
            Some(body) => Ok(Some(RunResponse {
                body,
                ..answer(&heard)
            })),
            None if heard.body.is_empty() && end.is_none() => Err(self.broken_off()),
            None => Err(self.cut_off(heard.body.len())),
        }
    }

    async fn log(&self) -> Result<String, kube::Error> {
        trigger_pod::log(&self.pods, self.pod).await
    }

    /// The log, once the request is over and nothing of it is missing, or was not added for a while; nothing when the
    /// API server stays away.
    async fn log_with_end(&self) -> Option<String> {
        let (mut reached, mut ended) = (Instant::now(), None);
        while reached.elapsed() < PATIENCE {
            if let Ok(log) = self.log().await {
                reached = Instant::now();
                if core::end_in(log.as_bytes()).is_some() {
                    let ended = ended.get_or_insert(reached);
                    if core::is_settled(&log) || ended.elapsed() > LOG_PATIENCE {
                        return Some(log);
                    }
                }
            }
            sleep(LOG_PAUSE).await;
        }
        None
    }

    /// curl has ended without an answer; nothing when no engine can have been reached, which is then waited for.
    async fn unanswered(
        &self,
        status: i32,
        heard: &Heard,
        watch: &Watch,
    ) -> Result<Option<RunResponse>> {
        if reached(status) == Reached::Never {
            self.progress.reach(Stage::NotReady);
            if !ready::is_now(self.cluster, self.request).await? {
                return Ok(None);
            }
        }
        let (namespace, name) = (self.request.namespace, self.request.workflow);
        let since = watch.seen().pods.get(self.pod);
        let since = since.and_then(ResourceExt::creation_timestamp);
        if let Some(since) = since.filter(|_| reached(status) == Reached::Perhaps) {
            // The engine's own pods know why, better than curl.
            let ended = ready::ended_since(self.cluster, namespace, name, since.0).await;
            if let Some(error) = ended {
                return Err(error);
            }
        }
        let messages = core::messages_of(&heard.messages);
        let curl = messages.lines().last().map_or_else(
            || format!("curl ended with exit status {status}"),
            str::to_owned,
        );
        let not_running = ready::not_running(self.cluster, namespace, name).await;
        Err(not_running.unwrap_or_else(|| {
            Error::failed(format!("{name} did not answer: {curl}")).hint(ready::look_closer(
                self.cluster,
                namespace,
                name,
            ))
        }))
    }

    fn gone(&self, link: &Link) -> Error {
        let deleted = format!(
            "the trigger pod {} was deleted before it answered",
            self.pod
        );
        if link.was_lost {
            Error::surroundings(format!("{deleted}; {MAY_GO_ON}")).hint(self.log_hint())
        } else {
            Error::surroundings(format!("{deleted}; nothing was started"))
                .hint("run it again; if that lasts, look for what deletes pods in this namespace")
        }
    }

    fn broken_off(&self) -> Error {
        Error::surroundings(format!(
            "the connection to the trigger pod was lost before the answer was here; {MAY_GO_ON}"
        ))
        .hint(self.log_hint())
    }

    fn cut_off(&self, bytes: usize) -> Error {
        Error::surroundings(format!(
            "the answer of {} is cut off after {bytes} bytes; the run itself went on in the engine",
            self.request.workflow
        ))
        .hint(self.log_hint())
    }

    fn log_hint(&self) -> String {
        ready::read_its_log(self.cluster, self.request.namespace, self.request.workflow)
    }
}

const MAY_GO_ON: &str = "the run may go on in the engine";

/// What the attempts so far tell of the way to the pod.
#[derive(Default)]
struct Link {
    /// Whether a connection was lost that may have brought the input to curl.
    was_lost: bool,
    unreachable_since: Option<Instant>,
}

impl Link {
    fn no_container(&mut self) {
        self.unreachable_since = None;
    }

    fn lost(&mut self) {
        self.was_lost = true;
        self.unreachable_since = None;
    }

    fn unreachable(&mut self) {
        self.unreachable_since.get_or_insert_with(Instant::now);
    }

    /// Only a run that may have been started is given up before its timeout: its answer may be gone.
    fn is_given_up(&self) -> bool {
        let away = self.unreachable_since.map(|since| since.elapsed());
        self.was_lost && away.is_some_and(|away| away > PATIENCE)
    }
}

fn answer(heard: &Heard) -> RunResponse {
    let body = heard.as_core().answer().unwrap_or_default();
    RunResponse {
        body: String::from_utf8_lossy(body).into_owned(),
        messages: core::messages_of(&heard.messages),
        left_behind: None,
    }
}
