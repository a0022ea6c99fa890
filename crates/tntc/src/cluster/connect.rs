//! From kubeconfig to a client: which file, which context, and whether a kind cluster is behind it.

use hyper::Response;
use kube::Client;
use kube::client::{ClientBuilder, DynBody};
use kube::config::{Config, Context, KubeConfigOptions, Kubeconfig};
use tntc_core::settings::{Settings, kind_cluster};
use tower::buffer::BufferLayer;
use tower::retry::RetryLayer;
use tower::{BoxError, ServiceBuilder};

use super::credentials::Credentials;
use super::errors;
use super::retry::Patience;
use crate::error::{Error, Result, chain};
use crate::followup::Followup;

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
    credentials: Credentials,
}

impl Cluster {
    /// A client that sends each request once. The usual one repeats what was answered with 429, 503 or 504, also a
    /// request that starts a workflow, which may have arrived all the same.
    pub fn sending_once(&self) -> Result<Client> {
        client(self.config.clone(), self.credentials.clone(), None)
    }
}

fn client(
    mut config: Config,
    credentials: Credentials,
    patience: Option<Patience>,
) -> Result<Client> {
    config.default_retry = false;
    let layers = ServiceBuilder::new()
        .map_result(move |answer: Result<Response<Box<DynBody>>, BoxError>| {
            credentials.judge(answer)
        })
        .option_layer(patience.map(RetryLayer::new))
        .layer(BufferLayer::new(REQUESTS))
        .into_inner();
    let builder = ClientBuilder::try_from(config).map_err(unusable)?;
    Ok(builder.with_layer(&layers).build())
}

fn unusable(cause: kube::Error) -> Error {
    match cause {
        kube::Error::Auth(cause) => errors::not_authenticated(&cause),
        other => Error::surroundings(format!("cannot use this kubeconfig: {}", chain(&other))),
    }
}

/// The cluster that the settings name, without having asked it anything yet.
pub struct Target {
    followup: Followup,
    config: Config,
    credentials: Credentials,
    /// Name of the kind cluster, when it is one.
    pub kind: Option<String>,
}

impl Target {
    /// Looks the context up; with no kubeconfig at all, the pod's own credentials.
    pub async fn find(settings: &Settings) -> Result<Self> {
        let followup = Followup::of(settings);
        let wanted = settings
            .context
            .as_ref()
            .map(|context| context.value.clone());
        let Some(kubeconfig) = read(settings)? else {
            let config = Config::incluster().map_err(|_| no_kubeconfig())?;
            return Ok(Self {
                followup,
                credentials: Credentials::of(None, config.auth_info.clone()),
                config,
                kind: None,
            });
        };
        let context = current(&kubeconfig, wanted)?;
        let kind = server(&kubeconfig, &context)
            .and_then(|server| kind_cluster(&context, &server).map(str::to_owned));
        let user = user(&kubeconfig, &context);
        let options = KubeConfigOptions {
            context: Some(context.clone()),
            ..KubeConfigOptions::default()
        };
        let config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|cause| {
                Error::surroundings(format!("kubeconfig context `{context}`: {}", chain(&cause)))
            })?;
        Ok(Self {
            followup,
            credentials: Credentials::of(user, config.auth_info.clone()),
            config,
            kind,
        })
    }

    /// A client; the first request is the caller's.
    pub fn connect(self) -> Result<Cluster> {
        let patience = Patience::new().map_err(|cause| {
            Error::surroundings(format!("cannot wait for the cluster: {cause}"))
        })?;
        let (config, credentials) = (self.config, self.credentials);
        Ok(Cluster {
            client: client(config.clone(), credentials.clone(), Some(patience))?,
            followup: self.followup,
            config,
            credentials,
        })
    }
}

/// `None` when there is no kubeconfig anywhere, as in a pod.
fn read(settings: &Settings) -> Result<Option<Kubeconfig>> {
    let told = |cause: kube::config::KubeconfigError| Error::surroundings(chain(&cause));
    if let Some(path) = &settings.kubeconfig {
        return Kubeconfig::read_from(&path.value).map(Some).map_err(told);
    }
    if let Some(merged) = Kubeconfig::from_env().map_err(told)? {
        return Ok(Some(merged));
    }
    match std::env::home_dir().map(|home| home.join(".kube/config")) {
        Some(path) if path.exists() => Kubeconfig::read_from(path).map(Some).map_err(told),
        _ => Ok(None),
    }
}

fn no_kubeconfig() -> Error {
    Error::surroundings(
        "no cluster: $KUBECONFIG is not set, ~/.kube/config does not exist, and this is not a pod",
    )
    .hint("name a kubeconfig with --kubeconfig")
}

fn current(kubeconfig: &Kubeconfig, wanted: Option<String>) -> Result<String> {
    let known: Vec<_> = kubeconfig
        .contexts
        .iter()
        .map(|context| context.name.as_str())
        .collect();
    let name = wanted
        .or_else(|| kubeconfig.current_context.clone())
        .filter(|name| !name.is_empty());
    match name {
        Some(name) if known.contains(&name.as_str()) => Ok(name),
        Some(name) => Err(
            Error::surroundings(format!("the kubeconfig has no context `{name}`"))
                .hint(format!("it has: {}", known.join(", "))),
        ),
        None => Err(
            Error::surroundings("the kubeconfig names no current context")
                .hint(format!("choose one with --context: {}", known.join(", "))),
        ),
    }
}

fn used<'a>(kubeconfig: &'a Kubeconfig, context: &str) -> Option<&'a Context> {
    let mut contexts = kubeconfig.contexts.iter();
    let named = contexts.find(|named| named.name == context)?;
    named.context.as_ref()
}

fn user(kubeconfig: &Kubeconfig, context: &str) -> Option<String> {
    used(kubeconfig, context)?.user.clone()
}

fn server(kubeconfig: &Kubeconfig, context: &str) -> Option<String> {
    let cluster = &used(kubeconfig, context)?.cluster;
    let mut clusters = kubeconfig.clusters.iter();
    let named = clusters.find(|named| &named.name == cluster)?;
    named.cluster.as_ref()?.server.clone()
}
