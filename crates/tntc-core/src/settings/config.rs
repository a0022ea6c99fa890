//! `config.yaml` as it is read; the documentation of these fields is what editors show.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::suggest::Suggester;
use crate::values::ImageReference;

const CONFIG_KEYS: [&str; 7] = [
    "registry",
    "base_image",
    "namespace",
    "runtime_class",
    "trigger_image",
    "environments",
    "trusted_directories",
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
    pub trigger_image: Option<NamedImage>,
    /// Image that `build` puts the engine on, such as a mirror's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_image: Option<NamedImage>,
    /// Named environments.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environments: BTreeMap<String, Environment>,
    /// Directories whose `.npmrc`, imports from private networks and images are used, with everything below them; only in
    /// the user's own file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_directories: Vec<String>,
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
    /// Kubeconfig file, only in the user's own config file; relative to that file, `~` is the home directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<String>,
    /// Namespace to deploy to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Engine image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<NamedImage>,
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

/// The image that a config file names; the empty text is the default, whatever the layers below name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct NamedImage(pub Option<ImageReference>);

impl TryFrom<String> for NamedImage {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let named = (!text.is_empty()).then(|| text.try_into());
        named.transpose().map(Self)
    }
}

impl From<NamedImage> for String {
    fn from(NamedImage(image): NamedImage) -> Self {
        image.map(|image| image.to_string()).unwrap_or_default()
    }
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
