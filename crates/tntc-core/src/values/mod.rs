//! Values of a workflow file, each a type that only a valid text or number becomes.

mod addresses;
mod image;
mod names;

pub use addresses::{Port, Subject, TimeZone, Transport, TransportPort, WebhookPath};
pub use image::{DOCKER_HUB, ImageReference};
pub use names::{
    DependencyName, MAX_LABEL, Namespace, NodeName, ServiceAccountName, TriggerName, Version,
    WorkflowName,
};
pub(crate) use names::{is_identifier, text_type};
