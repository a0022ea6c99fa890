//! What a context of a kubeconfig, or a pod, gives to connect by: certificates read, proxy chosen, user known.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;
use kube::config::Config;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tntc_core::kubeconfig::{Address, Cluster, Identity, Impersonation, Selected, Source, User};
use tntc_core::proxy::{Proxy, Server};

use super::credentials::{Credentials, Token};
use super::login::Login;
use super::plugin::Plugin;
use super::trouble::Place;
use crate::outcome::error::chain;
use crate::outcome::{Error, Result};
use crate::process::proxies::proxy_for;

/// Where the kubelet mounts a pod's credentials.
const POD_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// A cluster and who to be there; nothing was run and nobody asked yet.
pub struct Access {
    config: Config,
    place: Place,
    user: User,
    owner: String,
    plugin: Option<Arc<Plugin>>,
}

/// Everything that a client needs.
pub struct Ready {
    /// Address, TLS and whom to act as.
    pub config: Config,
    /// The header `Authorization`.
    pub login: Login,
    /// Where it goes, for messages.
    pub place: Place,
    /// What is known of the credentials, for messages.
    pub credentials: Credentials,
}

/// The pod that this process runs in; nothing elsewhere.
pub fn of_pod() -> Result<Option<Access>> {
    let named = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let in_pod = named("KUBERNETES_SERVICE_HOST") && named("KUBERNETES_SERVICE_PORT");
    if !in_pod || !Path::new(POD_TOKEN).is_file() {
        return Ok(None);
    }
    let mut config = Config::incluster_env().map_err(|cause| {
        Error::surroundings(format!(
            "cannot use this pod's service account: {}",
            chain(&cause)
        ))
    })?;
    config.auth_info = kube::config::AuthInfo::default();
    let uri = &config.cluster_url;
    let server = Server {
        secure: true,
        host: uri.host().unwrap_or_default().trim_matches(['[', ']']),
        port: uri.port_u16().unwrap_or(443),
    };
    let place = Place {
        server: uri.to_string().trim_end_matches('/').to_owned(),
        context: None,
        user: String::new(),
        proxy: proxy_for(server)?,
    };
    let identity = Identity::TokenFile {
        path: PathBuf::from(POD_TOKEN),
        otherwise: None,
    };
    Ok(Some(Access {
        config,
        place,
        user: User {
            identity,
            ..User::default()
        },
        owner: "this pod's service account".to_owned(),
        plugin: None,
    }))
}

/// What a context says.
///
/// # Errors
/// A file that it names cannot be read or holds no certificate, or the environment names a proxy that is none.
pub fn of_context(selected: Selected) -> Result<Access> {
    let Selected {
        context,
        user_name,
        cluster,
        mut user,
    } = selected;
    let owner = match user_name.as_str() {
        "" => format!("kubeconfig context `{context}`, which has no user"),
        name => format!("kubeconfig user `{name}`"),
    };
    if !cluster.address.secure {
        // As client-go: what is not encrypted gets no credentials, and no plugin runs for it.
        user.identity = Identity::None;
        user.certificate = None;
    }
    let place = Place {
        server: cluster.address.url(),
        context: Some(context),
        user: user_name,
        proxy: proxy(&cluster)?,
    };
    let config = config(&cluster, &place)?;
    let plugin = match &user.identity {
        Identity::Exec(exec) => {
            let told = plugin_cluster(&cluster, &config);
            Some(Arc::new(Plugin::new(
                exec.as_ref().clone(),
                owner.clone(),
                told,
            )))
        }
        _ => None,
    };
    Ok(Access {
        config,
        place,
        user,
        owner,
        plugin,
    })
}

/// The kubeconfig's own proxy leads everywhere; the environment's has exceptions.
fn proxy(cluster: &Cluster) -> Result<Option<Proxy>> {
    let Address {
        secure, host, port, ..
    } = &cluster.address;
    match &cluster.proxy {
        Some(proxy) => Ok(Some(proxy.clone())),
        None => proxy_for(Server {
            secure: *secure,
            host: host.trim_matches(['[', ']']),
            port: *port,
        }),
    }
}

fn config(cluster: &Cluster, place: &Place) -> Result<Config> {
    let uri: Uri = cluster.address.url().parse().map_err(|_| {
        place.unreachable(
            "its address is not a URL",
            "write server: https://HOST:PORT in the kubeconfig",
        )
    })?;
    let mut config = Config::new(uri);
    config.accept_invalid_certs = cluster.insecure;
    config.tls_server_name.clone_from(&cluster.tls_server_name);
    if let Some(source) = &cluster.authority {
        config.root_cert = Some(authorities(
            &bytes(source, "certificate-authority", place)?,
            place,
        )?);
    }
    Ok(config)
}

