//! The plan: every Kubernetes object of a workflow, as typed values, decided before anything is sent.
//!
//! One object a file. `deploy`, `deploy --dry-run`, `audit` and `test --live` all act on the same [`Plan`].

pub mod apply_body;
pub mod code;
pub mod config_map;
pub mod cron_job;
pub mod deployment;
pub mod in_force;
pub mod labels;
pub mod loaded;
pub mod network_policy;
pub mod ownership;
mod plan;
pub mod probe;
pub mod queue_log;
mod restricted;
pub mod secret;
pub mod service;
pub mod trigger;

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use crate::derive::network::{self, Surroundings};
use crate::values::ImageReference;
use crate::workflow::{Namespace, Workflow};
use code::Code;
pub use plan::Plan;

/// TCP port that the engine listens on, in the pod and on the Service.
pub const PORT: u16 = network::Listener::Run.port().get();

/// When the kubelet pulls the engine image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullPolicy {
    /// At every pod start: the tag may have moved.
    Always,
    /// Only when the node lacks it: kind nodes have images loaded by hand.
    IfNotPresent,
}

impl PullPolicy {
    /// The value of `imagePullPolicy`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
        }
    }
}

/// Everything that a plan is computed from.
#[derive(Debug, Clone)]
pub struct Inputs<'a> {
    /// The workflow, with the environment's overrides merged in.
    pub workflow: &'a Workflow,
    /// Where it goes.
    pub namespace: &'a Namespace,
    /// Engine image.
    pub image: &'a ImageReference,
    /// Which build of it, where its reference does not say so: a digest or an image ID.
    pub image_id: Option<&'a str>,
    /// `RuntimeClass`; `None` means the cluster's default runtime.
    pub runtime_class: Option<&'a str>,
    /// When the engine image is pulled.
    pub pull_policy: PullPolicy,
    /// Image, with curl in it, of the cron pods.
    pub trigger_image: &'a str,
    /// The files to deliver.
    pub code: &'a Code,
    /// Files of the Secret by service; `None` leaves the cluster's Secret alone.
    pub secrets: Option<&'a BTreeMap<String, Vec<u8>>>,
    /// Name of an existing Secret to mount instead of the workflow's own, which is then not written.
    pub existing_secret: Option<&'a str>,
    /// Where the engine sends its traces, an OTLP URL.
    pub otel_endpoint: Option<&'a str>,
    /// Whether the engine answers HTTP only: a live test fires no cron and takes no message from a queue.
    pub http_only: bool,
    /// What the network's derivation needs beside the workflow.
    pub surroundings: Surroundings<'a>,
}

/// An object's name as `kubectl -o name` prints it, such as `deployment.apps/greeter`.
#[must_use]
pub fn resource_name(group: &str, kind: &str, name: &str) -> String {
    let kind = kind.to_lowercase();
    match group {
        "" => format!("{kind}/{name}"),
        group => format!("{kind}.{group}/{name}"),
    }
}

/// The same of an object as JSON.
#[must_use]
pub fn resource_name_of(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let version = text(&object["apiVersion"]);
    // The core group has no name: its version stands alone.
    let group = version.split_once('/').map_or("", |(group, _)| group);
    resource_name(
        group,
        &text(&object["kind"]),
        &text(&object["metadata"]["name"]),
    )
}

/// Annotations of a Deployment's pod template.
pub fn template_annotations(deployment: &mut Deployment) -> Option<&mut BTreeMap<String, String>> {
    let template = &mut deployment.spec.as_mut()?.template;
    let metadata = template.metadata.as_mut()?;
    Some(metadata.annotations.get_or_insert_default())
}

/// Metadata of an object that belongs to the workflow.
fn metadata(inputs: &Inputs, name: String) -> ObjectMeta {
    annotated(inputs, name, None)
}

/// The same with an annotation of the object's own.
fn annotated(inputs: &Inputs, name: String, own: Option<(&str, String)>) -> ObjectMeta {
    let mut annotations = labels::annotations(inputs.workflow);
    annotations.extend(own.map(|(key, value)| (key.to_owned(), value)));
    ObjectMeta {
        name: Some(name),
        namespace: Some(inputs.namespace.to_string()),
        labels: Some(labels::object(inputs.workflow)),
        annotations: Some(annotations).filter(|annotations| !annotations.is_empty()),
        ..ObjectMeta::default()
    }
}

#[cfg(test)]
mod tests;
