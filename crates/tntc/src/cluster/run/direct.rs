//! Running a deployed workflow once without a pod: through the API server's proxy, or a forwarded port.
//!
//! Both need a NetworkPolicy that lets them in: the one of a contract lets in trigger pods only, unless there is a webhook.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{Request as HttpRequest, StatusCode};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::Api;
use kube::client::Body;
use tntc_core::manifests::PORT;

use super::bounds::{Bounds, Progress, Stage};
use super::ready;
use super::request::{Request, RunResponse};
use crate::cluster::client::errors;
use crate::cluster::{Cluster, inventory, objects};
use crate::outcome::error::chain;
use crate::outcome::{Error, Result};

/// By the API server's proxy of the workflow's Service.
pub async fn by_proxy(cluster: &Cluster, request: &Request<'_>) -> Result<RunResponse> {
    let progress = Progress::shown(request.phase);
    let mut bounds = Bounds::new(cluster, request, &progress)?;
    bounds.within(proxied(cluster, request, &progress)).await?
}

async fn proxied(
    cluster: &Cluster,
    request: &Request<'_>,
    progress: &Progress<'_>,
) -> Result<RunResponse> {
    ready::require(cluster, request).await?;
    let path = format!(
        "/api/v1/namespaces/{}/services/{}:{PORT}/proxy/run",
        request.namespace, request.workflow
    );
    let post = HttpRequest::post(path)
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(request.input.as_bytes().to_vec()))
        .map_err(|cause| Error::failed(format!("cannot ask the API server's proxy: {cause}")))?;
    let told = |cause| errors::tell("running by the API server's proxy", cause);
    progress.reach(Stage::Sent);
    let response = cluster.sending_once()?.send(post).await.map_err(told)?;
    let status = response.status();
    let body = response.into_body().collect_bytes().await.map_err(told)?;
    judge(request, status, &body, "the API server's proxy")
}

/// By a port forwarded to one of the workflow's ready pods.
pub async fn by_port_forward(cluster: &Cluster, request: &Request<'_>) -> Result<RunResponse> {
    let progress = Progress::shown(request.phase);
    let mut bounds = Bounds::new(cluster, request, &progress)?;
    bounds
        .within(forwarded(cluster, request, &progress))
        .await?
}

async fn forwarded(
    cluster: &Cluster,
    request: &Request<'_>,
    progress: &Progress<'_>,
) -> Result<RunResponse> {
    ready::require(cluster, request).await?;
    let pods: Api<Pod> = objects::api(cluster, request.namespace);
    let pod = ready_pod(cluster, request).await?;
    let forwarded = pods.portforward(&pod, &[PORT]).await;
    let mut forwarded = forwarded
        .map_err(|cause| errors::tell(&format!("forwarding a port of pod {pod}"), cause))?;
    let stream = forwarded
        .take_stream(PORT)
        .ok_or_else(|| Error::surroundings(format!("pod {pod} forwards no port")))?;
    let broken = |cause: hyper::Error| {
        Error::surroundings(format!(
            "running by a forwarded port of pod {pod}: {}",
            chain(&cause)
        ))
        .hint("gVisor does not forward ports; the usual way is --via pod")
    };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let connection = tokio::spawn(connection);
    let post = HttpRequest::post("/run")
        .header("host", format!("{}:{PORT}", request.workflow))
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::copy_from_slice(request.input.as_bytes())))
        .map_err(|cause| Error::failed(format!("cannot ask by a forwarded port: {cause}")))?;
    progress.reach(Stage::Sent);
    let response = sender.send_request(post).await.map_err(broken)?;
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .map_err(broken)?
        .to_bytes();
    connection.abort();
    judge(request, status, &body, "a forwarded port")
}

async fn ready_pod(cluster: &Cluster, request: &Request<'_>) -> Result<String> {
    let pods = inventory::pods(cluster, request.namespace, request.workflow).await?;
    let ready = |pod: &&Pod| {
        let conditions = pod
            .status
            .as_ref()
            .and_then(|status| status.conditions.as_ref());
        conditions
            .into_iter()
            .flatten()
            .any(|condition| condition.type_ == "Ready" && condition.status == "True")
    };
    let found = pods.iter().find(ready);
    found
        .map(ResourceExt::name_any)
        .ok_or_else(|| Error::failed(format!("no pod of {} is ready", request.workflow)))
}

/// A failed run answers 422; anything else that is no success came from somebody on the way.
fn judge(request: &Request<'_>, status: StatusCode, body: &[u8], way: &str) -> Result<RunResponse> {
    let body = String::from_utf8_lossy(body).into_owned();
    if status.is_success() || status == StatusCode::UNPROCESSABLE_ENTITY {
        return Ok(RunResponse {
            body,
            ..RunResponse::default()
        });
    }
    let said: String = reason(&body).chars().take(300).collect();
    let message = format!("{way} did not reach {}: {status}: {said}", request.workflow);
    Err(match status {
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => Error::failed(message),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::surroundings(message)
            .hint("ask for this permission, or use a context that has it (--context)"),
        _ => Error::surroundings(message).hint(
            "the workflow's NetworkPolicy may not let this way in; the usual one is --via pod",
        ),
    })
}

/// The message of an API server's status or of the engine's own answer, else the text as it is.
fn reason(body: &str) -> String {
    let parsed: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let said = parsed.get("message").or_else(|| parsed.get("error"));
    said.and_then(serde_json::Value::as_str)
        .unwrap_or(body)
        .trim()
        .to_owned()
}
