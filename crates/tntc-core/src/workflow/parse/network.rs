//! Ports and blocks of addresses, and the contract's `networkPolicy`.

use serde_json::Map;

use crate::contract::{AdditionalEgress, Cidr, ListedPort, NetworkPolicy};
use crate::diagnostic::Invalid;
use crate::workflow::{Port, Transport, TransportPort};
use crate::yaml::{Fields, Items, Sink, Spot, Value, accept, integer, owned_string, parsed};

pub(super) fn port(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Port> {
    integer(sink, spot, 1_u16, u16::MAX).and_then(Port::new)
}

pub(super) fn cidr(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Cidr> {
    let cidr: Cidr = parsed(sink, spot)?;
    let network = cidr.network();
    if cidr != network {
        let problem = Invalid::new(
            "host-bits",
            format!("`{cidr}` has bits behind its prefix and means {network}"),
        );
        sink.warning(spot, problem.help(format!("write `{network}`")));
    }
    Some(cidr)
}

/// A list of ports that is not empty.
pub(super) fn ports(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Vec<ListedPort>> {
    let items = Items::open(sink, spot)?;
    if items.nodes.is_empty() {
        sink.error(
            spot,
            Invalid::new("no-ports", "the list of ports is empty").help("add one: [\"443/TCP\"]"),
        );
        return None;
    }
    Some(
        items
            .iter()
            .filter_map(|item| listed_port(sink, item))
            .collect(),
    )
}

/// `"443/TCP"`, or the same as a mapping.
fn listed_port(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<ListedPort> {
    if let Value::Scalar(scalar) = &spot.node.value {
        return Some(ListedPort {
            port: accept(sink, spot, scalar.text.parse())?,
            extensions: Map::new(),
        });
    }
    let fields = Fields::open(sink, spot)?;
    let extensions = fields.extensions(sink, &["port", "protocol"]);
    let port = fields.required(sink, "port", "443", port);
    let transport = fields.optional(sink, "protocol", parsed);
    Some(ListedPort {
        port: TransportPort {
            port: port?,
            transport: transport.unwrap_or(Transport::Tcp),
        },
        extensions,
    })
}

pub(super) fn network_policy(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<NetworkPolicy> {
    let fields = Fields::open(sink, spot)?;
    let extensions = fields.extensions(sink, &["additionalEgress"]);
    let egress = fields.optional(sink, "additionalEgress", |sink, spot| {
        crate::yaml::list(sink, spot, egress)
    });
    Some(NetworkPolicy {
        additional_egress: egress.unwrap_or_default(),
        extensions,
    })
}

fn egress(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<AdditionalEgress> {
    let fields = Fields::open(sink, spot)?;
    let extensions = fields.extensions(sink, &["toCIDR", "ports", "reason"]);
    let to = fields.required(sink, "toCIDR", "10.0.0.0/8", cidr);
    let ports = fields.optional(sink, "ports", ports);
    let reason = fields.optional(sink, "reason", owned_string);
    Some(AdditionalEgress {
        to: to?,
        ports,
        reason,
        extensions,
    })
}
