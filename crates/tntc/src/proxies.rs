//! The proxies that this process's environment names, for everything that `tntc` itself connects to.

use std::sync::OnceLock;

use tntc_core::proxy::{Proxy, ProxyEnvironment, Server};

use crate::error::{Error, Result};

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
