//! From a request to bytes on a connection: directly or by a proxy, within bounds, and signed by the user's login.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper::rt::{Read, Write};
use hyper::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ConfigExt, DynBody};
use kube::config::Config;
use tntc_core::proxy::{Proxy, Scheme};
use tokio::time::timeout;
use tower::util::BoxCloneService;
use tower::{BoxError, Service, ServiceExt, service_fn};

use super::limits::{self, Kind};
use super::login::Login;
use super::trouble::{Place, Silent};
use crate::outcome::error::chain;
use crate::outcome::{Error, Result};

/// Sends a request to a server.
pub type Wire = BoxCloneService<Request<Body>, Response<Box<DynBody>>, BoxError>;

/// A way to the server of a config.
///
/// # Errors
/// The certificates or the proxy's address cannot be used.
pub fn wire(config: &Config, login: Login, place: &Arc<Place>) -> Result<Wire> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let Some(proxy) = &place.proxy else {
        return over(tcp, config, login, place);
    };
    let address: Uri = proxy.to_string().parse().map_err(|_| {
        place.unreachable(
            "the proxy's address cannot be used",
            "check proxy-url and HTTPS_PROXY",
        )
    })?;
    match proxy.scheme {
        Scheme::Socks5 => {
            let socks = SocksV5::new(address, tcp);
            let socks = match proxy.login.clone() {
                Some((user, password)) => socks.with_auth(user, password),
                None => socks,
            };
            let socks = socks.map_err(|cause| BoxError::from(chain(&cause)));
            over(socks, config, login, place)
        }
        Scheme::Http => over(tunnel(address, tcp, proxy), config, login, place),
        Scheme::Https => {
            let trusted = proxy_trust(config, place)?;
            let secure = HttpsConnectorBuilder::new()
                .with_tls_config(trusted)
                .https_or_http();
            let secure = secure.enable_http1().wrap_connector(tcp);
            over(tunnel(address, secure, proxy), config, login, place)
        }
    }
}

fn tunnel<C>(address: Uri, connector: C, proxy: &Proxy) -> Tunnel<C> {
    let tunnel = Tunnel::new(address, connector);
    let Some((user, password)) = &proxy.login else {
        return tunnel;
    };
    let login = STANDARD.encode(format!("{user}:{password}"));
    match HeaderValue::from_str(&format!("Basic {login}")) {
        Ok(header) => tunnel.with_auth(header),
        Err(_) => tunnel,
    }
}

/// As in client-go, a proxy's certificate must be signed by the cluster's authorities, where the kubeconfig names any.
fn proxy_trust(config: &Config, place: &Place) -> Result<rustls::ClientConfig> {
    let mut trusted = config.clone();
    // Who the user is concerns the cluster alone.
    trusted.auth_info = kube::config::AuthInfo::default();
    trusted
        .rustls_client_config()
        .map_err(|cause| unusable(place, &cause))
}

/// TLS to the server over a connector.
fn over<C>(connector: C, config: &Config, login: Login, place: &Arc<Place>) -> Result<Wire>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let secure: HttpsConnector<C> = config
        .rustls_https_connector_with_connector(connector)
        .map_err(|cause| unusable(place, &cause))?;
    // The handshake as well: a server that accepts a connection and never says anything is given up, too.
    let bounded = secure.map_future(|connecting| {
        Box::pin(async move {
            let connected = timeout(limits::FIRST, connecting).await;
            connected.map_err(|_| BoxError::from(Silent(limits::FIRST.as_secs())))?
        })
    });
    let client = Client::builder(TokioExecutor::new()).build(bounded);
    let (place, has_answered) = (Arc::clone(place), Arc::new(AtomicBool::new(false)));
    Ok(BoxCloneService::new(service_fn(
        move |mut request: Request<Body>| {
            let (client, login) = (client.clone(), login.clone());
            let (place, has_answered) = (Arc::clone(&place), Arc::clone(&has_answered));
            async move {
                if let Some(header) = login.header().await? {
                    request.headers_mut().insert(AUTHORIZATION, header);
                }
                let kind = Kind::of(&request);
                let patience = kind.patience(has_answered.load(Ordering::Relaxed));
                let answer = within(patience, client.request(request)).await;
                let answer = answer.map_err(|cause| place.explain(cause.as_ref()))?;
                has_answered.store(true, Ordering::Relaxed);
                let mut answer = limits::bounded(answer, kind);
                answer.extensions_mut().insert(kind);
                Ok(answer)
            }
        },
    )))
}

async fn within(
    patience: Option<std::time::Duration>,
    answer: impl Future<Output = Result<Response<Incoming>, hyper_util::client::legacy::Error>>,
) -> Result<Response<Incoming>, BoxError> {
    let Some(patience) = patience else {
        return Ok(answer.await?);
    };
    match timeout(patience, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Silent(patience.as_secs()).into()),
    }
}

/// A certificate, a key or a server's name that TLS cannot work with.
fn unusable(place: &Place, cause: &kube::Error) -> Error {
    let context = place.context.as_deref().unwrap_or("in a pod");
    Error::surroundings(format!(
        "kubeconfig context `{context}`, user `{}`: its certificates cannot be used: {}",
        place.user,
        chain(cause)
    ))
    .hint("fetch the kubeconfig again, or log in again")
}
