//! Which proxy leads to a server, by the rules of Go's `net/http` (`golang.org/x/net/http/httpproxy`), which kubectl,
//! Docker and Helm follow: one environment must mean the same to all of them. Connecting is the caller's.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use url::Url;

/// The schemes of Go's transport; SOCKS5 proxies resolve names themselves, whichever way they are written.
const SCHEMES: [(&str, Scheme, u16); 4] = [
    ("http", Scheme::Http, 80),
    ("https", Scheme::Https, 443),
    ("socks5", Scheme::Socks5, 1080),
    ("socks5h", Scheme::Socks5, 1080),
];

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `CONNECT` in the clear.
    Http,
    /// `CONNECT` inside TLS.
    Https,
    /// SOCKS version 5 (RFC 1928).
    Socks5,
}

/// A proxy. Its password is in no debug output and no message.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Host, in brackets when it is an IPv6 address.
    pub host: String,
    /// Port, by the scheme when none is written.
    pub port: u16,
    /// User name and password, decoded.
    pub login: Option<(String, String)>,
}

impl fmt::Display for Proxy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::Socks5 => "socks5",
        };
        write!(out, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// A proxy's address that cannot be used; the address is not repeated, since it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// It is no URL.
    #[error("it is not a URL: write it as http://host:port")]
    NotAUrl,
    /// The scheme is none of Go's.
    #[error("its scheme `{0}` is none of http, https, socks5 and socks5h")]
    Scheme(String),
}

impl Proxy {
    /// Reads a proxy's URL, with user and password percent-encoded in it.
    ///
    /// # Errors
    /// It is no URL, or of another scheme than a proxy's.
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let url = Url::parse(text.trim()).map_err(|_| ProxyError::NotAUrl)?;
        let known = SCHEMES.iter().find(|(name, ..)| *name == url.scheme());
        let &(_, scheme, port) =
            known.ok_or_else(|| ProxyError::Scheme(url.scheme().to_owned()))?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let has_login = !url.username().is_empty() || url.password().is_some();
        let password = url.password().unwrap_or_default();
        Ok(Self {
            scheme,
            host: host.ok_or(ProxyError::NotAUrl)?.to_owned(),
            port: url.port().unwrap_or(port),
            login: has_login.then(|| (decoded(url.username()), decoded(password))),
        })
    }

    /// Reads a value of the environment, where `host:port` means `http://host:port`.
    fn of_environment(text: &str) -> Result<Self, ProxyError> {
        let has_scheme = text.contains("://");
        if has_scheme {
            Self::parse(text)
        } else {
            Self::parse(&format!("http://{}", text.trim()))
        }
    }
}

/// A server that is to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server<'a> {
    /// Whether it is spoken to in TLS.
    pub secure: bool,
    /// Its host, without brackets.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
}

/// A proxy of the environment that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the proxy in {variable} cannot be used: {cause}")]
pub struct EnvironmentError {
    /// Where it is named.
    pub variable: &'static str,
    /// What is wrong with it.
    pub cause: ProxyError,
}

/// What the environment says about proxies.
#[derive(Clone, Default)]
pub struct ProxyEnvironment {
    https: Option<String>,
    http: Option<String>,
    exceptions: Vec<Exception>,
}

impl ProxyEnvironment {
    /// Reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, each before its spelling in lower case.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let either = |upper: &str| {
            let filled = |name: &str| variable(name).filter(|value| !value.is_empty());
            filled(upper).or_else(|| filled(&upper.to_lowercase()))
        };
        Self {
            https: either("HTTPS_PROXY"),
            http: either("HTTP_PROXY"),
            exceptions: exceptions(&either("NO_PROXY").unwrap_or_default()),
        }
    }

    /// The proxy that leads to a server; none for this machine and for what `NO_PROXY` names.
    ///
    /// # Errors
    /// The environment names a proxy for it that is none.
    pub fn proxy_for(&self, server: Server<'_>) -> Result<Option<Proxy>, EnvironmentError> {
        let (named, variable) = if server.secure {
            (&self.https, "HTTPS_PROXY")
        } else {
            (&self.http, "HTTP_PROXY")
        };
        match named {
            Some(named) if self.applies_to(server) => Proxy::of_environment(named)
                .map(Some)
                .map_err(|cause| EnvironmentError { variable, cause }),
            _ => Ok(None),
        }
    }

    fn applies_to(&self, server: Server<'_>) -> bool {
        let host = server.host.to_lowercase();
        let address = host
            .parse::<IpAddr>()
            .ok()
            .map(|found| found.to_canonical());
        let is_this_machine =
            host == "localhost" || address.is_some_and(|address| address.is_loopback());
        let excepted = |exception: &Exception| exception.covers(&host, address, server.port);
        !is_this_machine && !self.exceptions.iter().any(excepted)
    }
}

