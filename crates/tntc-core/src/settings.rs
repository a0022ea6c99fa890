//! The settings cascade as one pure function; every value remembers where it came from.
//!
//! Order: flag, environment, workflow.yaml, project config, user config, default. Reading the config files and the
//! kubeconfig is the caller's.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::image::ImageReference;
use crate::suggest::Suggester;
use crate::workflow::merge;

/// The engine image when nothing names another one; what `tntc build` tags by default.
pub const DEFAULT_IMAGE: &str = "tentacular-engine:latest";
/// The image that the engine's is built on.
pub const DEFAULT_BASE_IMAGE: &str = "denoland/deno:distroless";
/// The image of the pods that trigger a workflow.
pub const DEFAULT_TRIGGER_IMAGE: &str = "curlimages/curl:latest";
/// The namespace when nothing names another one.
pub const DEFAULT_NAMESPACE: &str = "default";
/// The `RuntimeClass` when nothing names another one.
pub const DEFAULT_RUNTIME_CLASS: &str = "gvisor";

const CONFIG_KEYS: [&str; 6] = [
    "registry",
    "base_image",
    "namespace",
    "runtime_class",
    "trigger_image",
    "environments",
];
const ENVIRONMENT_KEYS: [&str; 10] = [
    "context",
    "kubeconfig",
    "namespace",
    "image",
    "runtime_class",
    "config_overrides",
    "secrets_source",
    "enforcement",
    "metrics_namespace",
    "otel_endpoint",
];

/// One `config.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct Config {
    /// Registry that `build` puts in front of its tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// Namespace to deploy to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `RuntimeClass` of the engine's pod; the empty string means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_class: Option<String>,
    /// Image, with curl in it, of the pods that trigger a workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_image: Option<String>,
    /// Image that `build` puts the engine on, such as a mirror's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_image: Option<String>,
    /// Named environments.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environments: BTreeMap<String, Environment>,
    /// Keys that no version of this tool knows.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: BTreeMap<String, Value>,
}

/// A named environment of a `config.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct Environment {
    /// Kubeconfig context; used for the call, never switched to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Kubeconfig file; relative to the config file, `~` is the home directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<String>,
    /// Namespace to deploy to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Engine image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// `RuntimeClass` of the engine's pod; the empty string means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_class: Option<String>,
    /// Merged deeply into the workflow's `config`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub config_overrides: Map<String, Value>,
    /// Path of the secrets file, relative to the workflow directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets_source: Option<String>,
    /// What contract drift does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforcement: Option<Enforcement>,
    /// Namespace whose pods may read `/metrics`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_namespace: Option<String>,
    /// Where the engine sends its traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otel_endpoint: Option<String>,
    /// Keys that no version of this tool knows.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unknown: BTreeMap<String, Value>,
}

/// What contract drift does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Enforcement {
    /// Drift fails.
    #[default]
    Strict,
    /// Drift warns.
    Audit,
}

/// A parsed config file and the directory that its relative paths start at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigFile {
    /// The file, as shown to the user.
    pub path: PathBuf,
    /// Its content.
    pub config: Config,
}

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
    /// `deployment` in workflow.yaml.
    Workflow,
    /// The project's config file.
    Project,
    /// The user's config file.
    User,
    /// The kind cluster of that name.
    Kind(String),
    /// Nothing named a value.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => out.write_str("command line"),
            Self::Environment(name) => write!(out, "environment {name}"),
            Self::Build => out.write_str("last build"),
            Self::Workflow => out.write_str("workflow.yaml"),
            Self::Project => out.write_str("project config"),
            Self::User => out.write_str("user config"),
            Self::Kind(cluster) => write!(out, "kind cluster {cluster}"),
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
    pub base: Option<String>,
    /// `--image`
    pub image: Option<String>,
    /// `--runtime-class`; the empty string means none.
    pub runtime_class: Option<String>,
    /// `--context`
    pub context: Option<String>,
    /// `--kubeconfig`
    pub kubeconfig: Option<PathBuf>,
    /// `--env` or `TENTACULAR_ENV`
    pub environment: Option<String>,
}

/// Everything that the cascade looks at.
#[derive(Debug, Clone, Default)]
pub struct Inputs<'a> {
    /// What the command line said.
    pub flags: Flags,
    /// `deployment.namespace` of workflow.yaml.
    pub workflow_namespace: Option<&'a str>,
    /// The content of `.tentacular/base-image.txt`.
    pub built_image: Option<&'a str>,
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
    /// Namespace to work in.
    pub namespace: Setting<String>,
    /// Registry for `build`.
    pub registry: Option<Setting<String>>,
    /// Base of the engine image, for `build`.
    pub base_image: Setting<String>,
    /// Engine image.
    pub image: Setting<String>,
    /// `RuntimeClass`; `None` means the cluster's default runtime.
    pub runtime_class: Setting<Option<String>>,
    /// Image of the pods that trigger a workflow.
    pub trigger_image: Setting<String>,
    /// Kubeconfig context; `None` means the current one.
    pub context: Option<Setting<String>>,
    /// Kubeconfig file; `None` means `$KUBECONFIG` and then the home directory's.
    pub kubeconfig: Option<Setting<PathBuf>>,
    /// The only source of secrets, relative to the workflow directory.
    pub secrets_source: Option<Setting<String>>,
    /// Namespace whose pods may read `/metrics`.
    pub metrics_namespace: Option<Setting<String>>,
    /// Where the engine sends its traces.
    pub otel_endpoint: Option<Setting<String>>,
    /// What contract drift does.
    pub enforcement: Setting<Enforcement>,
    /// Merged deeply into the workflow's `config`.
    pub config_overrides: Map<String, Value>,
}

