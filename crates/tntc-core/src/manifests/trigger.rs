//! Pods that trigger a workflow: curl, hardened for the Pod Security Standard `restricted`.
//!
//! A workflow that was started is never started again by its trigger: the engine answers a failed run with 422, which
//! curl does not retry, and there is no `--max-time`, whose expiry curl would retry.

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::restricted::{container_security, pod_security, resources};
use super::{labels, service};
use crate::trigger::write_out;

/// Name of the one container of a trigger pod.
pub const CONTAINER: &str = "trigger";

/// Longest pod name that is also a valid host name (RFC 1123 label).
const MAX_POD_NAME: usize = 63;

/// Where a trigger pod's request body comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'a> {
    /// The container's standard input.
    Stdin,
    /// This text, in the arguments.
    Text(&'a str),
}

/// What a one-off trigger pod needs to know.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// Name of the workflow.
    pub workflow: &'a str,
    /// Namespace of the workflow.
    pub namespace: &'a str,
    /// Image with curl in it.
    pub image: &'a str,
    /// Makes the pod's name unique; lower-case letters and digits.
    pub suffix: &'a str,
    /// Seconds after which the kubelet stops the pod.
    pub deadline_seconds: i64,
}

/// Keeps curl from ending for ten seconds after its request: a container runtime may drop what a container that has ended
/// still had in its pipes (containerd 1.6.20 closes them before it reads the rest), the end of an answer. Its own pod
/// refuses curl each second, which also makes it flush its standard output, and the pod is deleted as soon as the answer is
/// read.
const LINGER: [&str; 9] = [
    "--next",
    "--retry",
    "10",
    "--retry-connrefused",
    "--retry-delay",
    "1",
    "--connect-timeout",
    "1",
    "http://127.0.0.1:1/",
];

/// The temporary pod of `tntc run`; its request body arrives on standard input.
#[must_use]
pub fn run_pod(run: &Run) -> Pod {
    let url = service::run_url(run.workflow, run.namespace);
    let mut arguments = curl_arguments(&url, Body::Stdin);
    arguments.extend(["--write-out".to_owned(), write_out()]);
    arguments.extend(LINGER.map(str::to_owned));
    let container = Container {
        stdin: Some(true),
        stdin_once: Some(true),
        args: Some(arguments),
        ..container(run.image, &url, Body::Stdin)
    };
    Pod {
        metadata: ObjectMeta {
            name: Some(pod_name(run.workflow, run.suffix)),
            namespace: Some(run.namespace.to_owned()),
            labels: Some(labels::trigger_pod(run.workflow)),
            ..ObjectMeta::default()
        },
        spec: Some(pod_spec(container, run.deadline_seconds)),
        ..Pod::default()
    }
}

fn pod_name(workflow: &str, suffix: &str) -> String {
    let room = MAX_POD_NAME - "-run-".len() - suffix.len();
    let stem: String = workflow.chars().take(room).collect();
    format!("{}-run-{suffix}", stem.trim_end_matches('-'))
}

pub(super) fn pod_spec(container: Container, deadline_seconds: i64) -> PodSpec {
    PodSpec {
        restart_policy: Some("Never".to_owned()),
        active_deadline_seconds: Some(deadline_seconds),
        termination_grace_period_seconds: Some(0),
        enable_service_links: Some(false),
        automount_service_account_token: Some(false),
        security_context: Some(pod_security()),
        containers: vec![container],
        ..PodSpec::default()
    }
}

pub(super) fn container(image: &str, url: &str, body: Body) -> Container {
    Container {
        name: CONTAINER.to_owned(),
        image: Some(image.to_owned()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        command: Some(vec!["curl".to_owned()]),
        args: Some(curl_arguments(url, body)),
        resources: Some(resources(
            &[
                ("memory", "16Mi"),
                ("cpu", "10m"),
                ("ephemeral-storage", "8Mi"),
            ],
            &[
                ("memory", "64Mi"),
                ("cpu", "100m"),
                ("ephemeral-storage", "64Mi"),
            ],
        )),
        security_context: Some(container_security()),
        ..Container::default()
    }
}

/// `--retry` with `--retry-connrefused` covers the moment before a NetworkPolicy agent knows the new pod. The connect
/// timeout is longer than the first SYN retransmission (one second, RFC 6298), so a dropped SYN costs no retry.
fn curl_arguments(url: &str, body: Body) -> Vec<String> {
    let data = match body {
        Body::Stdin => "@-",
        Body::Text(text) => text,
    };
    let arguments = [
        "--silent",
        "--show-error",
        "--fail-with-body",
        "--retry",
        "5",
        "--retry-connrefused",
        "--retry-delay",
        "1",
        "--connect-timeout",
        "2",
        "--request",
        "POST",
        "--header",
        "Content-Type: application/json",
        "--data-binary",
        data,
        url,
    ];
    arguments.map(str::to_owned).to_vec()
}
