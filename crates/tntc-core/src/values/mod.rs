//! Values of a workflow file, each a type that only a valid text or number becomes.

mod addresses;
mod names;

pub use addresses::{Port, Subject, TimeZone, Transport, TransportPort, WebhookPath};
pub use names::{
    DependencyName, MAX_LABEL, Namespace, NodeName, ServiceAccountName, TriggerName, Version,
    WorkflowName,
};
pub(crate) use names::{is_identifier, text_type};
