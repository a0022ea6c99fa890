//! Expected against actual: a plan beside what the cluster has, object by object.
//!
//! What the server fills in by itself is no difference, nor is the order of what has none. Everything else is: a value
//! that is missing, one that is other than planned, and one that was added.

mod compare;
mod diff;
mod pods;
mod remedy;
mod rules;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

pub use compare::compare;
pub use pods::pods;
pub use remedy::{Remedy, remedy};
pub use rules::lets_in;

/// What the cluster has.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// `<name>-secrets`
    pub secret: Option<Secret>,
    /// `<name>-code`
    pub config_map: Option<ConfigMap>,
    /// Every NetworkPolicy of the namespace: policies add up, so somebody else's may open what ours closes.
    pub network_policies: Vec<NetworkPolicy>,
    /// `<name>`
    pub service: Option<Service>,
    /// `<name>`
    pub deployment: Option<Deployment>,
    /// Those that are labelled as the workflow's, and those with the name of a planned one.
    pub cron_jobs: Vec<CronJob>,
}

/// How one thing differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Planned, but not there.
    Missing,
    /// There, but other than planned.
    Changed,
    /// There, but not planned.
    Extra,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Finding {
    /// How it differs.
    pub kind: Kind,
    /// Where in the object; empty for the object itself.
    pub path: String,
    /// What is planned.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub expected: Value,
    /// What is there.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub actual: Value,
}

impl Finding {
    fn new(kind: Kind, path: impl Into<String>, expected: Value, actual: Value) -> Self {
        Self {
            kind,
            path: path.into(),
            expected,
            actual,
        }
    }

    fn missing(path: impl Into<String>, expected: Value) -> Self {
        Self::new(Kind::Missing, path, expected, Value::Null)
    }

    fn extra(path: impl Into<String>, actual: Value) -> Self {
        Self::new(Kind::Extra, path, Value::Null, actual)
    }
}

/// One object that was compared.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Compared {
    /// `Kind/name`.
    pub object: String,
    /// Whether nothing differs.
    pub matches: bool,
    /// Everything that differs, in the order of the object.
    pub findings: Vec<Finding>,
}

impl Compared {
    fn new(object: String, findings: Vec<Finding>) -> Self {
        Self {
            object,
            matches: findings.is_empty(),
            findings,
        }
    }
}

fn name(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests;
