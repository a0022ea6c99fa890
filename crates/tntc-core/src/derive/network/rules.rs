//! Egress as sets of peers and ports, before it becomes Kubernetes objects.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::Warning;
use super::services::{Backend, Service, ServiceRef, Services, service_of};
use crate::contract::{Cidr, Contract, Endpoint, Host, Place, Target};
use crate::workflow::{Namespace, Port, TransportPort};

/// Who may be reached. The order is the order of the rules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Peer {
    /// Pods with these labels, all of them when there are none; without a namespace, of the own one.
    Pods {
        namespace: Option<Namespace>,
        labels: BTreeMap<String, String>,
    },
    /// The addresses of a block.
    Block(Cidr),
    /// Everything that is globally reachable.
    Internet,
}

/// The ports of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ports {
    All,
    Some(BTreeSet<TransportPort>),
}

/// Rules with one entry a peer, however many dependencies share it.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) peers: BTreeMap<Peer, Ports>,
    warnings: BTreeSet<Warning>,
}

impl Rules {
    pub(super) fn endpoint(&mut self, endpoint: &Endpoint, services: &Services) {
        match endpoint.host.place() {
            // Traffic within the pod passes no policy.
            Place::Loopback => {}
            Place::External => self.allow(Peer::Internet, [endpoint.port]),
            Place::Address(address) => {
                self.allow(Peer::Block(on_the_wire(address)), [endpoint.port]);
            }
            Place::InCluster { .. } => self.in_cluster(endpoint, services),
        }
    }

    /// What the contract allows by address.
    pub(super) fn contract(&mut self, contract: &Contract) {
        for dependency in &contract.dependencies {
            if let Target::Dynamic { cidr, ports, .. } = &dependency.target {
                self.add(
                    Peer::Block(cidr.clone()),
                    Ports::Some(ports.iter().map(|listed| listed.port).collect()),
                );
            }
        }
        for egress in &contract.network_policy.additional_egress {
            let ports = egress.ports.as_ref().map_or(Ports::All, |ports| {
                Ports::Some(ports.iter().map(|listed| listed.port).collect())
            });
            self.add(Peer::Block(egress.to.clone()), ports);
        }
    }

    pub(super) fn into_warnings(self) -> Vec<Warning> {
        self.warnings.into_iter().collect()
    }

    fn in_cluster(&mut self, endpoint: &Endpoint, services: &Services) {
        let Some(service) = service_of(&endpoint.host) else {
            return;
        };
        match services.0.get(&service) {
            Some(known) => self.service(&service, known, endpoint.port),
            None => self.unreadable(service, endpoint.port),
        }
    }

    fn unreadable(&mut self, service: ServiceRef, port: Port) {
        self.allow(
            Peer::Pods {
                namespace: service.namespace.clone(),
                labels: BTreeMap::new(),
            },
            [port],
        );
        self.warnings
            .insert(Warning::UnreadableService { service, port });
    }

    fn service(&mut self, name: &ServiceRef, service: &Service, port: Port) {
        if let Backend::Alias(host) = &service.backend {
            return self.alias(host, port);
        }
        let ports = self.target_ports(name, service, port);
        match &service.backend {
            Backend::Pods(labels) => {
                self.allow(
                    Peer::Pods {
                        namespace: name.namespace.clone(),
                        labels: labels.clone(),
                    },
                    ports,
                );
            }
            Backend::Addresses(addresses) => {
                if addresses.is_empty() {
                    self.warnings.insert(Warning::NoAddresses {
                        service: name.clone(),
                        port,
                    });
                }
                for address in addresses {
                    self.allow(Peer::Block(on_the_wire(*address)), ports.iter().copied());
                }
            }
            Backend::Alias(_) => {}
        }
    }

    fn target_ports(&mut self, name: &ServiceRef, service: &Service, port: Port) -> BTreeSet<Port> {
        match service.ports.get(&port) {
            Some(targets) if !targets.is_empty() => targets.clone(),
            Some(_) => {
                self.warnings.insert(Warning::NoAddresses {
                    service: name.clone(),
                    port,
                });
                BTreeSet::from([port])
            }
            None => {
                self.warnings.insert(Warning::NoSuchPort {
                    service: name.clone(),
                    port,
                });
                BTreeSet::from([port])
            }
        }
    }

    /// A Service that is another name for a host. What that name leads to inside the cluster is not followed further.
    fn alias(&mut self, host: &Host, port: Port) {
        match host.place() {
            Place::Loopback => {}
            Place::External => self.allow(Peer::Internet, [port]),
            Place::Address(address) => self.allow(Peer::Block(on_the_wire(address)), [port]),
            Place::InCluster { .. } => {
                if let Some(service) = service_of(host) {
                    self.unreadable(service, port);
                }
            }
        }
    }

    fn allow(&mut self, peer: Peer, ports: impl IntoIterator<Item = Port>) {
        self.add(
            peer,
            Ports::Some(ports.into_iter().map(TransportPort::tcp).collect()),
        );
    }

    fn add(&mut self, peer: Peer, ports: Ports) {
        let known = self
            .peers
            .entry(peer)
            .or_insert_with(|| Ports::Some(BTreeSet::new()));
        match (&mut *known, ports) {
            (Ports::Some(known), Ports::Some(more)) => known.extend(more),
            (_, ports) => {
                *known = if *known == Ports::All {
                    Ports::All
                } else {
                    ports
                }
            }
        }
    }
}

/// The block of one address as packets carry it: an IPv4 address in IPv6 clothes is an IPv4 address.
fn on_the_wire(address: IpAddr) -> Cidr {
    Cidr::of_address(address.to_canonical())
}
