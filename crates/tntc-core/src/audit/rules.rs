//! Network policies as what they let through: each peer on each port is one permission, however they are grouped.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::json;

use super::{Finding, Kind};

/// The permissions that only one of two policies gives, and whom they apply to.
pub(super) fn compare(expected: &NetworkPolicy, actual: &NetworkPolicy) -> Vec<Finding> {
    let spec = |policy: &NetworkPolicy| policy.spec.clone().unwrap_or_default();
    let (expected, actual) = (spec(expected), spec(actual));
    let mut findings = Vec::new();
    let selected = |spec: &NetworkPolicySpec| selector(spec.pod_selector.as_ref());
    if selected(&expected) != selected(&actual) {
        findings.push(Finding::new(
            Kind::Changed,
            "spec.podSelector",
            json!(selected(&expected)),
            json!(selected(&actual)),
        ));
    }
    findings.extend(sets(
        "spec.policyTypes",
        &directions(&expected),
        &directions(&actual),
    ));
    findings.extend(sets("spec.egress", &egress(&expected), &egress(&actual)));
    findings.extend(sets("spec.ingress", &ingress(&expected), &ingress(&actual)));
    findings
}

/// Whether this policy applies to pods with these labels and lets something through.
pub(super) fn opens(policy: &NetworkPolicy, labels: &BTreeMap<String, String>) -> bool {
    let Some(spec) = &policy.spec else {
        return false;
    };
    selects(spec, labels) && !(egress(spec).is_empty() && ingress(spec).is_empty())
}

/// Whether this policy lets anybody in to pods with these labels. Policies add up: no other one can close that again.
#[must_use]
pub fn lets_in(policy: &NetworkPolicy, labels: &BTreeMap<String, String>) -> bool {
    let spec = policy.spec.as_ref();
    spec.is_some_and(|spec| selects(spec, labels) && !ingress(spec).is_empty())
}

fn selects(spec: &NetworkPolicySpec, labels: &BTreeMap<String, String>) -> bool {
    let selector = spec.pod_selector.as_ref();
    selector.is_none_or(|selector| matches(selector, labels))
}

fn sets(path: &str, expected: &BTreeSet<String>, actual: &BTreeSet<String>) -> Vec<Finding> {
    let missing = expected
        .difference(actual)
        .map(|item| Finding::missing(path, json!(item)));
    let extra = actual
        .difference(expected)
        .map(|item| Finding::extra(path, json!(item)));
    missing.chain(extra).collect()
}

/// Without `policyTypes`, a policy is about ingress, and about egress when it has egress rules.
fn directions(spec: &NetworkPolicySpec) -> BTreeSet<String> {
    match &spec.policy_types {
        Some(types) if !types.is_empty() => types.iter().cloned().collect(),
        _ if spec.egress.as_ref().is_some_and(|rules| !rules.is_empty()) => {
            BTreeSet::from(["Ingress".to_owned(), "Egress".to_owned()])
        }
        _ => BTreeSet::from(["Ingress".to_owned()]),
    }
}

fn egress(spec: &NetworkPolicySpec) -> BTreeSet<String> {
    let rules = spec.egress.iter().flatten();
    rules
        .flat_map(|rule| permissions("to", rule.to.as_deref(), rule.ports.as_deref()))
        .collect()
}

fn ingress(spec: &NetworkPolicySpec) -> BTreeSet<String> {
    let rules = spec.ingress.iter().flatten();
    rules
        .flat_map(|rule| permissions("from", rule.from.as_deref(), rule.ports.as_deref()))
        .collect()
}

/// An empty list of peers means everybody, an empty list of ports all of them.
fn permissions(
    way: &str,
    peers: Option<&[NetworkPolicyPeer]>,
    ports: Option<&[NetworkPolicyPort]>,
) -> Vec<String> {
    let peers: Vec<_> = match peers {
        Some(peers) if !peers.is_empty() => peers.iter().map(peer).collect(),
        _ => vec!["anybody".to_owned()],
    };
    let ports: Vec<_> = match ports {
        Some(ports) if !ports.is_empty() => ports.iter().map(port).collect(),
        _ => vec!["every port".to_owned()],
    };
    let each = |peer: &String| {
        ports
            .iter()
            .map(|port| format!("{way} {peer} on {port}"))
            .collect::<Vec<_>>()
    };
    peers.iter().flat_map(each).collect()
}

fn peer(peer: &NetworkPolicyPeer) -> String {
    if let Some(block) = &peer.ip_block {
        let mut except = block.except.clone().unwrap_or_default();
        except.sort();
        return if except.is_empty() {
            block.cidr.clone()
        } else {
            format!("{} except {}", block.cidr, except.join(" "))
        };
    }
    match (&peer.namespace_selector, &peer.pod_selector) {
        (None, pods) => format!("pods {}", selector(pods.as_ref())),
        (namespaces, None) => format!("every pod of namespaces {}", selector(namespaces.as_ref())),
        (namespaces, pods) => format!(
            "pods {} of namespaces {}",
            selector(pods.as_ref()),
            selector(namespaces.as_ref())
        ),
    }
}

fn port(port: &NetworkPolicyPort) -> String {
    let protocol = port.protocol.as_deref().unwrap_or("TCP");
    let number = match &port.port {
        Some(IntOrString::Int(number)) => number.to_string(),
        Some(IntOrString::String(name)) => name.clone(),
        None => "every port".to_owned(),
    };
    let end = port
        .end_port
        .map(|end| format!("-{end}"))
        .unwrap_or_default();
    format!("{number}{end}/{protocol}")
}

/// Labels and expressions in one order; an empty selector selects everything.
fn selector(selector: Option<&LabelSelector>) -> String {
    let labels = selector
        .and_then(|selector| selector.match_labels.as_ref())
        .into_iter()
        .flatten();
    let mut parts: Vec<_> = labels
        .map(|(label, value)| format!("{label}={value}"))
        .collect();
    let expressions = selector
        .and_then(|selector| selector.match_expressions.as_ref())
        .into_iter()
        .flatten();
    parts.extend(expressions.map(|expression| {
        let mut values = expression.values.clone().unwrap_or_default();
        values.sort();
        format!(
            "{} {} ({})",
            expression.key,
            expression.operator,
            values.join(" ")
        )
    }));
    parts.sort();
    if parts.is_empty() {
        "(all)".to_owned()
    } else {
        parts.join(",")
    }
}

/// Whether a selector selects these labels (Kubernetes: `LabelSelectorRequirement`).
fn matches(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let wanted = selector.match_labels.iter().flatten();
    let by_label = wanted
        .clone()
        .all(|(label, value)| labels.get(label) == Some(value));
    let mut expressions = selector.match_expressions.iter().flatten();
    by_label
        && expressions.all(|expression| {
            let value = labels.get(&expression.key);
            let listed = value.is_some_and(|value| {
                expression
                    .values
                    .iter()
                    .flatten()
                    .any(|listed| listed == value)
            });
            match expression.operator.as_str() {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => value.is_some(),
                _ => value.is_none(),
            }
        })
}
