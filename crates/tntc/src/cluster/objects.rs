//! Objects of workflows in a namespace, of whatever kind.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tntc_core::manifests::labels;

/// Kinds that live in a namespace and can be sent by server-side apply.
pub trait Object:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()>
    + Clone
    + Debug
    + Serialize
    + DeserializeOwned
{
}
impl<K> Object for K where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + Serialize
        + DeserializeOwned
{
}

/// Whether the object carries our mark.
pub fn is_ours<K: Resource>(object: &K) -> bool {
    let labels = object.meta().labels.as_ref();
    labels
        .and_then(|labels| labels.get(labels::MANAGED_BY))
        .is_some_and(|manager| manager == labels::MANAGER)
}

/// The label selector of everything that belongs to the workflow.
pub fn ours(workflow: &str) -> String {
    format!(
        "{}={workflow},{}={}",
        labels::NAME,
        labels::MANAGED_BY,
        labels::MANAGER
    )
}

/// `Kind/name`.
pub fn describe<K: Object>(object: &K) -> String {
    format!("{}/{}", K::kind(&()), object.name_any())
}
