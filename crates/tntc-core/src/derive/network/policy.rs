//! The policies of a workflow's pods.

use k8s_openapi::api::networking::v1::NetworkPolicySpec;

use super::model::{Policy, Surroundings};
use super::{objects, rules};
use crate::contract::Endpoint;
use crate::derive::endpoints;
use crate::workflow::Workflow;

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
pub(super) fn rules_of(
    workflow: &Workflow,
    surroundings: &Surroundings<'_>,
) -> Option<rules::Rules> {
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
