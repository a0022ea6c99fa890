//! From settings to a client: which kubeconfig and context, by which way, as whom, and whether a kind cluster is behind
//! it.

use std::path::PathBuf;
use std::sync::Arc;

use hyper::header::CONTENT_TYPE;
use hyper::{Response, StatusCode};
use kube::Client;
use kube::client::{ClientBuilder, ConfigExt, DynBody};
use kube::config::Config;
use tntc_core::kubeconfig::Selected;
use tntc_core::settings::{Settings, kind_cluster};
use tower::buffer::BufferLayer;
use tower::retry::RetryLayer;
use tower::{BoxError, ServiceBuilder};

use super::access::{self, Access};
use super::credentials::Credentials;
use super::kubeconfig;
use super::limits::Kind;
use super::retry::Patience;
use super::trouble::Place;
use super::wire::{Wire, wire};
use crate::outcome::error::chain;
use crate::outcome::followup::Followup;
use crate::outcome::{Error, Result};

/// How many requests may wait for their turn at once, as in `kube`'s own client.
const REQUESTS: usize = 1024;

/// A way to reach one cluster, for this call only; the user's kubeconfig is never written.
#[derive(Clone)]
pub struct Cluster {
    /// The client; it repeats what the API server has no time for.
    pub client: Client,
    /// Renders commands that lead to this cluster again.
    pub followup: Followup,
    config: Config,
    wire: Wire,
    judge: Judge,
}

impl Cluster {
    /// The client's layers over a way to the server.
    ///
    /// # Errors
    /// Whom to act as cannot be sent.
    pub fn over(
        wire: Wire,
        config: Config,
        credentials: Credentials,
        place: Arc<Place>,
        followup: Followup,
    ) -> Result<Self> {
        let patience = Patience::new().map_err(|cause| {
            Error::surroundings(format!("cannot wait for the cluster: {cause}"))
        })?;
        let judge = Judge { credentials, place };
        Ok(Self {
            client: client(&config, wire.clone(), judge.clone(), Some(patience))?,
            followup,
            config,
            wire,
            judge,
        })
    }

    /// Name of the kubeconfig context, when there is one.
    pub fn context(&self) -> Option<&str> {
        self.judge.place.context.as_deref()
    }

    /// A client that sends each request once. The usual one repeats what was answered with 429, 503 or 504, also a
    /// request that starts a workflow, which may have arrived all the same.
    pub fn sending_once(&self) -> Result<Client> {
        client(&self.config, self.wire.clone(), self.judge.clone(), None)
    }
}

fn client(config: &Config, wire: Wire, judge: Judge, patience: Option<Patience>) -> Result<Client> {
    let headers = config.extra_headers_layer().map_err(|cause| {
        Error::surroundings(format!(
            "{}: whom to act as cannot be sent: {}",
            judge.credentials.owner,
            chain(&cause)
        ))
    })?;
    let service = ServiceBuilder::new()
        .map_result(move |answer| judge.answer(answer))
        .option_layer(patience.map(RetryLayer::new))
        .layer(BufferLayer::new(REQUESTS))
        .layer(config.base_uri_layer())
        .layer(headers)
        .service(wire);
    Ok(ClientBuilder::new(service, config.default_namespace.clone()).build())
}

/// The cluster that the settings name, without having asked it anything yet.
pub struct Target {
    followup: Followup,
    access: Access,
    files: Vec<PathBuf>,
    /// Name of the kind cluster, when it is one.
    pub kind: Option<String>,
}

