//! What an unchanged deploy leaves alone, and what restarts.

use crate::support::{Namespace, deploy, deployed, deploying, example};

#[test]
fn an_unchanged_deploy_changes_nothing_on_the_server() {
    let workflow = example("word-counter");
    let namespace = deployed(&workflow, "same");
    let before = versions(&namespace);
    deploy(&workflow, &namespace).exits(0).answers("unchanged");
    assert_eq!(versions(&namespace), before);
}

/// Generation of the Deployment and resource version of everything else; a Deployment's own changes with its status.
fn versions(namespace: &Namespace) -> Vec<String> {
    let kinds = [
        "configmap/word-counter-code",
        "service/word-counter",
        "networkpolicy/word-counter-netpol",
        "networkpolicy/word-counter-trigger-netpol",
    ];
    let mut versions: Vec<_> = kinds
        .iter()
        .map(|object| {
            namespace.kubectl(["get", object, "-o", "jsonpath={.metadata.resourceVersion}"])
        })
        .collect();
    versions.push(namespace.kubectl([
        "get",
        "deployment/word-counter",
        "-o",
        "jsonpath={.metadata.generation}",
    ]));
    versions
}

#[test]
fn restart_replaces_the_pods_of_an_unchanged_workflow() {
    let workflow = example("word-counter");
    let namespace = deployed(&workflow, "restart");
    let before = versions(&namespace);
    deploying(&workflow, &namespace, &["--wait", "--restart"])
        .run()
        .exits(0)
        .answers("applied Deployment/word-counter");
    let restarted = versions(&namespace);
    assert_ne!(restarted, before);
    deploy(&workflow, &namespace).exits(0).answers("unchanged");
    assert_eq!(versions(&namespace), restarted);
}