/// One entry of `NO_PROXY`.
#[derive(Clone)]
enum Exception {
    /// `*`
    Everything,
    /// A range of addresses.
    Range(IpNet),
    /// One address, at any port when none is written.
    Address(IpAddr, Option<u16>),
    /// `.domain`: whatever ends so, and the domain itself when it was written without the dot.
    Domain {
        suffix: String,
        itself: bool,
        port: Option<u16>,
    },
}

fn exceptions(list: &str) -> Vec<Exception> {
    let entries = list.split(',').map(|entry| entry.trim().to_lowercase());
    entries
        .filter_map(|entry| Exception::parse(&entry))
        .collect()
}

impl Exception {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self::Everything);
        }
        if let Ok(range) = entry.parse() {
            return Some(Self::Range(range));
        }
        let (host, port) = split_port(entry);
        if let Ok(address) = host.parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical(), port));
        }
        let host = host
            .strip_prefix('*')
            .filter(|rest| rest.starts_with('.'))
            .unwrap_or(host);
        let itself = !host.starts_with('.');
        let suffix = if itself {
            format!(".{host}")
        } else {
            host.to_owned()
        };
        (!host.is_empty()).then_some(Self::Domain {
            suffix,
            itself,
            port,
        })
    }

    fn covers(&self, host: &str, address: Option<IpAddr>, port: u16) -> bool {
        let at = |wanted: &Option<u16>| wanted.is_none_or(|wanted| wanted == port);
        match self {
            Self::Everything => true,
            Self::Range(range) => address.is_some_and(|address| range.contains(&address)),
            Self::Address(excepted, wanted) => address == Some(*excepted) && at(wanted),
            Self::Domain {
                suffix,
                itself,
                port,
            } => (host.ends_with(suffix.as_str()) || *itself && host == &suffix[1..]) && at(port),
        }
    }
}

