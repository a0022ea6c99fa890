//! What the derivation takes and gives.

use k8s_openapi::api::networking::v1::NetworkPolicySpec;

use super::services::{ServiceRef, Services};
use crate::contract::Endpoint;
use crate::workflow::{Namespace, Port};

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
