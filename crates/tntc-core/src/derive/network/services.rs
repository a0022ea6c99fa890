//! What is known of the cluster's Services, as an input.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use crate::contract::{Endpoint, Host, Place};
use crate::derive::endpoints;
use crate::workflow::{Namespace, Port, Workflow};

/// Names a Service; without a namespace, one in the workflow's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceRef {
    /// The namespace that the host names, if it names one.
    pub namespace: Option<Namespace>,
    /// The Service's name.
    pub name: String,
}

impl fmt::Display for ServiceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The Services that could be read. A Service that a contract names and that is missing here could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Services(pub BTreeMap<ServiceRef, Service>);

/// What a rule needs to know of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Who answers.
    pub backend: Backend,
    /// For every port of the Service, the ports that its packets arrive at: the target port, or for a named one those of
    /// its EndpointSlices. For a headless Service, whose clients reach the pods directly, the port itself.
    pub ports: BTreeMap<Port, BTreeSet<Port>>,
}

/// Who answers for a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// Pods of the Service's namespace with these labels. Never empty: a Service without selector has addresses.
    Pods(BTreeMap<String, String>),
    /// The addresses of its EndpointSlices.
    Addresses(BTreeSet<IpAddr>),
    /// Another host (a Service of type `ExternalName`).
    Alias(Host),
}

/// The Services that must be read before [`super::policy()`] can be exact.
#[must_use]
pub fn needed(workflow: &Workflow, extra: &[Endpoint]) -> BTreeSet<ServiceRef> {
    let declared = endpoints::declared(workflow);
    declared
        .iter()
        .chain(extra)
        .filter_map(|endpoint| service_of(&endpoint.host))
        .collect()
}

/// The Service that a host names, when it names one.
#[must_use]
pub fn service_of(host: &Host) -> Option<ServiceRef> {
    match host.place() {
        Place::InCluster { namespace, service } => {
            let namespace = namespace.map(str::parse).transpose().ok()?;
            Some(ServiceRef {
                namespace,
                name: service.to_owned(),
            })
        }
        _ => None,
    }
}
