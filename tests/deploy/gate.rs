//! The live test before a deploy, and the check after it.

use serde_json::{Value, json};

use super::revision;
use crate::support::{Namespace, Workflow, deploying, engine_image, phases};

#[test]
fn a_verified_deploy_carries_the_result_of_its_own_revision() {
    let namespace = Namespace::new("verify");
    let workflow = Workflow::of_one_node("checked", "return 1;");
    let verified = || deploying(&workflow, &namespace, &["--verify", "-o", "json"]).run();
    let answer = verified().exits(0).json();
    assert_eq!(answer["execution"]["outputs"]["only"], 1);
    assert_eq!(
        answer["execution"]["revision"],
        revision(&namespace, "checked")
    );
    assert_eq!(
        phases(&answer),
        ["prepare", "preflight", "apply", "rollout", "verify"]
    );
    workflow.replace(
        "nodes/only.ts",
        "return 1;",
        "throw new Error(\"made to fail\");",
    );
    let answer = verified().exits(1).json();
    assert_eq!(answer["execution"]["success"], false);
    let summary = answer["summary"].as_str().unwrap_or_default();
    assert!(
        summary.starts_with("verification: workflow returned success=false"),
        "{summary}"
    );
}

/// A workflow with a `dev` environment, and production's and development's namespaces.
fn gated(body: &str) -> (Workflow, Namespace, Namespace) {
    let (production, development) = (Namespace::new("prod"), Namespace::new("dev"));
    let workflow = Workflow::of_one_node("gated", body);
    let config = format!(
        "environments: {{dev: {{namespace: {}, image: {}}}}}\n",
        development.name,
        engine_image()
    );
    workflow.write(".tentacular/config.yaml", &config);
    (workflow, production, development)
}

#[test]
fn a_failing_live_test_keeps_a_deploy_from_production_and_cleans_up() {
    let (workflow, production, development) = gated("throw new Error(\"made to fail\");");
    let answer = deploying(&workflow, &production, &["-o", "json"])
        .run()
        .exits(1)
        .json();
    let summary = answer["summary"].as_str().unwrap_or_default();
    assert!(summary.starts_with("deploy failed: pre-deploy live test failed (use --force to skip): workflow returned success=false"), "{summary}");
    assert_eq!(
        answer["execution"]["errors"],
        json!(["node only threw: made to fail"])
    );
    let hints = answer["hints"].to_string();
    for hint in [
        "--force",
        "tntc test ",
        " --live --env dev --keep",
        "tntc logs gated --env dev",
    ] {
        assert!(hints.contains(hint), "{hint} is not in {hints}");
    }
    for foreign in ["--keep leaves", "kept as", "with -n"] {
        assert!(!hints.contains(foreign), "{foreign} is in {hints}");
    }
    assert_eq!(production.list("deployments"), Vec::<Value>::new());
    assert_eq!(
        development
            .list("deployments,services,configmaps,networkpolicies")
            .len(),
        1,
        "kube-root-ca.crt alone is left"
    );
    deploying(&workflow, &production, &["--force"])
        .run()
        .exits(0);
}

#[test]
fn a_passing_live_test_leaves_a_deployment_of_that_name_alone() {
    let (workflow, production, development) = gated("return 1;");
    deploying(&workflow, &development, &["--force", "--wait"])
        .run()
        .exits(0);
    let before = development.get("deployment", "gated")["metadata"]["generation"].clone();
    deploying(&workflow, &production, &[])
        .run()
        .exits(0)
        .says("live test: pass");
    assert_eq!(development.list("deployments").len(), 1);
    assert_eq!(
        development.get("deployment", "gated")["metadata"]["generation"],
        before
    );
    assert_eq!(production.list("deployments").len(), 1);
}
