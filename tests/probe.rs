//! `tntc cluster check --probe`: are network policies enforced?

use crate::support::{Answer, Namespace, StandIn, tntc};

fn probe(namespace: &Namespace, more: &[&str]) -> Answer {
    let arguments = ["cluster", "check", "--probe", "-n", &namespace.name];
    tntc(arguments.into_iter().chain(more.iter().copied())).run()
}

#[track_caller]
fn nothing_is_left(namespace: &Namespace) {
    let left = namespace.kubectl(["get", "pods,networkpolicies", "-o", "name"]);
    assert!(!left.contains("probe"), "{left}");
}

#[test]
fn where_they_are_enforced_that_is_proven_and_nothing_is_left() {
    let namespace = Namespace::new("probe");
    probe(&namespace, &[])
        .exits(0)
        .answers("  ✓ Network policies are enforced\n");
    nothing_is_left(&namespace);
}

/// A cluster without an enforcing network plugin takes policies, and nothing follows from them.
#[test]
fn where_they_are_not_enforced_the_check_fails() {
    let namespace = Namespace::new("unenforced");
    let heedless = StandIn::start(|request, body| {
        let policy = request.starts_with("POST") && request.contains("/networkpolicies");
        policy.then(|| ("201 Created", body.to_owned()))
    });
    let kubeconfig = heedless.kubeconfig();
    let path = kubeconfig.path().display().to_string();
    probe(&namespace, &["--kubeconfig", &path])
        .exits(3)
        .answers("  ✗ Network policies are not enforced: a port that a policy closes stayed open\n")
        .answers("✗ Cluster is not ready for deployment");
    nothing_is_left(&namespace);
}

#[test]
fn a_policy_that_opens_what_the_probe_closes_proves_nothing() {
    let namespace = Namespace::new("opened");
    let open = serde_json::json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "all-in"}, "spec": {"podSelector": {}, "ingress": [{}]}});
    namespace.create(&open);
    probe(&namespace, &[]).exits(0).answers(
        "  ? Whether network policies are enforced could not be proven: NetworkPolicy/all-in opens",
    );
    nothing_is_left(&namespace);
}
