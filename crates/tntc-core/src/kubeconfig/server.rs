//! The address of an API server, read as client-go reads it (`rest.DefaultServerURL`).

use url::Url;

/// Where an API server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Whether it is spoken to in TLS; without, no credentials are sent.
    pub secure: bool,
    /// Its host, in brackets when it is an IPv6 address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What comes before every path, without a slash at its end.
    pub prefix: String,
    /// Whether the kubeconfig names a scheme; `http` is meant where it does not.
    pub has_scheme: bool,
}

/// A `server` that cannot be used; it is not repeated, since it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnusableServer {
    /// It is no URL.
    #[error("its server is not a URL")]
    NotAUrl,
    /// The scheme is not one of HTTP.
    #[error("its server's scheme `{0}` is neither https nor http")]
    Scheme(String),
    /// There is a user name or password in it.
    #[error("its server's URL holds a user name")]
    HoldsAUser,
}

impl Address {
    /// As a URL that always names its port.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{}", self.origin(), self.prefix)
    }

    /// The URL without a path.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }
}

/// Reads a kubeconfig's `server`.
///
/// # Errors
/// It is no URL, or one that no API server can be reached by.
pub fn parse_server(server: &str) -> Result<Address, UnusableServer> {
    let has_scheme = server.contains("://");
    let text = if has_scheme {
        server.to_owned()
    } else {
        format!("http://{server}")
    };
    if text.contains(|it: char| it.is_whitespace() || it.is_control()) {
        return Err(UnusableServer::NotAUrl);
    }
    let url = Url::parse(&text).map_err(|_| UnusableServer::NotAUrl)?;
    let secure = match url.scheme() {
        "https" => true,
        "http" => false,
        other => return Err(UnusableServer::Scheme(other.to_owned())),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UnusableServer::HoldsAUser);
    }
    let prefix = url.path().trim_end_matches('/').to_owned();
    if !has_scheme && !prefix.is_empty() {
        return Err(UnusableServer::NotAUrl);
    }
    Ok(Address {
        secure,
        host: url.host_str().ok_or(UnusableServer::NotAUrl)?.to_owned(),
        port: url.port_or_known_default().ok_or(UnusableServer::NotAUrl)?,
        prefix,
        has_scheme,
    })
}
