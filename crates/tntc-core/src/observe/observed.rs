//! What was seen of the objects of a rollout or of a pod.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Event, Pod};

/// The objects that tell how a rollout or a pod is doing, by name.
#[derive(Debug, Default)]
pub struct Observed {
    /// At most the one Deployment.
    pub deployments: BTreeMap<String, Deployment>,
    /// Its `ReplicaSet`s.
    pub replica_sets: BTreeMap<String, ReplicaSet>,
    /// Its pods.
    pub pods: BTreeMap<String, Pod>,
    /// Warnings of the namespace, or everything about the one pod.
    pub events: BTreeMap<String, Event>,
    /// What the user may not look at, in the API server's words.
    pub refused: Vec<String>,
}
