//! The `NetworkPolicy` of a workflow: what its pod may reach, and who may reach it.

mod listeners;
mod objects;
mod outside;
pub mod reserved;
mod rules;
pub mod services;
mod summary;

use k8s_openapi::api::networking::v1::NetworkPolicySpec;

use super::{Endpoint, endpoints};
use crate::workflow::{Namespace, Port, TriggerKind, Workflow};
pub use listeners::{Listener, listeners};
pub use outside::{Excluded, Outside, outside};
pub use services::{Backend, Service, ServiceRef, Services};
pub use summary::{Direction, Row, summary};

/// Label that trigger pods carry with the name of the workflow they trigger.
pub const WORKFLOW_LABEL: &str = "tentacular.dev/workflow";

/// Label that only trigger pods carry, and its value.
pub const ROLE_LABEL: (&str, &str) = ("tentacular.dev/role", "trigger");

/// What the derivation needs beside the workflow.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'s> {
    /// The Services that could be read.
    pub services: &'s Services,
    /// Namespace whose pods may read the engine's metrics.
    pub metrics_namespace: Option<&'s Namespace>,
    /// Endpoints that the environment adds, such as its telemetry collector.
    pub endpoints: &'s [Endpoint],
}

/// A derived policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The specification, without empty lists: server-side apply would never come to rest on those.
    pub spec: NetworkPolicySpec,
    /// What could not be derived exactly, in a fixed order.
    pub warnings: Vec<Warning>,
}

/// Why a rule is not as exact as it could be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Warning {
    /// The Service of an in-cluster host could not be read.
    #[error(
        "the Service {service} could not be read: the rule allows port {port} as declared, to every pod of its namespace"
    )]
    UnreadableService {
        /// The Service.
        service: ServiceRef,
        /// The port that the contract declares.
        port: Port,
    },
    /// The Service has no such port.
    #[error("the Service {service} has no port {port}: the rule allows the port as declared")]
    NoSuchPort {
        /// The Service.
        service: ServiceRef,
        /// The port that the contract declares.
        port: Port,
    },
    /// Nothing stands behind the Service yet.
    #[error(
        "nothing answers for the Service {service} yet, so its rule for port {port} may be wrong: deploy again once it does"
    )]
    NoAddresses {
        /// The Service.
        service: ServiceRef,
        /// The port that the contract declares.
        port: Port,
    },
}

/// The policy of the engine's pod; nothing without a contract.
#[must_use]
pub fn policy(workflow: &Workflow, surroundings: &Surroundings<'_>) -> Option<Policy> {
    let rules = rules_of(workflow, surroundings)?;
    let spec = objects::spec(workflow, &rules, surroundings.metrics_namespace);
    Some(Policy {
        spec,
        warnings: rules.into_warnings(),
    })
}

/// What the pod may reach; nothing without a contract.
fn rules_of(workflow: &Workflow, surroundings: &Surroundings<'_>) -> Option<rules::Rules> {
    let contract = workflow.contract.as_ref()?;
    let mut rules = rules::Rules::default();
    let declared = endpoints::declared(workflow);
    for endpoint in declared.iter().chain(surroundings.endpoints) {
        rules.endpoint(endpoint, surroundings.services);
    }
    rules.contract(contract);
    Some(rules)
}

/// The policy of the pods that trigger the workflow; nothing without a contract. They reach the engine and name
/// resolution, and nobody reaches them.
#[must_use]
pub fn trigger_policy(workflow: &Workflow) -> Option<NetworkPolicySpec> {
    workflow.contract.as_ref()?;
    Some(objects::trigger_spec(workflow))
}

/// The hosts that the workflow means to reach, as sorted `host:port`, whatever addresses the rules must allow for them.
#[must_use]
pub fn intended_hosts(workflow: &Workflow, extra: &[Endpoint]) -> Vec<String> {
    let mut hosts: Vec<String> = endpoints::declared(workflow)
        .iter()
        .chain(extra)
        .map(Endpoint::to_string)
        .collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

/// Whether there is a webhook trigger.
#[must_use]
pub fn has_webhooks(workflow: &Workflow) -> bool {
    workflow
        .triggers
        .iter()
        .any(|trigger| matches!(trigger.kind, TriggerKind::Webhook(_)))
}
