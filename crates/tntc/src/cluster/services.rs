//! The in-cluster Services that a contract names: a NetworkPolicy sees a pod's port, after service translation.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Service as Object, ServicePort, ServiceSpec};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::api::{Api, ListParams};
use tntc_core::contract::Endpoint;
use tntc_core::derive::network::services::{Backend, Service, ServiceRef, Services, needed};
use tntc_core::workflow::{Namespace, Port, Workflow};

use super::Cluster;

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
    let services: Api<Object> = Api::namespaced(cluster.client.clone(), namespace);
    let spec = services.get_opt(&service.name).await.ok()??.spec?;
    let slices: Api<EndpointSlice> = Api::namespaced(cluster.client.clone(), namespace);
    let of_service = ListParams::default().labels(&format!("{SERVICE_NAME}={}", service.name));
    let slices = if needs_slices(&spec) {
        slices.list(&of_service).await.ok()?.items
    } else {
        Vec::new()
    };
    Some(Service {
        backend: backend(&spec, &slices)?,
        ports: ports(&spec, &slices),
    })
}

/// Only a Service without selector and named target ports need them.
fn needs_slices(spec: &ServiceSpec) -> bool {
    let named = |port: &ServicePort| matches!(port.target_port, Some(IntOrString::String(_)));
    spec.selector.as_ref().is_none_or(BTreeMap::is_empty) || spec.ports.iter().flatten().any(named)
}

fn backend(spec: &ServiceSpec, slices: &[EndpointSlice]) -> Option<Backend> {
    if spec.type_.as_deref() == Some("ExternalName") {
        return spec
            .external_name
            .as_deref()?
            .parse()
            .ok()
            .map(Backend::Alias);
    }
    match &spec.selector {
        Some(labels) if !labels.is_empty() => Some(Backend::Pods(labels.clone())),
        _ => {
            let addresses = slices
                .iter()
                .flat_map(|slice| &slice.endpoints)
                .flat_map(|endpoint| &endpoint.addresses);
            Some(Backend::Addresses(
                addresses
                    .filter_map(|address| address.parse().ok())
                    .collect(),
            ))
        }
    }
}

fn ports(spec: &ServiceSpec, slices: &[EndpointSlice]) -> BTreeMap<Port, BTreeSet<Port>> {
    let headless = spec.cluster_ip.as_deref() == Some("None");
    let ports = spec.ports.iter().flatten();
    ports
        .filter_map(|port| Some((number(port.port)?, targets(port, headless, slices))))
        .collect()
}

fn targets(port: &ServicePort, headless: bool, slices: &[EndpointSlice]) -> BTreeSet<Port> {
    match &port.target_port {
        _ if headless => number(port.port).into_iter().collect(),
        Some(IntOrString::Int(target)) => number(*target).into_iter().collect(),
        Some(IntOrString::String(_)) => named(port, slices),
        None => number(port.port).into_iter().collect(),
    }
}

/// Slices call a port by the Service port's name.
fn named(port: &ServicePort, slices: &[EndpointSlice]) -> BTreeSet<Port> {
    let ports = slices.iter().flat_map(|slice| slice.ports.iter().flatten());
    let same = ports.filter(|found| {
        found.name.as_deref().unwrap_or_default() == port.name.as_deref().unwrap_or_default()
    });
    same.filter_map(|found| number(found.port?)).collect()
}

fn number(port: i32) -> Option<Port> {
    Port::new(u16::try_from(port).ok()?)
}
