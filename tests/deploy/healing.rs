//! Deploys that met, or were stopped half-way.

use serde_json::json;

use super::revision;
use crate::support::{Namespace, Workflow, deploy, deployed, deploying, run, tntc};

#[test]
fn a_deploy_heals_pods_that_may_have_started_with_other_code() {
    let workflow = Workflow::of_one_node("torn", "return 1;");
    let namespace = deployed(&workflow, "torn");
    // What a deploy of other code leaves when it is stopped between the two objects.
    let other = Workflow::of_one_node("torn", "return 2;");
    let dry_run = [
        "deploy",
        other.path(),
        "-n",
        &namespace.name,
        "--dry-run",
        "-o",
        "json",
    ];
    let manifests = tntc(dry_run).run().exits(0).json()["manifests"].clone();
    let config_map = manifests
        .as_array()
        .and_then(|all| all.iter().find(|object| object["kind"] == "ConfigMap"));
    other.write(
        "configmap.json",
        &config_map.expect("a ConfigMap").to_string(),
    );
    let file = format!("{}/configmap.json", other.path());
    namespace.kubectl([
        "apply",
        "--server-side",
        "--field-manager=tntc",
        "-f",
        &file,
    ]);
    deploy(&workflow, &namespace)
        .exits(0)
        .answers("applied Deployment/torn");
    deploy(&workflow, &namespace).exits(0).answers("unchanged");
    assert_eq!(run("torn", &namespace, &json!({}))["outputs"]["only"], 1);
}

#[test]
fn undeploy_then_deploy_at_once_works() {
    let workflow = Workflow::of_one_node("phoenix", "return 1;");
    let namespace = deployed(&workflow, "again");
    namespace.kubectl([
        "delete",
        "deployment",
        "phoenix",
        "--wait=false",
        "--cascade=foreground",
    ]);
    deploy(&workflow, &namespace).exits(0);
    assert_eq!(run("phoenix", &namespace, &json!({}))["outputs"]["only"], 1);
}

#[test]
fn two_deploys_at_once_end_in_one_consistent_state() {
    let namespace = Namespace::new("race");
    let (one, two) = (
        Workflow::of_one_node("racer", "return 1;"),
        Workflow::of_one_node("racer", "return 2;"),
    );
    std::thread::scope(|scope| {
        for workflow in [&one, &two] {
            scope.spawn(|| deploying(workflow, &namespace, &[]).run());
        }
    });
    // Whoever came last, a deploy afterwards finds nothing broken.
    deploy(&two, &namespace).exits(0);
    let answer = (0..50)
        .map(|_| run("racer", &namespace, &json!({})))
        .find(|answer| answer["revision"] == revision(&namespace, "racer"));
    assert_eq!(
        answer.expect("an answer of the new revision")["outputs"]["only"],
        2
    );
}
