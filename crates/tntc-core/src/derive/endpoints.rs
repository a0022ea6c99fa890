//! Every host and port that a workflow declares.

use std::collections::BTreeSet;

use crate::contract::endpoints::NatsUrl;
use crate::contract::{Endpoint, Target};
use crate::workflow::{TriggerKind, Workflow};

/// Where the NATS server of the queue triggers listens, when there are queue triggers and the config names one.
#[must_use]
pub fn nats_server(workflow: &Workflow) -> Option<Endpoint> {
    let has_queue = workflow
        .triggers
        .iter()
        .any(|trigger| matches!(trigger.kind, TriggerKind::Queue(_)));
    let url = workflow.config.values.get("nats_url")?.as_str()?;
    let server = url.parse::<NatsUrl>().ok()?;
    has_queue.then_some(server.0)
}

/// Every host and port that the workflow declares, the NATS server of its queue triggers included.
#[must_use]
pub fn declared(workflow: &Workflow) -> BTreeSet<Endpoint> {
    let dependencies = workflow
        .contract
        .iter()
        .flat_map(|contract| &contract.dependencies);
    let hosts = dependencies.filter_map(|dependency| match &dependency.target {
        Target::Host { host, port, .. } => Some(Endpoint {
            host: host.clone(),
            port: *port,
        }),
        Target::Modules { .. } | Target::Dynamic { .. } => None,
    });
    hosts.chain(nats_server(workflow)).collect()
}
