//! The in-cluster Services that a contract names: a NetworkPolicy sees a pod's port, after service translation.

use k8s_openapi::api::core::v1::Service as Object;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, ListParams};
use tntc_core::contract::Endpoint;
use tntc_core::derive::network::services::{Service, ServiceRef, Services, needed};
use tntc_core::observe::services;
use tntc_core::workflow::{Namespace, Workflow};

use super::{Cluster, objects};

/// Label by which an EndpointSlice names its Service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Reads the Services that the workflow needs, all at once; what cannot be read is left out, and the derivation warns.
pub async fn read(
    cluster: &Cluster,
    namespace: &Namespace,
    workflow: &Workflow,
    extra: &[Endpoint],
) -> Services {
    let wanted = needed(workflow, extra);
    let reads = wanted.into_iter().map(|service| async {
        let found = one(cluster, namespace, &service).await;
        found.map(|found| (service, found))
    });
    Services(
        futures::future::join_all(reads)
            .await
            .into_iter()
            .flatten()
            .collect(),
    )
}

async fn one(cluster: &Cluster, own: &Namespace, service: &ServiceRef) -> Option<Service> {
    let namespace = service.namespace.as_ref().unwrap_or(own).as_str();
    let objects: Api<Object> = objects::api(cluster, namespace);
    let spec = objects.get_opt(&service.name).await.ok()??.spec?;
    let slices: Api<EndpointSlice> = objects::api(cluster, namespace);
    let of_service = ListParams::default().labels(&format!("{SERVICE_NAME}={}", service.name));
    let slices = if services::needs_slices(&spec) {
        slices.list(&of_service).await.ok()?.items
    } else {
        Vec::new()
    };
    services::service(&spec, &slices)
}
