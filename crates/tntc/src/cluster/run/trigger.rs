//! Running a deployed workflow once, through a temporary pod inside the cluster.
//!
//! The request body goes in by the pod's attached standard input, so it is in no argument list and no log, and the
//! answer comes back by its attached standard output, before the kubelet has noticed that the pod is done.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, PostParams};
use tntc_core::manifests::trigger::{self, Run};

use super::bounds::{Bounds, Progress, Stage};
use super::conversation::Conversation;
use super::ready;
use super::request::{Request, RunResponse};
use crate::cluster::client::errors;
use crate::cluster::{Cluster, objects, unique};
use crate::outcome::{Error, Result};

/// Seconds that the pod may outlive the caller's own timeout, should the caller be killed.
const DEADLINE_SLACK: u64 = 30;

/// How long an interrupted run waits for the answer to the pod's creation.
const CREATION_PATIENCE: Duration = Duration::from_secs(10);

/// Runs the workflow once and removes the pod, whatever happens, also on Ctrl-C at any moment.
///
/// A run that certainly never started is started again, in another pod; one that may have been started never is.
pub async fn run(cluster: &Cluster, request: &Request<'_>) -> Result<RunResponse> {
    let progress = Progress::shown(request.phase);
    // Before the pod exists, so that no signal can leave it behind.
    let mut bounds = Bounds::new(cluster, request, &progress)?;
    loop {
        progress.reach(Stage::NotReady);
        progress.show("waiting for a ready pod");
        bounds.within(ready::require(cluster, request)).await??;
        progress.reach(Stage::Pending("it is being created".to_owned()));
        let attempt = attempt(cluster, request, &progress, &mut bounds);
        if let Some(answer) = Box::pin(attempt).await? {
            return Ok(answer);
        }
    }
}

/// One pod; nothing when it ended without having reached an engine.
async fn attempt(
    cluster: &Cluster,
    request: &Request<'_>,
    progress: &Progress<'_>,
    bounds: &mut Bounds<'_>,
) -> Result<Option<RunResponse>> {
    let pods: Api<Pod> = objects::api(cluster, request.namespace);
    let pod = pod_of(request);
    let name = pod.name_any();
    let conversation = Conversation::new(cluster, request, progress, &name);
    let answer = match created(&pods, pod, bounds).await {
        Ok(()) => bounds
            .within(conversation.answer())
            .await
            .and_then(|answer| answer),
        Err(NotCreated::Refused(error)) => return Err(error),
        Err(NotCreated::Unknown(error)) => Err(error),
    };
    // An answer is worth more than a tidy end, and a failure that is told more than one that follows from it.
    match (answer, remove(&pods, &name).await) {
        (Ok(answer), Err(error)) => Ok(answer.map(|answer| RunResponse {
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
        let code = match &cause {
            kube::Error::Api(status) => Some(status.code),
            _ => None,
        };
        let is_refused = code.is_some_and(|code| code < 500);
        let mut error = errors::tell("creating the trigger pod", cause);
        if code == Some(403) {
            error = error.hint(
                "where no pod may be made, reach the engine by --via proxy or --via port-forward",
            );
        }
        if is_refused {
            error.message.push_str("; nothing was started");
            NotCreated::Refused(error)
        } else {
            NotCreated::Unknown(error)
        }
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
