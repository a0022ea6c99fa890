//! `<name>-netpol`: the contract's derivation, wrapped into an object.

use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicySpec};

use super::{Inputs, annotated, labels, metadata};
use crate::derive::network;

/// Name of a workflow's NetworkPolicy.
#[must_use]
pub fn name(workflow: &str) -> String {
    format!("{workflow}-netpol")
}

/// Name of the NetworkPolicy of the pods that trigger a workflow.
#[must_use]
pub fn trigger_name(workflow: &str) -> String {
    format!("{workflow}-trigger-netpol")
}

pub(super) fn build_trigger(inputs: &Inputs, spec: NetworkPolicySpec) -> NetworkPolicy {
    NetworkPolicy {
        metadata: metadata(inputs, trigger_name(inputs.workflow.name.as_str())),
        spec: Some(spec),
    }
}

pub(super) fn build(inputs: &Inputs, spec: NetworkPolicySpec) -> NetworkPolicy {
    let hosts = network::intended_hosts(inputs.workflow, inputs.surroundings.endpoints).join(",");
    NetworkPolicy {
        metadata: annotated(
            inputs,
            name(inputs.workflow.name.as_str()),
            Some((labels::INTENDED_HOSTS, hosts)),
        ),
        spec: Some(spec),
    }
}