fn authorities(pem: &[u8], place: &Place) -> Result<Vec<Vec<u8>>> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .filter_map(std::result::Result::ok)
        .map(|certificate| certificate.to_vec())
        .collect();
    if found.is_empty() {
        return Err(unusable(
            place,
            "certificate-authority holds no certificate in PEM",
        ));
    }
    Ok(found)
}

fn bytes(source: &Source, what: &str, place: &Place) -> Result<Vec<u8>> {
    match source {
        Source::Data(data) => Ok(data.clone()),
        Source::File(path) => std::fs::read(path).map_err(|cause| {
            unusable(
                place,
                &format!("cannot read {what} {}: {cause}", path.display()),
            )
        }),
    }
}

fn unusable(place: &Place, why: &str) -> Error {
    Error::surroundings(format!("kubeconfig of {}: {why}", place.told()))
        .hint("correct it there, or fetch the kubeconfig again")
}

impl Access {
    /// The server, the context and the user, in words.
    pub fn told(&self) -> String {
        self.place.told()
    }

    /// Reads the user's certificate or lets the plugin give one.
    ///
    /// # Errors
    /// The plugin fails, a file cannot be read, or a token cannot be sent.
    pub fn ready(self) -> Result<Ready> {
        let Self {
            mut config,
            place,
            user,
            owner,
            plugin,
        } = self;
        let token = match &user.identity {
            Identity::Token(token) | Identity::IdToken(token) => Some(Token::Inline(token.clone())),
            Identity::TokenFile { path, .. } => Some(Token::File(path.clone())),
            Identity::Basic(_, password) => Some(Token::Inline(password.clone())),
            Identity::Exec(_) | Identity::None => None,
        };
        let mut pair = None;
        if let Some((certificate, key)) = &user.certificate {
            let certificate = bytes(certificate, "client-certificate", &place)?;
            pair = Some((certificate, bytes(key, "client-key", &place)?));
        }
        let mut by_plugin = None;
        if let Some(plugin) = &plugin {
            let given = plugin.credentials()?;
            by_plugin = given.token;
            if let Some((certificate, key)) = given.certificate {
                pair = Some((
                    certificate.into_bytes(),
                    key.expose_secret().as_bytes().to_vec(),
                ));
            }
        }
        let certificate = pair.as_ref().map(|(certificate, _)| certificate.clone());
        if let Some((certificate, key)) = pair {
            config.auth_info.client_certificate_data = Some(STANDARD.encode(certificate));
            config.auth_info.client_key_data = Some(SecretString::from(STANDARD.encode(key)));
        }
        impersonate(&mut config, user.impersonation);
        Ok(Ready {
            credentials: Credentials {
                owner: owner.clone(),
                token: token.or(by_plugin.map(Token::Inline)),
                certificate,
                by_plugin: plugin.is_some(),
            },
            login: Login::new(user.identity, &owner, plugin)?,
            config,
            place,
        })
    }
}

fn impersonate(config: &mut Config, other: Option<Impersonation>) {
    let Some(other) = other else {
        return;
    };
    let info = &mut config.auth_info;
    info.impersonate = Some(other.user);
    info.impersonate_uid = other.uid;
    info.impersonate_groups = Some(other.groups);
    info.impersonate_user_extra = Some(other.extra.into_iter().collect());
}

/// A cluster as the protocol of credential plugins describes it.
fn plugin_cluster(cluster: &Cluster, config: &Config) -> Value {
    let authorities = config.root_cert.iter().flatten();
    let pem: String = authorities.map(|der| pem(der)).collect();
    let mut described = json!({"server": cluster.address.url(), "config": cluster.plugin_config});
    let optional = [
        (
            "tls-server-name",
            cluster.tls_server_name.as_ref().map(|name| json!(name)),
        ),
        (
            "insecure-skip-tls-verify",
            cluster.insecure.then_some(json!(true)),
        ),
        (
            "certificate-authority-data",
            (!pem.is_empty()).then(|| json!(STANDARD.encode(&pem))),
        ),
        (
            "proxy-url",
            cluster.proxy.as_ref().map(|proxy| json!(proxy.to_string())),
        ),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            described[key] = value;
        }
    }
    described
}

fn pem(der: &[u8]) -> String {
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(der)
    )
}
