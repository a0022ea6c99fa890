//! Running a deployed workflow once, through a temporary pod inside the cluster.
//!
//! The request body goes in by the pod's attached standard input and the answer comes back by its attached standard
//! output, so neither is ever in the pod's arguments or its log, and the answer is here before the kubelet has noticed
//! that the pod is done.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, Service};
use kube::ResourceExt;
use kube::api::{Api, AttachParams, AttachedProcess, DeleteParams, PostParams};
use tntc_core::manifests::trigger::{self, CONTAINER, Run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::diagnose::{self, Problem};
use super::watch::{Observed, Watch};
use super::{Cluster, apply, errors};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::unique;

/// Pause between attempts to attach: the container exists some 300 ms after the pod was made.
const ATTACH_PAUSE: Duration = Duration::from_millis(20);

/// Seconds that the pod may outlive the caller's own timeout, should the caller be killed.
const DEADLINE_SLACK: u64 = 30;

/// Bytes that may wait in memory for the connection, each way.
const BUFFER: usize = 256 * 1024;

/// Bytes that a Linux pipe takes before anybody reads (pipe(7)), less a margin.
const PIPE: usize = 60 * 1024;

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
}

/// Runs the workflow once and removes the pod, whatever happens, also on Ctrl-C.
pub async fn run(cluster: &Cluster, request: &Request<'_>) -> Result<Answer> {
    require_deployed(cluster, request).await?;
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), request.namespace);
    // Before the pod exists, so that no signal can leave it behind.
    let mut interrupt = Interrupt::listen()?;
    let pod = create(&pods, request).await?;
    let answer = tokio::select! {
        answer = tokio::time::timeout(request.timeout, answer(cluster, request, &pods, &pod)) => {
            answer.unwrap_or_else(|_| Err(timed_out(request)))
        }
        () = interrupt.raised() => Err(Error::failed("interrupted; the run may go on in the engine")),
    };
    remove(&pods, &pod).await?;
    answer
}

async fn require_deployed(cluster: &Cluster, request: &Request<'_>) -> Result<()> {
    let services: Api<Service> = Api::namespaced(cluster.client.clone(), request.namespace);
    let found = services
        .get_opt(request.workflow)
        .await
        .map_err(|cause| errors::tell("looking for the workflow", cause))?;
    match found {
        Some(service) if apply::is_ours(&service) => Ok(()),
        _ => Err(super::inventory::no_such_workflow(
            request.workflow,
            request.namespace,
        )),
    }
}

async fn create(pods: &Api<Pod>, request: &Request<'_>) -> Result<String> {
    let pod = trigger::run_pod(&Run {
        workflow: request.workflow,
        namespace: request.namespace,
        image: request.image,
        suffix: &unique::suffix(),
        deadline_seconds: i64::try_from(request.timeout.as_secs() + DEADLINE_SLACK)
            .unwrap_or(i64::MAX),
    });
    let made = pods.create(&PostParams::default(), &pod).await;
    made.map(|pod| pod.name_any())
        .map_err(|cause| errors::tell("creating the trigger pod", cause))
}

async fn answer(
    cluster: &Cluster,
    request: &Request<'_>,
    pods: &Api<Pod>,
    pod: &str,
) -> Result<Answer> {
    let mut watch = Watch::pod(&cluster.client, request.namespace, pod);
    // A container that does not run yet takes a pipe's worth of input and then, with containerd 1.6, nothing more, also
    // once it runs.
    if request.input.len() > PIPE {
        started(&mut watch, pod)
            .await
            .map_err(|problem| cannot_start(&problem))?;
    }
    let attached = tokio::select! {
        attached = attach(pods, pod, request.input) => attached,
        problem = fatal_problem(&mut watch, pod) => Err(cannot_start(&problem)),
    }?;
    if attached.body.is_empty() {
        return Err(no_answer(cluster, request, &attached).await);
    }
    Ok(attached)
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

/// Attaches as soon as there is a container, sends the input and reads until curl is done.
async fn attach(pods: &Api<Pod>, pod: &str, input: &str) -> Result<Answer> {
    let parameters = AttachParams::default()
        .container(CONTAINER)
        .stdin(true)
        .stdout(true)
        .stderr(true)
        .max_stdin_buf_size(BUFFER)
        .max_stdout_buf_size(BUFFER);
    loop {
        if let Ok(process) = pods.attach(pod, &parameters).await
            && let Some(answer) = converse(process, input).await
        {
            return Ok(answer);
        }
        tokio::time::sleep(ATTACH_PAUSE).await;
    }
}

/// `None` when there was no container to talk to yet.
///
/// The pipe to a connection that has ended neither takes nor refuses more input, so sending is given up as soon as the
/// other side has nothing more to say.
async fn converse(mut process: AttachedProcess, input: &str) -> Option<Answer> {
    let status = process.take_status()?;
    let (mut stdin, mut stdout, mut stderr) =
        (process.stdin()?, process.stdout()?, process.stderr()?);
    let send = async {
        let sent = stdin.write_all(input.as_bytes()).await;
        drop(sent.and(stdin.shutdown().await));
        std::future::pending::<()>().await;
    };
    let receive = async {
        let (mut body, mut messages) = (Vec::new(), Vec::new());
        let read = tokio::try_join!(
            stdout.read_to_end(&mut body),
            stderr.read_to_end(&mut messages)
        );
        read.ok().map(|_| (body, messages))
    };
    let (body, messages) = tokio::select! {
        received = receive => received?,
        () = send => return None,
    };
    let failed = status
        .await
        .is_some_and(|status| status.status.as_deref() == Some("Failure"));
    if failed && body.is_empty() && messages.is_empty() {
        return None;
    }
    Some(Answer {
        body: String::from_utf8_lossy(&body).into_owned(),
        messages: String::from_utf8_lossy(&messages).into_owned(),
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
    let curl = answer
        .messages
        .lines()
        .last()
        .unwrap_or("no message")
        .trim()
        .to_owned();
    let problem = super::inventory::problem_of(cluster, request.namespace, request.workflow).await;
    let error = match problem {
        Ok(Some(problem)) => {
            let error = Error::failed(format!("{} is not running: {problem}", request.workflow));
            problem.hint.into_iter().fold(error, Error::hint)
        }
        _ => Error::failed(format!("{} did not answer: {curl}", request.workflow)),
    };
    error.hint(format!(
        "look closer with: tntc status {} -n {} --detail",
        request.workflow, request.namespace
    ))
}