/// `host:port`, `[address]:port` or a host alone; an IPv6 address without brackets has no port.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some(rest) = entry.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').unwrap_or((rest, ""));
        return (
            host,
            rest.strip_prefix(':').and_then(|port| port.parse().ok()),
        );
    }
    match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, port.parse().ok()),
        _ => (entry, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The proxy that these variables name for a server, as a person would see it.
    fn proxy(variables: &[(&str, &str)], server: &str) -> Option<String> {
        let variable = |wanted: &str| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        };
        let url = Url::parse(server).expect("a URL");
        let host = url.host_str().expect("a host").trim_matches(['[', ']']);
        let server = Server {
            secure: url.scheme() == "https",
            host,
            port: url.port_or_known_default().expect("a port"),
        };
        let found = ProxyEnvironment::read(variable).proxy_for(server);
        found
            .expect("a proxy or none")
            .map(|proxy| proxy.to_string())
    }

    #[test]
    fn each_scheme_has_a_variable_and_upper_case_comes_first() {
        let both = [("HTTPS_PROXY", "http://p:1"), ("HTTP_PROXY", "http://p:2")];
        assert_eq!(proxy(&both, "https://a.io").as_deref(), Some("http://p:1"));
        assert_eq!(proxy(&both, "http://a.io").as_deref(), Some("http://p:2"));
        let cases = [
            ("HTTPS_PROXY", "http://upper:1"),
            ("https_proxy", "http://lower:1"),
        ];
        assert_eq!(
            proxy(&cases, "https://a.io").as_deref(),
            Some("http://upper:1")
        );
        assert_eq!(
            proxy(&cases[1..], "https://a.io").as_deref(),
            Some("http://lower:1")
        );
        let empty = [("HTTPS_PROXY", ""), ("https_proxy", "http://lower:1")];
        assert_eq!(
            proxy(&empty, "https://a.io").as_deref(),
            Some("http://lower:1")
        );
        assert_eq!(proxy(&[("HTTP_PROXY", "http://p")], "https://a.io"), None);
        assert_eq!(proxy(&[("ALL_PROXY", "http://p")], "https://a.io"), None);
    }

    #[test]
    fn a_proxy_may_be_written_in_every_way_that_go_reads() {
        for (written, read) in [
            ("p", "http://p:80"),
            ("p:3128", "http://p:3128"),
            ("10.0.0.1:3128", "http://10.0.0.1:3128"),
            ("https://p", "https://p:443"),
            ("socks5://p", "socks5://p:1080"),
            ("socks5h://p:9", "socks5://p:9"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://user:secret@p:1", "http://p:1"),
        ] {
            assert_eq!(
                proxy(&[("HTTPS_PROXY", written)], "https://a.io").as_deref(),
                Some(read)
            );
        }
    }

    #[test]
    fn what_no_proxy_names_is_reached_directly() {
        let direct = |no_proxy: &str, server: &str| {
            let variables = [("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", no_proxy)];
            proxy(&variables, server).is_none()
        };
        for (no_proxy, server, expected) in [
            ("*", "https://a.io", true),
            ("a.io", "https://a.io", true),
            ("a.io", "https://b.a.io", true),
            ("a.io", "https://ba.io", false),
            (".a.io", "https://a.io", false),
            (".a.io", "https://b.a.io", true),
            ("*.a.io", "https://b.a.io", true),
            ("*.a.io", "https://a.io", false),
            ("A.IO", "https://a.io", true),
            ("b.io, a.io", "https://a.io", true),
            ("a.io:443", "https://a.io", true),
            ("a.io:6443", "https://a.io", false),
            ("a.io:6443", "https://a.io:6443", true),
            ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.0.0.0/8", "https://11.1.2.3", false),
            ("10.1.2.3", "https://10.1.2.3:6443", true),
            ("10.1.2.3:6443", "https://10.1.2.3:6443", true),
            ("10.1.2.3:6443", "https://10.1.2.3", false),
            ("fd00::/8", "https://[fd00::1]:6443", true),
            ("[fd00::1]:6443", "https://[fd00::1]:6443", true),
            ("fd00::1", "https://[fd00::1]:6443", true),
            ("fd00::1", "https://[fd00::2]:6443", false),
            ("", "https://a.io", false),
            (",:80,", "https://a.io", false),
            ("example", "https://10.0.0.1", false),
        ] {
            assert_eq!(
                direct(no_proxy, server),
                expected,
                "{no_proxy} for {server}"
            );
        }
    }

    #[test]
    fn this_machine_is_never_reached_by_a_proxy_of_the_environment() {
        for server in [
            "https://localhost",
            "https://127.0.0.1:6443",
            "https://127.9.9.9",
            "https://[::1]",
        ] {
            assert_eq!(
                proxy(&[("HTTPS_PROXY", "http://p:1")], server),
                None,
                "{server}"
            );
        }
    }

    #[test]
    fn a_login_is_decoded_and_never_shown() {
        let proxy = Proxy::parse("http://us%40er:pa%3Ass@p:1").expect("a proxy");
        let login = ("us@er".to_owned(), "pa:ss".to_owned());
        assert_eq!(proxy.login, Some(login));
        assert!(!format!("{proxy:?} {proxy}").contains("pa"), "{proxy:?}");
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_being_repeated() {
        let told = |text: &str| Proxy::parse(text).expect_err("an error").to_string();
        assert!(told("http://user:secret@").contains("not a URL"));
        assert!(told("ftp://p").contains("`ftp`"));
        assert!(!told("ht tp://user:secret@p").contains("secret"));
    }
}
