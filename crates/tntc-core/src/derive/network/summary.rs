//! The policy in words: who may be reached and who may call, and because of what.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::services::service_of;
use super::{Listener, listeners};
use crate::contract::{Dependency, Endpoint, Host, Target};
use crate::derive::endpoints;
use crate::workflow::{Namespace, TransportPort, Workflow};

/// One line of the summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Row {
    /// Which way the connection goes.
    pub direction: Direction,
    /// The other side.
    pub peer: String,
    /// The ports, such as `443/TCP`, or `all`.
    pub ports: String,
    /// What needs it: dependencies, triggers, or the reason that the file gives.
    pub because: String,
}

/// Which way a connection goes, seen from the engine's pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the pod to the peer.
    Egress,
    /// From the peer to the pod.
    Ingress,
}

/// What the contract lets in and out; nothing without a contract.
///
/// `extra` are endpoints that the environment adds.
#[must_use]
pub fn summary(workflow: &Workflow, extra: &[Endpoint], metrics: Option<&Namespace>) -> Vec<Row> {
    let Some(contract) = &workflow.contract else {
        return Vec::new();
    };
    let mut rows = vec![egress(
        "kube-system/kube-dns",
        "53/TCP, 53/UDP",
        "name resolution",
    )];
    rows.extend(
        hosts(workflow, extra)
            .into_iter()
            .map(|(endpoint, because)| {
                egress(
                    &peer(&endpoint.host),
                    &TransportPort::tcp(endpoint.port).to_string(),
                    &joined(because),
                )
            }),
    );
    rows.extend(contract.dependencies.iter().filter_map(dynamic));
    rows.extend(contract.network_policy.additional_egress.iter().map(|it| {
        let ports = it.ports.as_ref().map_or_else(|| "all".to_owned(), joined);
        egress(
            &it.to.to_string(),
            &ports,
            it.reason.as_deref().unwrap_or("additional egress"),
        )
    }));
    rows.extend(ingress(workflow, metrics));
    rows
}

fn hosts(workflow: &Workflow, extra: &[Endpoint]) -> BTreeMap<Endpoint, BTreeSet<String>> {
    let mut hosts: BTreeMap<Endpoint, BTreeSet<String>> = BTreeMap::new();
    for dependency in workflow
        .contract
        .iter()
        .flat_map(|contract| &contract.dependencies)
    {
        if let Target::Host { host, port, .. } = &dependency.target {
            let endpoint = Endpoint {
                host: host.clone(),
                port: *port,
            };
            hosts
                .entry(endpoint)
                .or_default()
                .insert(dependency.name.to_string());
        }
    }
    if let Some(server) = endpoints::nats_server(workflow) {
        hosts
            .entry(server)
            .or_default()
            .insert("queue trigger".to_owned());
    }
    for endpoint in extra {
        hosts
            .entry(endpoint.clone())
            .or_default()
            .insert("environment".to_owned());
    }
    hosts
}

fn peer(host: &Host) -> String {
    match service_of(host) {
        Some(service) => format!("Service {service}"),
        None => host.to_string(),
    }
}

fn dynamic(dependency: &Dependency) -> Option<Row> {
    let Target::Dynamic {
        cidr,
        ports,
        reason,
        ..
    } = &dependency.target
    else {
        return None;
    };
    let because = match reason {
        Some(reason) => format!("{}: {reason}", dependency.name),
        None => dependency.name.to_string(),
    };
    Some(egress(&cidr.to_string(), &joined(ports), &because))
}

fn ingress(workflow: &Workflow, metrics: Option<&Namespace>) -> Vec<Row> {
    let rows = listeners(workflow, metrics).into_iter();
    rows.map(|listener| {
        let (peer, because) = match listener {
            Listener::Run => ("trigger pods".to_owned(), "triggers"),
            Listener::Webhooks => ("everyone".to_owned(), "webhook trigger"),
            Listener::Metrics => {
                let namespace = metrics.map(ToString::to_string).unwrap_or_default();
                (format!("namespace {namespace}"), "metrics")
            }
        };
        Row {
            direction: Direction::Ingress,
            peer,
            ports: TransportPort::tcp(listener.port()).to_string(),
            because: because.to_owned(),
        }
    })
    .collect()
}

fn egress(peer: &str, ports: &str, because: &str) -> Row {
    let [peer, ports, because] = [peer, ports, because].map(str::to_owned);
    Row {
        direction: Direction::Egress,
        peer,
        ports,
        because,
    }
}

fn joined<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items
        .into_iter()
        .map(|item| item.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
