//! Hosts with ports, and the texts that name them.

use std::fmt;
use std::str::FromStr;

use super::{Host, NATS_PORT};
use crate::diagnostic::{Invalid, shown};
use crate::values::Port;

/// A host with a TCP port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The host.
    pub host: Host,
    /// The TCP port.
    pub port: Port,
}

impl fmt::Display for Endpoint {
    /// `host:port`, with IPv6 addresses in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host.authority(), self.port)
    }
}

/// The address of a NATS server: `host`, `host:port`, or either behind `nats://` or `tls://`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsUrl(
    /// Where the server listens; port 4222 when the URL names none.
    pub Endpoint,
);

impl FromStr for NatsUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let problem = |reason: &str| Invalid::new("nats-url", format!("`nats_url` {reason}"));
        let server = match text.split_once("://") {
            Some(("nats" | "tls", server)) => server.strip_suffix('/').unwrap_or(server),
            Some((scheme, _)) => {
                let problem = problem(&format!("has the scheme `{}`", shown(scheme)));
                return Err(problem.help("use `nats://`, `tls://` or no scheme"));
            }
            None => text,
        };
        if server.contains('@') {
            return Err(
                problem("holds credentials").help("keep the token in the secret `nats.token`")
            );
        }
        if server.contains(',') {
            return Err(
                problem("names several servers").help("name one: only that server is let through")
            );
        }
        endpoint(server, Some(NATS_PORT))
            .map(Self)
            .map_err(|inner| Invalid {
                help: inner.help.clone(),
                ..problem(&format!("is wrong: {inner}"))
            })
    }
}

/// Reads the host and port of a URL such as `http://collector:4318/v1`, or of a bare `host:port`.
///
/// The port of the scheme (80 for `http`, 443 for `https`) stands in for a missing one.
pub fn parse_url(text: &str) -> Result<Endpoint, Invalid> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let default = match scheme {
        "http" => Port::new(80),
        "https" => Port::new(443),
        _ => None,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let server = authority
        .rsplit_once('@')
        .map_or(authority, |(_, server)| server);
    endpoint(server, default)
}

fn endpoint(text: &str, default: Option<Port>) -> Result<Endpoint, Invalid> {
    let is_ipv6 = text.parse::<std::net::Ipv6Addr>().is_ok() || text.ends_with(']');
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !is_ipv6 => (host, Some(port)),
        _ => (text, None),
    };
    let port = match port {
        None => default.ok_or_else(|| {
            Invalid::new("port", format!("`{}` names no port", shown(text)))
                .help("write `host:port`")
        })?,
        Some(port) => port.parse().ok().and_then(Port::new).ok_or_else(|| {
            Invalid::new("port", format!("`{}` is not a valid port", shown(port)))
                .help("use a number from 1 to 65535")
        })?,
    };
    Ok(Endpoint {
        host: host.parse()?,
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nats_urls_name_one_server_without_credentials() {
        for (text, expected) in [
            ("nats.example.com:18453", "nats.example.com:18453"),
            ("nats", "nats:4222"),
            ("tls://nats.example.com", "nats.example.com:4222"),
            ("nats://[::1]:4333/", "[::1]:4333"),
            ("::1", "[::1]:4222"),
        ] {
            assert_eq!(
                text.parse::<NatsUrl>().unwrap().0.to_string(),
                expected,
                "{text}"
            );
        }
        for bad in [
            "",
            "http://nats",
            "nats://token@nats",
            "a,b",
            "nats:0",
            "nats:x",
            "nats://",
        ] {
            assert!(bad.parse::<NatsUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn urls_give_their_host_and_port() {
        for (text, expected) in [
            (
                "http://collector.otel.svc:4318/v1/traces",
                "collector.otel.svc:4318",
            ),
            ("https://otel.example.com", "otel.example.com:443"),
            ("collector:4317", "collector:4317"),
        ] {
            assert_eq!(parse_url(text).unwrap().to_string(), expected, "{text}");
        }
        assert!(parse_url("collector").is_err());
    }
}
