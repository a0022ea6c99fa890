//! The settings cascade as one pure function; every value remembers where it came from.
//!
//! Order: flag, environment, workflow.yaml, project config, user config, default. Reading the config files and the
//! kubeconfig is the caller's.

mod cascade;
mod config;

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::values::ImageReference;
pub use cascade::resolve;
pub use config::{Config, ConfigFile, Enforcement, Environment, NamedImage, unknown_keys};

/// The setting of the engine image.
const IMAGE: &str = "image";
/// The namespace when nothing names another one.
pub const DEFAULT_NAMESPACE: &str = "default";
/// The `RuntimeClass` when nothing names another one.
pub const DEFAULT_RUNTIME_CLASS: &str = "gvisor";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "from", content = "name", rename_all = "kebab-case")]
pub enum Origin {
    /// A command-line flag.
    Flag,
    /// The named environment.
    Environment(String),
    /// What `tntc build` wrote for this workflow.
    Build,
    /// `.tentacular/base-image.txt`, where it is not what the user's own build wrote.
    Directory,
    /// `deployment` in workflow.yaml.
    Workflow,
    /// The project's config file.
    Project,
    /// The user's config file.
    User,
    /// The kind cluster of that name.
    Kind(String),
    /// The kubeconfig context of that name.
    Context(String),
    /// Nothing named a value.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => out.write_str("command line"),
            Self::Environment(name) => write!(out, "environment {name}"),
            Self::Build => out.write_str("last build"),
            Self::Directory => out.write_str("the directory's base-image.txt"),
            Self::Workflow => out.write_str("workflow.yaml"),
            Self::Project => out.write_str("project config"),
            Self::User => out.write_str("user config"),
            Self::Kind(cluster) => write!(out, "kind cluster {cluster}"),
            Self::Context(context) => write!(out, "kubeconfig context {context}"),
            Self::Default => out.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Setting<T> {
    /// The value in force.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

/// What the command line said.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--namespace`
    pub namespace: Option<String>,
    /// `--registry`
    pub registry: Option<String>,
    /// `--base`
    pub base: Option<ImageReference>,
    /// `--image`
    pub image: Option<ImageReference>,
    /// `--runtime-class`; the empty string means none.
    pub runtime_class: Option<String>,
    /// `--context`
    pub context: Option<String>,
    /// `--kubeconfig`
    pub kubeconfig: Option<PathBuf>,
    /// `--env` or `TENTACULAR_ENV`
    pub environment: Option<String>,
}

/// The image that a workflow directory says was built for it.
#[derive(Debug, Clone, Copy)]
pub struct BuiltImage<'a> {
    /// What the file names.
    pub image: &'a ImageReference,
    /// Whether it is what this user's last build of the directory made. A file of somebody else's making is a choice of the
    /// directory.
    pub is_own: bool,
    /// The file.
    pub file: &'a Path,
}

/// An image that a file of the directory chooses, where the user would have had another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChosenImage {
    /// `image`, `trigger_image` or `base_image`.
    pub setting: &'static str,
    /// The reference.
    pub image: ImageReference,
    /// The file that names it.
    pub file: PathBuf,
}

impl ChosenImage {
    /// Whether it is the same image tomorrow.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.image.is_pinned()
    }
}

/// Everything that the cascade looks at.
#[derive(Debug, Clone, Default)]
pub struct Inputs<'a> {
    /// What the command line said.
    pub flags: Flags,
    /// `deployment.namespace` of workflow.yaml.
    pub workflow_namespace: Option<&'a str>,
    /// What `.tentacular/base-image.txt` says.
    pub built_image: Option<BuiltImage<'a>>,
    /// The nearest project config.
    pub project: Option<&'a ConfigFile>,
    /// The user's config.
    pub user: Option<&'a ConfigFile>,
    /// The user's home directory, for `~`.
    pub home: Option<&'a Path>,
}

