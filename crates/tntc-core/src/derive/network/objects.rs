//! Rules as Kubernetes objects.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::rules::{Peer, Ports, Rules};
use super::{Listener, ROLE_LABEL, WORKFLOW_LABEL, listeners, reserved};
use crate::workflow::{Namespace, Port, Transport, TransportPort, Workflow};

/// Label that every namespace carries with its own name (Kubernetes, "Automatic labelling").
const NAMESPACE_LABEL: &str = "kubernetes.io/metadata.name";

/// Label that the engine's pod carries with the workflow's name.
const NAME_LABEL: &str = "app.kubernetes.io/name";

pub(super) fn spec(
    workflow: &Workflow,
    rules: &Rules,
    metrics: Option<&Namespace>,
) -> NetworkPolicySpec {
    let egress =
        std::iter::once(dns()).chain(rules.peers.iter().map(|(peer, ports)| egress(peer, ports)));
    NetworkPolicySpec {
        pod_selector: Some(selector([(NAME_LABEL, workflow.name.as_str())])),
        policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
        egress: Some(egress.collect()),
        ingress: Some(ingress(workflow, metrics)),
    }
}

pub(super) fn trigger_spec(workflow: &Workflow) -> NetworkPolicySpec {
    let engine = NetworkPolicyEgressRule {
        to: Some(vec![NetworkPolicyPeer {
            pod_selector: Some(selector([(NAME_LABEL, workflow.name.as_str())])),
            ..Default::default()
        }]),
        ports: Some(vec![listening(Listener::Run)]),
    };
    NetworkPolicySpec {
        pod_selector: Some(selector([
            (WORKFLOW_LABEL, workflow.name.as_str()),
            ROLE_LABEL,
        ])),
        policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
        egress: Some(vec![dns(), engine]),
        ingress: None,
    }
}

/// Names are resolved by the cluster's own DNS, and by nothing else.
fn dns() -> NetworkPolicyEgressRule {
    const DNS: Port = Port::known(53);
    let ports = [Transport::Tcp, Transport::Udp].map(|transport| TransportPort {
        port: DNS,
        transport,
    });
    let peer = NetworkPolicyPeer {
        namespace_selector: Some(selector([(NAMESPACE_LABEL, "kube-system")])),
        pod_selector: Some(selector([("k8s-app", "kube-dns")])),
        ip_block: None,
    };
    NetworkPolicyEgressRule {
        to: Some(vec![peer]),
        ports: Some(ports.map(policy_port).to_vec()),
    }
}

fn egress(peer: &Peer, ports: &Ports) -> NetworkPolicyEgressRule {
    let ports = match ports {
        Ports::All => None,
        Ports::Some(ports) => Some(ports.iter().copied().map(policy_port).collect()),
    };
    NetworkPolicyEgressRule {
        to: Some(peers(peer)),
        ports,
    }
}

fn peers(peer: &Peer) -> Vec<NetworkPolicyPeer> {
    match peer {
        Peer::Pods { namespace, labels } => vec![NetworkPolicyPeer {
            namespace_selector: namespace
                .as_ref()
                .map(|name| selector([(NAMESPACE_LABEL, name.as_str())])),
            pod_selector: pods(namespace.as_ref(), labels),
            ip_block: None,
        }],
        Peer::Block(cidr) => vec![block(&cidr.to_string(), &[])],
        Peer::Internet => {
            let ipv6: Vec<&str> = reserved::IPV6
                .iter()
                .copied()
                .chain([reserved::IPV6_MULTICAST])
                .collect();
            vec![block("0.0.0.0/0", &reserved::IPV4), block("::/0", &ipv6)]
        }
    }
}

/// With a namespace, no pod selector means all its pods; without one, an empty selector is what says so.
fn pods(namespace: Option<&Namespace>, labels: &BTreeMap<String, String>) -> Option<LabelSelector> {
    match namespace {
        Some(_) if labels.is_empty() => None,
        None if labels.is_empty() => Some(LabelSelector::default()),
        _ => Some(LabelSelector {
            match_labels: Some(labels.clone()),
            match_expressions: None,
        }),
    }
}

fn block(cidr: &str, except: &[&str]) -> NetworkPolicyPeer {
    let except =
        (!except.is_empty()).then(|| except.iter().map(|block| (*block).to_owned()).collect());
    NetworkPolicyPeer {
        ip_block: Some(IPBlock {
            cidr: cidr.to_owned(),
            except,
        }),
        ..Default::default()
    }
}

fn ingress(workflow: &Workflow, metrics: Option<&Namespace>) -> Vec<NetworkPolicyIngressRule> {
    let rules = listeners(workflow, metrics).into_iter();
    rules
        .map(|listener| NetworkPolicyIngressRule {
            from: callers(listener, metrics).map(|peer| vec![peer]),
            ports: Some(vec![listening(listener)]),
        })
        .collect()
}

/// Who may connect; nothing means everybody.
fn callers(listener: Listener, metrics: Option<&Namespace>) -> Option<NetworkPolicyPeer> {
    match listener {
        Listener::Run => Some(NetworkPolicyPeer {
            pod_selector: Some(selector([ROLE_LABEL])),
            ..Default::default()
        }),
        Listener::Webhooks => None,
        Listener::Metrics => metrics.map(|namespace| NetworkPolicyPeer {
            namespace_selector: Some(selector([(NAMESPACE_LABEL, namespace.as_str())])),
            ..Default::default()
        }),
    }
}

fn listening(listener: Listener) -> NetworkPolicyPort {
    policy_port(TransportPort::tcp(listener.port()))
}

fn policy_port(port: TransportPort) -> NetworkPolicyPort {
    NetworkPolicyPort {
        port: Some(IntOrString::Int(i32::from(port.port.get()))),
        protocol: Some(port.transport.to_string()),
        end_port: None,
    }
}

fn selector<const N: usize>(labels: [(&str, &str); N]) -> LabelSelector {
    let labels = labels.map(|(label, value)| (label.to_owned(), value.to_owned()));
    LabelSelector {
        match_labels: Some(BTreeMap::from(labels)),
        match_expressions: None,
    }
}
