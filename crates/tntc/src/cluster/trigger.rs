//! Running a deployed workflow once, through a temporary pod inside the cluster.
//!
//! The request body goes in by the pod's attached standard input and the answer comes back by its attached standard
//! output, so neither is ever in the pod's arguments or its log, and the answer is here before the kubelet has noticed
//! that the pod is done.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, PostParams};
use tntc_core::manifests::trigger::{self, Run};
use tokio::time::Instant;

use super::diagnose::{self, Problem};
use super::watch::{Observed, Watch};
use super::{Cluster, attach, errors, ready};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::unique;

/// Seconds that the pod may outlive the caller's own timeout, should the caller be killed.
const DEADLINE_SLACK: u64 = 30;

/// Bytes that a Linux pipe takes before anybody reads (pipe(7)), less a margin.
const PIPE: usize = 60 * 1024;

/// How long an interrupted run waits for the answer to the pod's creation.
const CREATION_PATIENCE: Duration = Duration::from_secs(10);

/// What to run, where.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Namespace of the workflow.
    pub namespace: &'a str,
    /// Name of the workflow.
    pub workflow: &'a str,
    /// Image with curl in it.
    pub image: &'a str,
    /// The run's input, JSON text.
    pub input: &'a str,
    /// Bound of everything.
    pub timeout: Duration,
}

/// What curl printed.
#[derive(Debug, Default)]
pub struct Answer {
    /// The response body.
    pub body: String,
    /// curl's own messages.
    pub messages: String,
    /// Why the pod could not be removed, when it could not.
    pub left_behind: Option<String>,
}

/// Runs the workflow once and removes the pod, whatever happens, also on Ctrl-C at any moment.
pub async fn run(cluster: &Cluster, request: &Request<'_>) -> Result<Answer> {
    // Before the pod exists, so that no signal can leave it behind.
    let mut bounds = Bounds::new(request)?;
    loop {
        bounds.within(ready::require(cluster, request)).await??;
        if let Some(answer) = Box::pin(attempt(cluster, request, &mut bounds)).await? {
            return Ok(answer);
        }
    }
}

/// One pod; nothing when it ended without having reached an engine, which is then waited for.
async fn attempt(
    cluster: &Cluster,
    request: &Request<'_>,
    bounds: &mut Bounds<'_>,
) -> Result<Option<Answer>> {
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), request.namespace);
    let pod = pod_of(request);
    let name = pod.name_any();
    let answer = match created(&pods, pod, bounds).await {
        Ok(()) => bounds
            .within(answer(cluster, request, &pods, &name))
            .await
            .and_then(|answer| answer),
        Err(NotCreated::Refused(error)) => return Err(error),
        Err(NotCreated::Unknown(error)) => Err(error),
    };
    // An answer is worth more than a tidy end, and a failure that is told more than one that follows from it.
    match (answer, remove(&pods, &name).await) {
        (Ok(answer), Err(error)) => Ok(answer.map(|answer| Answer {
            left_behind: Some(error.message),
            ..answer
        })),
        (Err(error), Err(left)) => Err(error.hint(format!("{}; it ends by itself", left.message))),
        (answer, Ok(())) => answer,
    }
}

/// Why there is no pod, as far as is known.
enum NotCreated {
    /// The API server said no: there is nothing to remove.
    Refused(Error),
    /// Its answer was not waited for, or lost on the way: the pod may be there all the same.
    Unknown(Error),
}

/// Returns only when the pod is there or never will be, also when interrupted: before, it could not be removed.
async fn created(pods: &Api<Pod>, pod: Pod, bounds: &mut Bounds<'_>) -> Result<(), NotCreated> {
    let mut creation = tokio::spawn(create(pods.clone(), pod));
    match bounds.within(&mut creation).await {
        Ok(Ok(created)) => created,
        Ok(Err(cause)) => {
            let error = Error::failed(format!("creating the trigger pod: {cause}"));
            Err(NotCreated::Unknown(error))
        }
        Err(stopped) => {
            drop(tokio::time::timeout(CREATION_PATIENCE, creation).await);
            Err(NotCreated::Unknown(stopped))
        }
    }
}

/// The timeout and Ctrl-C, which end whatever is being waited for.
pub struct Bounds<'a> {
    request: &'a Request<'a>,
    deadline: Instant,
    interrupt: Interrupt,
}