/// Every setting in force, with its origin.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Settings {
    /// The named environment in force.
    #[serde(skip)]
    pub environment: Option<String>,
    /// Namespace to work in.
    pub namespace: Setting<String>,
    /// Registry for `build`.
    pub registry: Option<Setting<String>>,
    /// Base of the engine image, for `build`.
    pub base_image: Setting<ImageReference>,
    /// Engine image.
    pub image: Setting<ImageReference>,
    /// `RuntimeClass`; `None` means the cluster's default runtime.
    pub runtime_class: Setting<Option<String>>,
    /// Image of the pods that trigger a workflow.
    pub trigger_image: Setting<ImageReference>,
    /// Kubeconfig context; `None` means the current one.
    pub context: Option<Setting<String>>,
    /// Kubeconfig file; `None` means `$KUBECONFIG` and then the home directory's.
    pub kubeconfig: Option<Setting<PathBuf>>,
    /// The only source of secrets, relative to the workflow directory.
    pub secrets_source: Option<Setting<String>>,
    /// Whether the user's own config file names it, and not the project's.
    #[serde(skip)]
    pub secrets_source_is_the_users: bool,
    /// Namespace whose pods may read `/metrics`.
    pub metrics_namespace: Option<Setting<String>>,
    /// Where the engine sends its traces.
    pub otel_endpoint: Option<Setting<String>>,
    /// What contract drift does.
    pub enforcement: Setting<Enforcement>,
    /// Merged deeply into the workflow's `config`.
    pub config_overrides: Map<String, Value>,
    /// Images that files of the directory choose, which may be a stranger's.
    #[serde(skip)]
    pub chosen_images: Vec<ChosenImage>,
}

/// Settings that cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolvable {
    /// `--env` names an environment that no config file defines.
    #[error("unknown environment `{name}`; {}", defined(.known))]
    UnknownEnvironment {
        /// The name asked for.
        name: String,
        /// The names that exist, sorted.
        known: Vec<String>,
    },
    /// A project's config file names a kubeconfig, whose credential plugin would run.
    #[error(
        "{}: `environments.{environment}.kubeconfig` is not taken from a project: a kubeconfig can name programs to run",
        file.display()
    )]
    ProjectKubeconfig {
        /// The project's config file.
        file: PathBuf,
        /// The environment.
        environment: String,
    },
}

impl Unresolvable {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownEnvironment { .. } => None,
            Self::ProjectKubeconfig { environment, .. } => Some(format!(
                "if you trust that file, put the line into your own ~/.tentacular/config.yaml, below environments.{environment}, or pass --kubeconfig"
            )),
        }
    }
}

fn defined(known: &[String]) -> String {
    if known.is_empty() {
        "no config file defines any".to_owned()
    } else {
        format!("defined are: {}", known.join(", "))
    }
}

impl Settings {
    /// Whether a flag or an environment says which cluster is meant.
    #[must_use]
    pub fn names_a_cluster(&self) -> bool {
        self.context.is_some() || self.kubeconfig.is_some()
    }

    /// Takes the namespace of the kubeconfig context where nothing else names one, as kubectl does.
    #[must_use]
    pub fn or_context_namespace(mut self, named: Option<(String, String)>) -> Self {
        if let Some((context, namespace)) = named
            && self.namespace.origin == Origin::Default
        {
            self.namespace = Setting {
                value: namespace,
                origin: Origin::Context(context),
            };
        }
        self
    }

    /// Whether a file of the directory chooses this image.
    fn is_chosen(&self, setting: &str) -> bool {
        self.chosen_images.iter().any(|it| it.setting == setting)
    }

    /// Adjusts for a kind cluster, which has no gVisor unless a flag says so, and whose nodes have the image loaded
    /// under its tag. A digest that the directory gives stays: without it any image may be behind the tag.
    #[must_use]
    pub fn on_kind(mut self, cluster: Option<&str>) -> Self {
        if let Some(cluster) = cluster
            && self.runtime_class.origin != Origin::Flag
        {
            self.runtime_class = Setting {
                value: None,
                origin: Origin::Kind(cluster.to_owned()),
            };
        }
        if cluster.is_some() && !self.is_chosen(IMAGE) {
            self.image.value = self.image.value.loaded();
        }
        self
    }
}

/// The name of the kind cluster that a kubeconfig context leads to.
///
/// kind names its contexts `kind-<cluster>` and publishes the API server on a loopback address.
#[must_use]
pub fn kind_cluster<'a>(context: &'a str, server: &str) -> Option<&'a str> {
    let cluster = context
        .strip_prefix("kind-")
        .filter(|name| !name.is_empty())?;
    is_loopback(server).then_some(cluster)
}

fn is_loopback(server: &str) -> bool {
    let authority = server.split_once("://").map_or(server, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
