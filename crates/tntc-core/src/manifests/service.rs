//! The ClusterIP Service in front of the engine pods.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Inputs, PORT, deployment, labels, metadata};

pub(super) fn build(inputs: &Inputs) -> Service {
    let ports = deployment::listeners(inputs).map(|listener| {
        let port = i32::from(listener.port().get());
        ServicePort {
            name: Some(listener.name().to_owned()),
            port,
            target_port: Some(IntOrString::Int(port)),
            protocol: Some("TCP".to_owned()),
            ..ServicePort::default()
        }
    });
    Service {
        metadata: metadata(inputs, inputs.workflow.name.to_string()),
        spec: Some(ServiceSpec {
            type_: Some("ClusterIP".to_owned()),
            selector: Some(labels::selector(inputs.workflow)),
            ports: Some(ports.collect()),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

/// URL of the workflow's run endpoint, as pods of the cluster reach it.
#[must_use]
pub fn run_url(workflow: &str, namespace: &str) -> String {
    format!("http://{workflow}.{namespace}.svc.cluster.local:{PORT}/run")
}