impl Target {
    /// Looks the context up; with no kubeconfig at all, the pod's own credentials.
    ///
    /// # Errors
    /// There is no such context, or its cluster or user cannot be used as they are written.
    pub fn find(settings: &Settings) -> Result<Self> {
        let wanted = settings
            .context
            .as_ref()
            .map(|context| context.value.as_str());
        let files = kubeconfig::read(settings)?;
        if wanted.is_none() && !files.merged.names_a_context() {
            if let Some(access) = access::of_pod()? {
                return Ok(Self {
                    followup: Followup::of(settings),
                    access,
                    files: Vec::new(),
                    kind: None,
                });
            }
            if files.paths.is_empty() {
                return Err(kubeconfig::none(&files));
            }
        }
        if files.paths.is_empty() {
            return Err(kubeconfig::none(&files));
        }
        let selected = files.merged.select(wanted);
        let selected = selected.map_err(|mistake| kubeconfig::mistaken(&mistake))?;
        Ok(Self {
            followup: Followup::of(settings),
            kind: kind(&selected),
            access: access::of_context(selected)?,
            files: files.paths,
        })
    }

    /// The server, the context and the user, and which files say so.
    pub fn told(&self) -> String {
        let files: Vec<_> = self
            .files
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        format!("{} {}", self.access.told(), files.join(", "))
    }

    /// A client; the first request is the caller's.
    ///
    /// # Errors
    /// The credentials cannot be had, or cannot be used.
    pub fn connect(self) -> Result<Cluster> {
        let ready = self.access.ready()?;
        let place = Arc::new(ready.place);
        let wire = wire(&ready.config, ready.login, &place)?;
        let followup = self.followup;
        Cluster::over(wire, ready.config, ready.credentials, place, followup)
    }
}

/// Name and namespace of the context that the settings lead to; what is wrong with a kubeconfig is told by whoever needs
/// the cluster.
pub fn context_namespace(settings: &Settings) -> Option<(String, String)> {
    let wanted = settings.context.as_ref();
    let wanted = wanted.map(|context| context.value.as_str());
    kubeconfig::read(settings).ok()?.merged.namespace(wanted)
}

fn kind(selected: &Selected) -> Option<String> {
    let server = selected.cluster.address.url();
    kind_cluster(&selected.context, &server).map(str::to_owned)
}

/// What an answer means before anybody reads it.
#[derive(Clone)]
struct Judge {
    credentials: Credentials,
    place: Arc<Place>,
}

impl Judge {
    fn answer(
        &self,
        answer: Result<Response<Box<DynBody>>, BoxError>,
    ) -> Result<Response<Box<DynBody>>, BoxError> {
        let answer = self.credentials.judge(answer)?;
        match self.foreign(&answer) {
            Some(error) => Err(error.into()),
            None => Ok(answer),
        }
    }

    /// The error of an answer that no API server gives: what a proxy, a login page or another server has to say.
    fn foreign(&self, answer: &Response<Box<DynBody>>) -> Option<Error> {
        if answer.extensions().get() == Some(&Kind::Passed) {
            return None;
        }
        let status = answer.status();
        let header = answer.headers().get(CONTENT_TYPE);
        let media_type = header.map_or("text/plain", |header| header.to_str().unwrap_or_default());
        let is_page = media_type.starts_with("text/html");
        let is_text = media_type.starts_with("text/plain") && is_final(status);
        if status.is_redirection() || is_page || is_text {
            let what = if is_page { "a web page" } else { "plain text" };
            let hint = match status {
                StatusCode::BAD_REQUEST if self.place.server.starts_with("http:") => {
                    "if the server speaks TLS, write https:// in the kubeconfig"
                }
                StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT => {
                    "something before the API server cannot reach it: try again later, or ask whoever runs it"
                }
                _ => {
                    "check the server's address in the kubeconfig, and whether a proxy or a login page is before it"
                }
            };
            let why = format!("what answers there is not an API server: it sent {what} ({status})");
            return Some(self.place.unreachable(&why, hint));
        }
        None
    }
}

/// A refusal that is not one of an API server itself, which says in plain text that it is busy or has no such API.
fn is_final(status: StatusCode) -> bool {
    let own = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::NOT_FOUND,
    ];
    (status.is_client_error() || status.is_server_error()) && !own.contains(&status)
}