/// `--env` names an environment that no config file defines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown environment `{name}`; {}", defined(.known))]
pub struct UnknownEnvironment {
    /// The name asked for.
    pub name: String,
    /// The names that exist, sorted.
    pub known: Vec<String>,
}

fn defined(known: &[String]) -> String {
    if known.is_empty() {
        "no config file defines any".to_owned()
    } else {
        format!("defined are: {}", known.join(", "))
    }
}

/// Resolves every setting.
///
/// # Errors
/// The environment asked for is defined in neither config file.
pub fn resolve(inputs: &Inputs) -> Result<Settings, UnknownEnvironment> {
    let cascade = Cascade::new(inputs)?;
    Ok(Settings {
        namespace: cascade.namespace(),
        registry: cascade.registry(),
        base_image: cascade.base_image(),
        image: cascade.image(),
        runtime_class: cascade.runtime_class(),
        trigger_image: cascade.trigger_image(),
        context: cascade.context(),
        kubeconfig: cascade.kubeconfig(),
        secrets_source: cascade.of_environment(|environment| environment.secrets_source.clone()),
        metrics_namespace: cascade
            .of_environment(|environment| environment.metrics_namespace.clone()),
        otel_endpoint: cascade.of_environment(|environment| environment.otel_endpoint.clone()),
        enforcement: cascade.enforcement(),
        config_overrides: cascade.config_overrides(),
    })
}

impl Settings {
    /// Adjusts for a kind cluster, which has no gVisor unless a flag says so, and whose nodes have the image loaded
    /// under its tag.
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
        if cluster.is_some() {
            self.image.value = ImageReference::of(&self.image.value).loaded().to_owned();
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

/// The layers, with the environment already looked up.
struct Cascade<'a> {
    inputs: &'a Inputs<'a>,
    environment: Option<ActiveEnvironment<'a>>,
}

/// The environment asked for, as the project and the user define it.
struct ActiveEnvironment<'a> {
    name: &'a str,
    definitions: Vec<(&'a ConfigFile, &'a Environment)>,
}

impl<'a> Cascade<'a> {
    fn new(inputs: &'a Inputs<'a>) -> Result<Self, UnknownEnvironment> {
        let environment = match inputs
            .flags
            .environment
            .as_deref()
            .filter(|name| !name.is_empty())
        {
            Some(name) => Some(ActiveEnvironment::find(name, inputs)?),
            None => None,
        };
        Ok(Self {
            inputs,
            environment,
        })
    }

    fn namespace(&self) -> Setting<String> {
        let flags = &self.inputs.flags;
        flag(flags.namespace.clone())
            .or_else(|| self.of_environment(|environment| environment.namespace.clone()))
            .or_else(|| self.of_workflow())
            .or_else(|| self.of_config(|config| config.namespace.clone()))
            .filter_or_default(|name| !name.is_empty(), DEFAULT_NAMESPACE)
    }

    fn registry(&self) -> Option<Setting<String>> {
        flag(self.inputs.flags.registry.clone())
            .or_else(|| self.of_config(|config| config.registry.clone()))
            .filter(|registry| !registry.value.is_empty())
    }

    fn base_image(&self) -> Setting<String> {
        flag(self.inputs.flags.base.clone())
            .or_else(|| self.of_config(|config| config.base_image.clone()))
            .filter_or_default(|image| !image.is_empty(), DEFAULT_BASE_IMAGE)
    }

    fn image(&self) -> Setting<String> {
        let built = self.inputs.built_image.map(str::trim).map(|image| Setting {
            value: image.to_owned(),
            origin: Origin::Build,
        });
        flag(self.inputs.flags.image.clone())
            .or_else(|| self.of_environment(|environment| environment.image.clone()))
            .or(built)
            .filter_or_default(|image| !image.is_empty(), DEFAULT_IMAGE)
    }

    fn runtime_class(&self) -> Setting<Option<String>> {
        let found = flag(self.inputs.flags.runtime_class.clone())
            .or_else(|| self.of_environment(|environment| environment.runtime_class.clone()))
            .or_else(|| self.of_config(|config| config.runtime_class.clone()))
            .filter_or_default(|_| true, DEFAULT_RUNTIME_CLASS);
        Setting {
            value: Some(found.value).filter(|name| !name.is_empty()),
            origin: found.origin,
        }
    }

    fn trigger_image(&self) -> Setting<String> {
        self.of_config(|config| config.trigger_image.clone())
            .filter_or_default(|image| !image.is_empty(), DEFAULT_TRIGGER_IMAGE)
    }