impl<'a> Bounds<'a> {
    /// The timeout runs from here.
    pub fn new(request: &'a Request<'a>) -> Result<Self> {
        Ok(Self {
            request,
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
            done = tokio::time::timeout_at(self.deadline, future) => done.map_err(|_| timed_out(self.request)),
            () = self.interrupt.raised() => Err(Error::failed("interrupted; the run may go on in the engine")),
        }
    }
}

fn pod_of(request: &Request<'_>) -> Pod {
    trigger::run_pod(&Run {
        workflow: request.workflow,
        namespace: request.namespace,
        image: request.image,
        suffix: &unique::suffix(),
        deadline_seconds: i64::try_from(request.timeout.as_secs() + DEADLINE_SLACK)
            .unwrap_or(i64::MAX),
    })
}

async fn create(pods: Api<Pod>, pod: Pod) -> Result<(), NotCreated> {
    let made = pods.create(&PostParams::default(), &pod).await;
    made.map(drop).map_err(|cause| {
        let is_refused = matches!(&cause, kube::Error::Api(status) if status.code < 500);
        let error = errors::tell("creating the trigger pod", cause).hint(
            "where no pod may be made, reach the engine by --via proxy or --via port-forward",
        );
        if is_refused {
            NotCreated::Refused(error)
        } else {
            NotCreated::Unknown(error)
        }
    })
}

async fn answer(
    cluster: &Cluster,
    request: &Request<'_>,
    pods: &Api<Pod>,
    pod: &str,
) -> Result<Option<Answer>> {
    let mut watch = Watch::pod(&cluster.client, request.namespace, pod);
    // A container that does not run yet takes a pipe's worth of input and then, with containerd 1.6, nothing more, also
    // once it runs.
    if request.input.len() > PIPE {
        started(&mut watch, pod)
            .await
            .map_err(|problem| cannot_start(&problem))?;
    }
    let attached = tokio::select! {
        attached = attach::talk(pods, pod, request.input) => attached,
        problem = fatal_problem(&mut watch, pod) => Err(cannot_start(&problem)),
    }?;
    if !attached.body.is_empty() {
        return Ok(Some(attached));
    }
    if never_reached(&attached) && !ready::is_now(cluster, request).await? {
        return Ok(None);
    }
    Err(no_answer(cluster, request, &attached).await)
}

/// Whether curl says that it could not resolve, could not connect, or could not do so in time. Only then has the
/// workflow certainly not been started.
fn never_reached(answer: &Answer) -> bool {
    let last = answer.messages.lines().last().unwrap_or_default();
    let statuses = ["curl: (6)", "curl: (7)", "curl: (28)"];
    statuses.iter().any(|status| last.starts_with(status))
}

/// Waits until the pod's container runs, or has run.
async fn started(watch: &mut Watch, pod: &str) -> Result<(), Problem> {
    loop {
        let seen = watch.changed().await;
        if seen.pods.get(pod).is_some_and(has_started) {
            return Ok(());
        }
        if let Some(problem) = problem(seen, pod) {
            return Err(problem);
        }
    }
}

async fn fatal_problem(watch: &mut Watch, pod: &str) -> Problem {
    loop {
        if let Some(problem) = problem(watch.changed().await, pod) {
            return problem;
        }
    }
}

/// A trigger pod that ended is no problem: curl's status follows the workflow's.
fn problem(seen: &Observed, pod: &str) -> Option<Problem> {
    let pod = seen.pods.get(pod)?;
    if has_started(pod) {
        return None;
    }
    diagnose::problem(None, std::iter::once(pod), &seen.events.values())
        .filter(|problem| problem.fatal)
}

fn has_started(pod: &Pod) -> bool {
    diagnose::containers(pod).any(|container| {
        container
            .state
            .as_ref()
            .is_some_and(|state| state.running.is_some() || state.terminated.is_some())
    })
}

/// Deleted with no grace: curl has nothing to finish.
async fn remove(pods: &Api<Pod>, pod: &str) -> Result<()> {
    match pods
        .delete(pod, &DeleteParams::default().grace_period(0))
        .await
    {
        Ok(_) => Ok(()),
        Err(cause) if errors::is_not_found(&cause) => Ok(()),
        Err(cause) => Err(errors::tell(
            &format!("deleting the trigger pod {pod}"),
            cause,
        )),
    }
}

fn cannot_start(problem: &Problem) -> Error {
    let error = Error::surroundings(format!("the trigger pod cannot start: {problem}"));
    error.hint("its image is `trigger_image` in the config file; the nodes must be able to pull it")
}

fn timed_out(request: &Request) -> Error {
    let seconds = request.timeout.as_secs_f64();
    Error::failed(format!(
        "no answer from {} within {seconds}s; the run may go on in the engine",
        request.workflow
    ))
    .hint("give it more time with --timeout")
    .hint(format!(
        "see what it does with: tntc logs {} -n {}",
        request.workflow, request.namespace
    ))
}

/// curl could not reach the engine: the engine's own pods know why, better than curl.
async fn no_answer(cluster: &Cluster, request: &Request<'_>, answer: &Answer) -> Error {
    let last = answer.messages.lines().last();
    let curl = last.unwrap_or("no message").trim();
    ready::not_running(cluster, request.namespace, request.workflow)
        .await
        .unwrap_or_else(|| {
            let message = format!("{} did not answer: {curl}", request.workflow);
            Error::failed(message).hint(ready::look_closer(
                cluster,
                request.namespace,
                request.workflow,
            ))
        })
}
