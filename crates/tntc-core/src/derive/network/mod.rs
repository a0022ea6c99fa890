//! The `NetworkPolicy` of a workflow: what its pod may reach, and who may reach it.

mod listeners;
mod model;
mod objects;
mod outside;
mod policy;
pub mod reserved;
mod rules;
pub mod services;
mod summary;

pub use listeners::{Listener, has_webhooks, listeners};
pub use model::{Policy, ROLE_LABEL, Surroundings, WORKFLOW_LABEL, Warning};
pub use outside::{Excluded, Outside, outside};
pub use policy::{intended_hosts, policy, trigger_policy};
pub use services::{Backend, Service, ServiceRef, Services};
pub use summary::{Direction, Row, summary};
