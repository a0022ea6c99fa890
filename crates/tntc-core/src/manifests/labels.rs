//! Labels and annotations: how objects of a workflow are recognised.

use std::collections::BTreeMap;

use crate::contract::network::{ROLE_LABEL, WORKFLOW_LABEL};
use crate::workflow::Workflow;

/// Name of the workflow; the Service selects its pods by this label alone.
pub const NAME: &str = "app.kubernetes.io/name";
/// The workflow's version, literally as written.
pub const VERSION: &str = "app.kubernetes.io/version";
/// Marks everything that this tool made.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY`].
pub const MANAGER: &str = "tentacular";
/// The workflow that a trigger pod belongs to; never [`NAME`], which would make it an endpoint of the Service.
pub const WORKFLOW: &str = WORKFLOW_LABEL;
/// What a pod is for; the NetworkPolicy lets in [`TRIGGER`] only.
pub const ROLE: &str = ROLE_LABEL.0;
/// The value of [`ROLE`] for pods that trigger a workflow.
pub const TRIGGER: &str = ROLE_LABEL.1;
/// Annotation of the ConfigMap and of the pod template: hash of the delivered code.
pub const CODE_HASH: &str = "tentacular.dev/code-hash";
/// Annotation of the Secret and of the pod template: hash of the delivered secrets.
pub const SECRETS_HASH: &str = "tentacular.dev/secrets-hash";
/// Annotation of the pod template: when a restart was last asked for.
pub const RESTARTED_AT: &str = "tentacular.dev/restarted-at";
/// Annotation of the pod template: which build of the image its tag stood for.
pub const IMAGE_ID: &str = "tentacular.dev/image-id";
/// Annotation of the Deployment: the tag that the image had when its digest was deployed.
pub const IMAGE_TAG: &str = "tentacular.dev/image-tag";
/// Annotation of the NetworkPolicy: the hosts that the contract means.
pub const INTENDED_HOSTS: &str = "tentacular.dev/intended-hosts";

/// Labels of every object of a workflow and of its engine pods.
#[must_use]
pub fn object(workflow: &Workflow) -> BTreeMap<String, String> {
    BTreeMap::from([
        (NAME.to_owned(), workflow.name.to_string()),
        (VERSION.to_owned(), workflow.version.to_string()),
        (MANAGED_BY.to_owned(), MANAGER.to_owned()),
    ])
}

/// The labels that select the engine pods.
#[must_use]
pub fn selector(workflow: &Workflow) -> BTreeMap<String, String> {
    BTreeMap::from([(NAME.to_owned(), workflow.name.to_string())])
}

/// Labels of a pod that triggers the workflow called `name`.
#[must_use]
pub fn trigger_pod(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (WORKFLOW.to_owned(), name.to_owned()),
        (ROLE.to_owned(), TRIGGER.to_owned()),
        (MANAGED_BY.to_owned(), MANAGER.to_owned()),
    ])
}
