//! What stands behind a Service: a NetworkPolicy sees a pod's port, after service translation.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{ServicePort, ServiceSpec};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::derive::network::services::{Backend, Service};
use crate::values::Port;

/// Only a Service without selector and named target ports need them.
#[must_use]
pub fn needs_slices(spec: &ServiceSpec) -> bool {
    let named = |port: &ServicePort| matches!(port.target_port, Some(IntOrString::String(_)));
    spec.selector.as_ref().is_none_or(BTreeMap::is_empty) || spec.ports.iter().flatten().any(named)
}

/// What a Service leads to; nothing where it names no host that can be understood.
#[must_use]
pub fn service(spec: &ServiceSpec, slices: &[EndpointSlice]) -> Option<Service> {
    Some(Service {
        backend: backend(spec, slices)?,
        ports: ports(spec, slices),
    })
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
