//! The plan: every Kubernetes object of a workflow, as typed values, decided before anything is sent.
//!
//! One object a file. `deploy`, `deploy --dry-run`, `audit` and `test --live` all act on the same [`Plan`].

pub mod apply_body;
pub mod code;
pub mod cron_job;
pub mod deployment;
pub mod in_force;
pub mod labels;
pub mod loaded;
pub mod network_policy;
pub mod ownership;
pub mod probe;
pub mod queue_log;
mod restricted;
pub mod secret;
pub mod service;
pub mod trigger;

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use crate::contract::SecretRef;
use crate::contract::network::{self, Surroundings};
use crate::contract::secrets::{self, Need};
use crate::values::ImageReference;
use crate::workflow::{Namespace, Workflow};
use code::Code;

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

/// Every object of one workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// `<name>-secrets`, when there are local secrets.
    pub secret: Option<Secret>,
    /// `<name>-code`.
    pub config_map: ConfigMap,
    /// `<name>-netpol`, when there is a contract.
    pub network_policy: Option<NetworkPolicy>,
    /// `<name>-trigger-netpol`, when there is a contract.
    pub trigger_policy: Option<NetworkPolicy>,
    /// `<name>`.
    pub service: Service,
    /// `<name>`.
    pub deployment: Deployment,
    /// `<name>-cron`, or `<name>-cron-0` and so on.
    pub cron_jobs: Vec<CronJob>,
    /// The secrets that the workflow reads, and how much depends on each.
    pub secret_needs: BTreeMap<SecretRef, Need>,
    /// What could not be derived exactly.
    pub warnings: Vec<network::Warning>,
    /// What the policy's rule for the Internet is for.
    pub outside: network::Outside,
}

impl Plan {
    /// Decides every object.
    #[must_use]
    pub fn new(inputs: &Inputs) -> Self {
        let policy = network::policy(inputs.workflow, &inputs.surroundings);
        let (spec, warnings) = policy.map(|policy| (policy.spec, policy.warnings)).unzip();
        Self {
            secret: inputs.secrets.map(|files| secret::build(inputs, files)),
            config_map: code::config_map(inputs),
            network_policy: spec.map(|spec| network_policy::build(inputs, spec)),
            trigger_policy: network::trigger_policy(inputs.workflow)
                .map(|spec| network_policy::build_trigger(inputs, spec)),
            service: service::build(inputs),
            deployment: deployment::build(inputs),
            cron_jobs: if inputs.http_only {
                Vec::new()
            } else {
                cron_job::build_all(inputs)
            },
            secret_needs: secrets::needs(inputs.workflow),
            warnings: warnings.unwrap_or_default(),
            outside: network::outside(inputs.workflow, &inputs.surroundings),
        }
    }

    /// The network policies, that of the engine's pod first.
    pub fn policies(&self) -> impl Iterator<Item = &NetworkPolicy> {
        self.network_policy.iter().chain(&self.trigger_policy)
    }

    /// The objects in the order in which they are applied, as JSON values with `apiVersion` and `kind`.
    #[must_use]
    pub fn objects(&self) -> Vec<Value> {
        let mut objects: Vec<Value> = Vec::new();
        objects.extend(self.secret.as_ref().map(|object| json!(object)));
        objects.push(json!(self.config_map));
        objects.extend(self.policies().map(|object| json!(object)));
        objects.push(json!(self.service));
        objects.push(json!(self.deployment));
        objects.extend(self.cron_jobs.iter().map(|object| json!(object)));
        objects
    }

    /// The objects as [`Self::objects`] gives them, without the Secret: fit to be printed, and to be applied by others.
    #[must_use]
    pub fn without_secret(&self) -> Vec<Value> {
        let objects = self.objects().into_iter();
        objects
            .filter(|object| object["kind"] != "Secret")
            .collect()
    }
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
