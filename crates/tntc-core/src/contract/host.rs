//! Hosts, and what they mean to a pod.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::diagnostic::{Invalid, shown};

/// A host by name or by address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// An IPv4 or IPv6 address.
    Address(IpAddr),
    /// A DNS name in lower case, without a final dot.
    Name(String),
}

/// What a name means inside a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place<'h> {
    /// A Service of the cluster; without a namespace, of the workflow's own.
    InCluster {
        /// The namespace that the host names.
        namespace: Option<&'h str>,
        /// The Service that the host names.
        service: &'h str,
    },
    /// An address.
    Address(IpAddr),
    /// The pod itself.
    Loopback,
    /// Anything else: a name that public DNS resolves.
    External,
}

/// Longest DNS name in characters (RFC 1035, 2.3.4).
const MAX_NAME: usize = 253;

/// What in-cluster names end with; the second is what the first stands for.
const CLUSTER_SUFFIXES: [&str; 2] = [".svc", ".svc.cluster.local"];

impl Host {
    /// What the host means to a pod.
    ///
    /// One label is a Service of the own namespace. A name that ends in `.svc` or `.svc.cluster.local` has the Service
    /// and its namespace before that; a label before the Service is one pod behind it. A name of two labels is external.
    #[must_use]
    pub fn place(&self) -> Place<'_> {
        let name = match self {
            Self::Address(address) => return Place::Address(*address),
            Self::Name(name) if name == "localhost" => return Place::Loopback,
            Self::Name(name) => name,
        };
        if !name.contains('.') {
            return Place::InCluster {
                namespace: None,
                service: name,
            };
        }
        match in_cluster_labels(name) {
            Some((service, namespace)) => Place::InCluster {
                namespace: Some(namespace),
                service,
            },
            None => Place::External,
        }
    }

    /// The host as a URL or a permission flag writes it before a port: IPv6 in brackets.
    #[must_use]
    pub fn authority(&self) -> String {
        match self {
            Self::Address(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.to_string(),
        }
    }
}

fn in_cluster_labels(name: &str) -> Option<(&str, &str)> {
    let labels = CLUSTER_SUFFIXES
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))?;
    let (before, namespace) = labels.rsplit_once('.')?;
    Some((before.rsplit('.').next().unwrap_or(before), namespace))
}

impl FromStr for Host {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let unbracketed = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(address) = unbracketed.and_then(|inner| inner.parse::<Ipv6Addr>().ok()) {
            return Ok(Self::Address(address.into()));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let name = text.to_ascii_lowercase();
        if let Some(reason) = no_name(&name) {
            let problem = Invalid::new(
                "host",
                format!("`{}` is not a valid host: {reason}", shown(text)),
            );
            return Err(match bare_host(text) {
                Some(host) => problem.help(format!("write `{}`", shown(host))),
                None => problem.help("write a name such as `api.example.com`, or an IP address"),
            });
        }
        Ok(Self::Name(name))
    }
}

fn no_name(name: &str) -> Option<&'static str> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(allowed)
    };
    let last = name.rsplit('.').next().unwrap_or(name);
    // URL parsers read a name whose last label is a number as an IPv4 address (WHATWG URL, "ends in a number checker").
    let is_number = last.bytes().all(|b| b.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    let names_no_service = CLUSTER_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
        && name != "svc"
        && name.matches('.').count() > 1
        && in_cluster_labels(name).is_none();
    match () {
        () if name.contains("://") => Some("it has a scheme"),
        () if name.contains('/') => Some("it has a path"),
        () if name.contains(':') => Some("it has a port"),
        () if name.contains('*') => Some("a contract names every host"),
        () if name.ends_with('.') => Some("it ends with a dot"),
        () if name.is_empty() || name.len() > MAX_NAME || !name.split('.').all(is_label) => {
            Some("names are letters, digits and hyphens, joined by dots")
        }
        () if is_number => Some("it looks like an IP address, but is none"),
        () if names_no_service => Some("a name inside the cluster is `<service>.<namespace>.svc`"),
        () => None,
    }
}

/// The host inside something that is more than a host, when that would be accepted.
fn bare_host(text: &str) -> Option<&str> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = rest
        .rsplit_once(':')
        .map_or(rest, |(host, _)| host)
        .trim_end_matches('.');
    (host != text && no_name(&host.to_ascii_lowercase()).is_none()).then_some(host)
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Serialize for Host {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Host {
        text.parse().unwrap()
    }

    #[test]
    fn in_cluster_names_give_their_service_and_namespace() {
        let place = |namespace, service| Place::InCluster { namespace, service };
        assert_eq!(host("db").place(), place(None, "db"));
        assert_eq!(host("db.data.svc").place(), place(Some("data"), "db"));
        assert_eq!(
            host("db.data.svc.cluster.local").place(),
            place(Some("data"), "db")
        );
        assert_eq!(host("db-0.db.data.svc").place(), place(Some("data"), "db"));
        assert_eq!(host("DB.Data.svc").place(), place(Some("data"), "db"));
        assert_eq!(host("db.data").place(), Place::External);
        assert_eq!(host("db.svc").place(), Place::External);
        assert_eq!(host("localhost").place(), Place::Loopback);
        assert_eq!(
            host("10.0.0.1").place(),
            Place::Address([10, 0, 0, 1].into())
        );
    }

    #[test]
    fn what_is_more_than_a_host_is_refused_with_the_host_in_it() {
        for (text, help) in [
            ("https://api.github.com", "write `api.github.com`"),
            ("api.github.com:443", "write `api.github.com`"),
            (
                "https://u:p@api.github.com:443/x?y",
                "write `api.github.com`",
            ),
            ("api.github.com.", "write `api.github.com`"),
        ] {
            assert_eq!(
                text.parse::<Host>().unwrap_err().help.as_deref(),
                Some(help),
                "{text}"
            );
        }
        for bad in [
            "",
            "*.example.com",
            "a b",
            "-a.example.com",
            "1.2.3",
            "127.1",
            "0x7f.0x1",
            "x.svc.cluster.local",
            "ä.de",
        ] {
            assert!(bad.parse::<Host>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ipv6_hosts_are_bracketed_before_a_port_only() {
        assert_eq!(host("[2001:DB8::1]").authority(), "[2001:db8::1]");
        assert_eq!(host("2001:db8::1").to_string(), "2001:db8::1");
        assert_eq!(host("10.0.0.1").authority(), "10.0.0.1");
    }
}
