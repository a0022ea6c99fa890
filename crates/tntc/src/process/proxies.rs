//! The proxies that this process's environment names, for everything that `tntc` itself connects to.

use std::sync::OnceLock;

use reqwest::Url;
use tntc_core::proxy::{Proxy, ProxyEnvironment, Scheme, Server};

use crate::outcome::{Error, Result};

fn environment() -> &'static ProxyEnvironment {
    static READ: OnceLock<ProxyEnvironment> = OnceLock::new();
    READ.get_or_init(|| ProxyEnvironment::read(|name| std::env::var(name).ok()))
}

/// The proxy of the environment that leads to a server.
///
/// # Errors
/// The environment names one that cannot be used.
pub fn proxy_for(server: Server<'_>) -> Result<Option<Proxy>> {
    environment().proxy_for(server).map_err(|cause| {
        Error::surroundings(cause.to_string())
            .hint(format!("correct {} in the environment", cause.variable))
    })
}

/// The same for a client of registries; one that cannot be used counts as none, as for Docker.
pub fn for_url(url: &Url) -> Option<Url> {
    let server = Server {
        secure: url.scheme() == "https",
        host: url.host_str()?.trim_matches(['[', ']']),
        port: url.port_or_known_default()?,
    };
    let proxy = environment().proxy_for(server).ok().flatten()?;
    // In this spelling it is the proxy that resolves names, as Go's do in either.
    let scheme = match proxy.scheme {
        Scheme::Socks5 => "socks5h",
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    let mut url = Url::parse(&format!("{scheme}://{}:{}", proxy.host, proxy.port)).ok()?;
    if let Some((user, password)) = &proxy.login {
        url.set_username(user).ok()?;
        url.set_password(Some(password)).ok()?;
    }
    Some(url)
}
