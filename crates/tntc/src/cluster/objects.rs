//! Objects in a namespace, of whatever kind: reading them, and whose they are.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use kube::Resource;
use kube::api::{Api, ListParams};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tntc_core::manifests::labels;

use super::Cluster;
use super::client::errors;
use crate::outcome::Result;

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

/// Requests about one kind of object in a namespace.
pub fn api<K>(cluster: &Cluster, namespace: &str) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    Api::namespaced(cluster.client.clone(), namespace)
}

/// The same, in all namespaces where none is given.
pub fn api_in<K>(cluster: &Cluster, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    match namespace {
        Some(namespace) => api(cluster, namespace),
        None => Api::all(cluster.client.clone()),
    }
}

/// The object of this name, when there is one.
pub async fn get<K: Object>(cluster: &Cluster, namespace: &str, name: &str) -> Result<Option<K>> {
    let found = api::<K>(cluster, namespace).get_opt(name).await;
    found.map_err(|cause| errors::tell(&format!("reading {}/{name}", K::kind(&())), cause))
}

/// Every object of a kind that the selector takes.
pub async fn list<K: Object>(
    cluster: &Cluster,
    namespace: &str,
    selector: &ListParams,
) -> Result<Vec<K>> {
    let listed = api::<K>(cluster, namespace).list(selector).await;
    listed
        .map(|list| list.items)
        .map_err(|cause| errors::tell(&format!("listing {}", K::plural(&())), cause))
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