    fn context(&self) -> Option<Setting<String>> {
        flag(self.inputs.flags.context.clone())
            .or_else(|| self.of_environment(|environment| environment.context.clone()))
    }

    fn kubeconfig(&self) -> Option<Setting<PathBuf>> {
        if let Some(path) = self.inputs.flags.kubeconfig.clone() {
            return Some(Setting {
                value: path,
                origin: Origin::Flag,
            });
        }
        let environment = self.environment.as_ref()?;
        environment
            .definitions
            .iter()
            .find_map(|(file, definition)| {
                let path = definition.kubeconfig.as_deref()?;
                Some(Setting {
                    value: resolve_path(path, &file.path, self.inputs.home),
                    origin: Origin::Environment(environment.name.to_owned()),
                })
            })
    }

    fn enforcement(&self) -> Setting<Enforcement> {
        let found = self.environment.as_ref().and_then(|environment| {
            let value = environment
                .definitions
                .iter()
                .find_map(|(_, definition)| definition.enforcement)?;
            Some(Setting {
                value,
                origin: Origin::Environment(environment.name.to_owned()),
            })
        });
        found.unwrap_or(Setting {
            value: Enforcement::default(),
            origin: Origin::Default,
        })
    }

    /// The user's definition below the project's.
    fn config_overrides(&self) -> Map<String, Value> {
        let mut merged = Map::new();
        let definitions = self
            .environment
            .iter()
            .flat_map(|environment| environment.definitions.iter().rev());
        for (_, definition) in definitions {
            merge(&mut merged, &definition.config_overrides);
        }
        merged
    }

    fn of_environment(
        &self,
        get: impl Fn(&Environment) -> Option<String>,
    ) -> Option<Setting<String>> {
        let environment = self.environment.as_ref()?;
        let value = environment
            .definitions
            .iter()
            .find_map(|(_, definition)| get(definition))?;
        Some(Setting {
            value,
            origin: Origin::Environment(environment.name.to_owned()),
        })
    }

    fn of_workflow(&self) -> Option<Setting<String>> {
        self.inputs.workflow_namespace.map(|namespace| Setting {
            value: namespace.to_owned(),
            origin: Origin::Workflow,
        })
    }

    fn of_config(&self, get: impl Fn(&Config) -> Option<String>) -> Option<Setting<String>> {
        let layers = [
            (self.inputs.project, Origin::Project),
            (self.inputs.user, Origin::User),
        ];
        layers.into_iter().find_map(|(file, origin)| {
            let value = get(&file?.config)?;
            Some(Setting { value, origin })
        })
    }
}

impl<'a> ActiveEnvironment<'a> {
    fn find(name: &'a str, inputs: &Inputs<'a>) -> Result<Self, UnknownEnvironment> {
        let files = [inputs.project, inputs.user].into_iter().flatten();
        let definitions: Vec<_> = files
            .clone()
            .filter_map(|file| Some((file, file.config.environments.get(name)?)))
            .collect();
        if definitions.is_empty() {
            let mut known: Vec<_> = files
                .flat_map(|file| file.config.environments.keys().cloned())
                .collect();
            known.sort();
            known.dedup();
            return Err(UnknownEnvironment {
                name: name.to_owned(),
                known,
            });
        }
        Ok(Self { name, definitions })
    }
}

/// What no version of this tool knows in a config file, each with the nearest key that exists.
#[must_use]
pub fn unknown_keys(file: &ConfigFile) -> Vec<String> {
    let told = |place: &str, key: &String, known: &[&str]| {
        let near = Suggester::new().nearest(key, known.iter().copied());
        let near = near
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        format!("{}: unknown key `{place}{key}`{near}", file.path.display())
    };
    let top = file
        .config
        .unknown
        .keys()
        .map(|key| told("", key, &CONFIG_KEYS));
    let inner = file
        .config
        .environments
        .iter()
        .flat_map(|(name, environment)| {
            let place = format!("environments.{name}.");
            environment
                .unknown
                .keys()
                .map(move |key| told(&place, key, &ENVIRONMENT_KEYS))
        });
    top.chain(inner).collect()
}

fn flag(value: Option<String>) -> Option<Setting<String>> {
    value.map(|value| Setting {
        value,
        origin: Origin::Flag,
    })
}

/// Ends a cascade: an unusable or absent value becomes the default.
trait OrDefault {
    fn filter_or_default(self, usable: impl Fn(&str) -> bool, default: &str) -> Setting<String>;
}

impl OrDefault for Option<Setting<String>> {
    fn filter_or_default(self, usable: impl Fn(&str) -> bool, default: &str) -> Setting<String> {
        self.filter(|found| usable(&found.value))
            .unwrap_or_else(|| Setting {
                value: default.to_owned(),
                origin: Origin::Default,
            })
    }
}

/// A path of a config file: `~` is the home directory, relative paths start at the file's directory.
fn resolve_path(path: &str, file: &Path, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => file.parent().unwrap_or(Path::new("")).join(path),
    }
}

#[cfg(test)]
mod tests;
