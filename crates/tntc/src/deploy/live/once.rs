//! One run of what is deployed, held to its success.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use tntc_core::manifests::labels;

use crate::cluster::Cluster;
use crate::cluster::run::request::Request;
use crate::cluster::run::{ready, response, trigger};
use crate::deploy::prepare::Prepared;
use crate::outcome::{Error, Execution, Result};

/// Answers of an older revision that are put down to connections that still reach the old pod.
const STALE_ANSWERS: u32 = 3;

/// Runs the deployed workflow once and requires success, from the revision that this deploy made.
pub async fn verify(
    cluster: &Cluster,
    prepared: &Prepared,
    applied: &Deployment,
    timeout: Duration,
) -> Result<Execution> {
    let name = applied.name_any();
    let revision = revision(applied);
    for _ in 0..STALE_ANSWERS {
        let execution = run(cluster, prepared, &name, timeout).await?;
        if execution.revision.as_deref() == revision {
            return require_success(execution).map_err(|error| prefixed("verification", error));
        }
    }
    Err(
        Error::failed("verification: the answers come from another revision").hint(
            ready::look_closer(cluster, prepared.namespace.as_str(), &name),
        ),
    )
}

fn revision(deployment: &Deployment) -> Option<&str> {
    let template = &deployment.spec.as_ref()?.template;
    template
        .metadata
        .as_ref()?
        .annotations
        .as_ref()?
        .get(labels::CODE_HASH)
        .map(String::as_str)
}

/// Runs the workflow of this name once; the result, whatever it is.
pub async fn run(
    cluster: &Cluster,
    prepared: &Prepared,
    name: &str,
    timeout: Duration,
) -> Result<Execution> {
    let request = Request {
        namespace: prepared.namespace.as_str(),
        workflow: name,
        image: prepared.settings.trigger_image.value.as_str(),
        input: "{}",
        timeout,
        phase: None,
    };
    let answer = trigger::run(cluster, &request).await?;
    response::parse(name, &answer.body)
}

/// Only a run that succeeded passes.
///
/// # Errors
/// The first of its errors, with the whole result as `execution`.
pub fn require_success(execution: Execution) -> Result<Execution> {
    if execution.success {
        return Ok(execution);
    }
    let first = execution.first_error();
    let error = Error::failed(format!("workflow returned success=false: {first}"));
    let mut error = execution.hint().into_iter().fold(error, Error::hint);
    error.evidence.execution = Some(execution);
    Err(error)
}

fn prefixed(prefix: &str, mut error: Error) -> Error {
    error.message = format!("{prefix}: {}", error.message);
    error
}
