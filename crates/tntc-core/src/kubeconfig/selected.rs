//! One context of a kubeconfig, with its cluster and user checked.

use super::section::Section;
use super::server::{self, Address};
use super::user::{self, Refusal, Source, User, invalid, source};
use super::{Mistake, UnusableServer};
use crate::proxy::Proxy;

/// What is known of a cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Where it is.
    pub address: Address,
    /// The name in its certificate, where that is not the host's.
    pub tls_server_name: Option<String>,
    /// Whether its certificate is not looked at.
    pub insecure: bool,
    /// Who has signed its certificate; none means the system's authorities.
    pub authority: Option<Source>,
    /// The proxy that leads to it, before any of the environment.
    pub proxy: Option<Proxy>,
    /// What its credential plugin is told besides (`client.authentication.k8s.io/exec`).
    pub plugin_config: serde_json::Value,
}

/// One context.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Its name.
    pub context: String,
    /// The name of its user; empty when it has none.
    pub user_name: String,
    /// Its cluster.
    pub cluster: Cluster,
    /// Its user.
    pub user: User,
}

impl Selected {
    pub(super) fn new(
        context: &str,
        cluster: &Section<'_>,
        cluster_name: &str,
        user: Option<Section<'_>>,
        user_name: &str,
    ) -> Result<Self, Mistake> {
        let cluster = read_cluster(cluster).map_err(|refusal| match refusal {
            Refusal::Mistake(mistake) => mistake,
            Refusal::Invalid(why, hint) => Mistake::Cluster {
                context: context.to_owned(),
                cluster: cluster_name.to_owned(),
                why,
                hint,
            },
        })?;
        let user = user.map(|section| user::read(&section)).transpose();
        let user = user.map_err(|refusal| match refusal {
            Refusal::Mistake(mistake) => mistake,
            Refusal::Invalid(why, hint) => Mistake::User {
                context: context.to_owned(),
                user: user_name.to_owned(),
                why,
                hint,
            },
        })?;
        Ok(Self {
            context: context.to_owned(),
            user_name: user_name.to_owned(),
            cluster,
            user: user.unwrap_or_default(),
        })
    }
}

fn read_cluster(section: &Section<'_>) -> Result<Cluster, Refusal> {
    let insecure = section.truth("insecure-skip-tls-verify")?;
    let authority = source(section, "certificate-authority")?;
    if insecure && authority.is_some() {
        return Err(invalid(
            "it names a certificate authority and insecure-skip-tls-verify, which exclude each other",
            "remove insecure-skip-tls-verify, or the authority",
        ));
    }
    Ok(Cluster {
        address: address(section)?,
        tls_server_name: section.text("tls-server-name")?,
        insecure,
        authority,
        proxy: proxy(section)?,
        plugin_config: plugin_config(section)?,
    })
}

fn address(section: &Section<'_>) -> Result<Address, Refusal> {
    let Some(server) = section.text("server")? else {
        return Err(invalid("it has no server", "add server: https://HOST:PORT"));
    };
    server::parse_server(&server).map_err(|cause| {
        let hint = match cause {
            UnusableServer::HoldsAUser => "put username and password into the kubeconfig's user",
            _ => "write server: https://HOST:PORT",
        };
        invalid(cause.to_string(), hint)
    })
}

/// client-go knows fewer schemes here than in the environment.
fn proxy(section: &Section<'_>) -> Result<Option<Proxy>, Refusal> {
    let Some(text) = section.text("proxy-url")? else {
        return Ok(None);
    };
    let hint = "write proxy-url: http://HOST:PORT, or https or socks5";
    if text.starts_with("socks5h://") {
        return Err(invalid(
            "its proxy-url's scheme `socks5h` is not known here",
            hint,
        ));
    }
    let parsed = Proxy::parse(&text);
    parsed
        .map(Some)
        .map_err(|cause| invalid(format!("its proxy-url cannot be used: {cause}"), hint))
}

fn plugin_config(section: &Section<'_>) -> Result<serde_json::Value, Mistake> {
    for extension in section.list("extensions")? {
        if extension.text("name")?.as_deref() == Some("client.authentication.k8s.io/exec") {
            return Ok(extension.section("extension")?.value.clone());
        }
    }
    Ok(serde_json::Value::Null)
}
