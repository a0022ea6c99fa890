//! Hosts outside the cluster whose addresses the rule for the Internet leaves out.
//!
//! Such a host is a private service behind a name that looks public. The policy cannot know its address, so whoever can
//! resolve the name asks here what is closed and what would open it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use super::policy::rules_of;
use super::rules::{Peer, Ports, Rules};
use super::{Surroundings, reserved};
use crate::contract::{Cidr, Endpoint, Host, Place};
use crate::derive::endpoints;
use crate::workflow::{TransportPort, Workflow};

/// What a workflow reaches through its policy's rule for the Internet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outside {
    endpoints: BTreeSet<Endpoint>,
    /// What the contract opens by address.
    opened: BTreeMap<Cidr, Ports>,
}

/// A declared endpoint that the policy keeps closed all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// What the contract declares.
    pub endpoint: Endpoint,
    /// An address that its name resolves to.
    pub address: IpAddr,
    /// The block that holds the address, and that a rule for the Internet leaves out.
    pub block: Cidr,
}

impl fmt::Display for Excluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} resolves to {}, which the network policy does not let through: {} is not part of the public Internet",
            self.endpoint.host, self.address, self.block
        )
    }
}

impl Excluded {
    /// The item of the contract's `networkPolicy.additionalEgress` that opens it, as YAML.
    #[must_use]
    pub fn additional_egress(&self) -> String {
        format!(
            "{{toCIDR: \"{}\", ports: [\"{}/TCP\"], reason: {}}}",
            Cidr::of_address(self.address),
            self.endpoint.port,
            self.endpoint.host
        )
    }
}

/// What the workflow reaches outside its cluster; nothing without a contract, which is what a policy comes from.
#[must_use]
pub fn outside(workflow: &Workflow, surroundings: &Surroundings<'_>) -> Outside {
    let Some(rules) = rules_of(workflow, surroundings) else {
        return Outside::default();
    };
    let declared = endpoints::declared(workflow).into_iter();
    let all = declared.chain(surroundings.endpoints.iter().cloned());
    Outside {
        endpoints: all
            .filter(|endpoint| endpoint.host.place() == Place::External)
            .collect(),
        opened: blocks(rules),
    }
}

fn blocks(rules: Rules) -> BTreeMap<Cidr, Ports> {
    let blocks = rules
        .peers
        .into_iter()
        .filter_map(|(peer, ports)| match peer {
            Peer::Block(cidr) => Some((cidr, ports)),
            _ => None,
        });
    blocks.collect()
}

impl Outside {
    /// The names to resolve, each once.
    #[must_use]
    pub fn hosts(&self) -> BTreeSet<&Host> {
        self.endpoints
            .iter()
            .map(|endpoint| &endpoint.host)
            .collect()
    }

    /// What stays closed, given the addresses of the hosts that could be resolved.
    #[must_use]
    pub fn excluded(&self, addresses: &BTreeMap<Host, BTreeSet<IpAddr>>) -> Vec<Excluded> {
        let resolved = self.endpoints.iter().flat_map(|endpoint| {
            let addresses = addresses.get(&endpoint.host).into_iter().flatten();
            addresses.map(move |address| (endpoint, address.to_canonical()))
        });
        let closed = resolved.filter(|(endpoint, address)| !self.opens(endpoint, *address));
        closed
            .filter_map(|(endpoint, address)| {
                Some(Excluded {
                    endpoint: endpoint.clone(),
                    address,
                    block: reserved::block_of(address)?,
                })
            })
            .collect()
    }

    fn opens(&self, endpoint: &Endpoint, address: IpAddr) -> bool {
        let port = TransportPort::tcp(endpoint.port);
        let mut holding = self
            .opened
            .iter()
            .filter(|(cidr, _)| cidr.contains(address));
        holding.any(|(_, ports)| match ports {
            Ports::All => true,
            Ports::Some(ports) => ports.contains(&port),
        })
    }
}
