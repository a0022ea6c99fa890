//! Validated values of a contract: hosts, address blocks, secret references.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::diagnostic::{Invalid, shown};
use crate::workflow::is_identifier;

/// A secret, as `service.key`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretRef {
    service: String,
    key: String,
}

impl SecretRef {
    /// The service: the key in `.secrets.yaml` and in the cluster's Secret.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The key within the service.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A reference that the program itself names; both parts must follow the rule.
    pub(crate) fn known(service: &str, key: &str) -> Self {
        debug_assert!(
            is_identifier(service) && is_identifier(key),
            "{service}.{key}"
        );
        Self {
            service: service.to_owned(),
            key: key.to_owned(),
        }
    }
}

impl FromStr for SecretRef {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.split_once('.') {
            Some((service, key)) if is_identifier(service) && is_identifier(key) => {
                Ok(Self { service: service.to_owned(), key: key.to_owned() })
            }
            _ => Err(Invalid::new("secret-ref", format!("`{}` is no reference to a secret", shown(text))).help(
                "write `service.key`, both of lower-case letters, digits, `-` and `_`, beginning with a letter",
            )),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.service, self.key)
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

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
            let problem = Invalid::new("host", format!("`{}` is no host: {reason}", shown(text)));
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

/// A block of addresses, kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// The block that holds one address only.
    #[must_use]
    pub fn of_address(address: IpAddr) -> Self {
        Self {
            address,
            prefix: if address.is_ipv4() { 32 } else { 128 },
        }
    }

    /// The address before the slash, host bits included.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Number of leading bits that all addresses of the block share.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// The same block with the bits behind the prefix cleared.
    #[must_use]
    pub fn network(&self) -> Self {
        let address = match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(self.prefix))
                    .unwrap_or(0);
                Ipv4Addr::from_bits(address.to_bits() & mask).into()
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.prefix))
                    .unwrap_or(0);
                Ipv6Addr::from_bits(address.to_bits() & mask).into()
            }
        };
        Self {
            address,
            prefix: self.prefix,
        }
    }

    /// Whether the block holds the address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let same_family = self.address.is_ipv4() == address.is_ipv4();
        same_family
            && Self {
                address,
                prefix: self.prefix,
            }
            .network()
                == self.network()
    }
}

impl FromStr for Cidr {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let problem = || {
            Invalid::new(
                "cidr",
                format!("`{}` is no block of addresses", shown(text)),
            )
        };
        let Some((address, prefix)) = text.split_once('/') else {
            let guess = text
                .parse::<IpAddr>()
                .map(|address| format!("write `{}`", Self::of_address(address)));
            return Err(problem().help(
                guess.unwrap_or_else(|_| "write an address and a prefix: `10.0.0.0/8`".into()),
            ));
        };
        let address: IpAddr = address.parse().map_err(|_| {
            problem()
                .help("write an IPv4 or IPv6 address before the slash: `10.0.0.0/8`, `fd00::/8`")
        })?;
        let most = Self::of_address(address).prefix;
        let is_plain = prefix == "0" || (!prefix.starts_with(['0', '+']) && prefix.len() <= 3);
        match prefix.parse() {
            Ok(prefix) if prefix <= most && is_plain => Ok(Self { address, prefix }),
            _ => Err(problem().help(format!(
                "the prefix behind the slash is a number from 0 to {most}"
            ))),
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
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

    #[test]
    fn blocks_have_an_address_and_a_prefix_that_fits() {
        for good in [
            "10.0.0.0/8",
            "0.0.0.0/0",
            "::/0",
            "fd00::/8",
            "10.1.2.3/8",
            "169.254.169.254/32",
        ] {
            assert_eq!(good.parse::<Cidr>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "10.0.0.0",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "010.0.0.0/8",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "x/8",
            "/8",
        ] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_block_knows_its_network_and_members() {
        let block: Cidr = "10.1.2.3/8".parse().unwrap();
        assert_eq!(block.network().to_string(), "10.0.0.0/8");
        assert!(block.contains([10, 200, 0, 1].into()));
        assert!(!block.contains([11, 0, 0, 1].into()));
        let all: Cidr = "::1/0".parse().unwrap();
        assert_eq!(all.network().to_string(), "::/0");
        assert!(!all.contains([10, 0, 0, 1].into()));
    }

    #[test]
    fn secrets_have_two_parts() {
        let secret: SecretRef = "github.webhook_secret".parse().unwrap();
        assert_eq!(
            (secret.service(), secret.key()),
            ("github", "webhook_secret")
        );
        for bad in [
            "",
            "github",
            "github.",
            ".token",
            "a.b.c",
            "Git.token",
            "git.1",
        ] {
            assert!(bad.parse::<SecretRef>().is_err(), "{bad}");
        }
    }
}
