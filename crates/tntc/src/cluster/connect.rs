//! From kubeconfig to a client: which file, which context, and whether a kind cluster is behind it.

use kube::Client;
use kube::client::ClientBuilder;
use kube::config::{Config, KubeConfigOptions, Kubeconfig, NamedContext};
use tntc_core::settings::{Settings, kind_cluster};
use tower::buffer::BufferLayer;
use tower::retry::RetryLayer;

use super::errors;
use super::retry::Patience;
use crate::error::{Error, Result, chain};

/// How many requests may wait for their turn at once, as in `kube`'s own client.
const REQUESTS: usize = 1024;

/// A way to reach one cluster, for this call only; the user's kubeconfig is never written.
#[derive(Clone)]
pub struct Cluster {
    /// The client.
    pub client: Client,
    config: Config,
}

impl Cluster {
    /// A client that sends each request once. The usual one repeats what was answered with 429, 503 or 504, also a
    /// request that starts a workflow, which may have arrived all the same.
    pub fn sending_once(&self) -> Result<Client> {
        Client::try_from(self.config.clone()).map_err(unusable)
    }
}

/// A client that repeats what the API server has no time for.
fn patient(config: Config) -> Result<Client> {
    let patience = Patience::new()
        .map_err(|cause| Error::surroundings(format!("cannot wait for the cluster: {cause}")))?;
    let client = ClientBuilder::try_from(config)
        .map_err(unusable)?
        .with_layer(&BufferLayer::new(REQUESTS))
        .with_layer(&RetryLayer::new(patience));
    Ok(client.build())
}

fn unusable(cause: kube::Error) -> Error {
    match cause {
        kube::Error::Auth(cause) => errors::not_authenticated(&cause),
        other => Error::surroundings(format!("cannot use this kubeconfig: {}", chain(&other))),
    }
}

/// The cluster that the settings name, without having asked it anything yet.
pub struct Target {
    config: Config,
    /// Name of the kind cluster, when it is one.
    pub kind: Option<String>,
}

impl Target {
    /// Looks the context up; with no kubeconfig at all, the pod's own credentials.
    pub async fn find(settings: &Settings) -> Result<Self> {
        let wanted = settings
            .context
            .as_ref()
            .map(|context| context.value.clone());
        let Some(kubeconfig) = read(settings)? else {
            let config = Config::incluster().map_err(|_| no_kubeconfig())?;
            return Ok(Self { config, kind: None });
        };
        let context = current(&kubeconfig, wanted)?;
        let kind = server(&kubeconfig, &context)
            .and_then(|server| kind_cluster(&context, &server).map(str::to_owned));
        let options = KubeConfigOptions {
            context: Some(context.clone()),
            ..KubeConfigOptions::default()
        };
        let config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|cause| {
                Error::surroundings(format!("kubeconfig context `{context}`: {}", chain(&cause)))
            })?;
        Ok(Self { config, kind })
    }

    /// A client; the first request is the caller's.
    pub fn connect(self) -> Result<Cluster> {
        let mut config = self.config;
        config.default_retry = false;
        let client = patient(config.clone())?;
        Ok(Cluster { client, config })
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

fn server(kubeconfig: &Kubeconfig, context: &str) -> Option<String> {
    let of_context = |named: &&NamedContext| named.name == context;
    let cluster = &kubeconfig
        .contexts
        .iter()
        .find(of_context)?
        .context
        .as_ref()?
        .cluster;
    let named = kubeconfig
        .clusters
        .iter()
        .find(|named| &named.name == cluster)?;
    named.cluster.as_ref()?.server.clone()
}
