//! The live test before a deploy, and the check after it.

use std::process::Stdio;

use serde_json::{Value, json};

use super::revision;
use crate::support::{
    Namespace, Tntc, Workflow, deploying, engine_image, in_a_row, interrupt, phases, runs,
    trigger_pods, wait_for,
};

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
        .says("live test: preflight: pass")
        .says("\npreflight: pass")
        .says("live test: pass");
    assert_eq!(development.list("deployments").len(), 1);
    assert_eq!(
        development.get("deployment", "gated")["metadata"]["generation"],
        before
    );
    assert_eq!(production.list("deployments").len(), 1);
}

/// An attach that comes too early, or is lost on the way, fails neither a gate nor a verification.
#[test]
fn gated_and_verified_deploys_in_a_row_two_at_a_time_all_pass() {
    let (workflow, production, development) = gated("return 1;");
    in_a_row(runs(4), 2, |_| {
        let answer = deploying(&workflow, &production, &["--verify", "-o", "json"]).run();
        let answer = answer.exits(0).json();
        assert_eq!(answer["execution"]["outputs"]["only"], 1);
    });
    assert_eq!(made(&development), Vec::<Value>::new());
    for namespace in [&production, &development] {
        assert_eq!(trigger_pods(namespace), Vec::<Value>::new());
    }
}

fn made(namespace: &Namespace) -> Vec<Value> {
    namespace.list("deployments,services,networkpolicies")
}

/// Presses Ctrl-C as soon as a trigger pod runs in the namespace; the exit status, and what was said.
fn interrupted(deploy: Tntc, running_in: &Namespace) -> (Option<i32>, String) {
    let mut command = deploy.command();
    let child = command.stderr(Stdio::piped()).spawn();
    let child = child.expect("tntc starts");
    wait_for("a run", || {
        let pods = trigger_pods(running_in);
        let runs = |pod: &Value| pod["status"]["phase"] == "Running";
        pods.iter().any(runs).then_some(())
    });
    interrupt(child.id());
    let output = child.wait_with_output().expect("tntc ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

const ENDLESS: &str = "await new Promise((done) => setTimeout(done, 600_000));";

#[test]
fn ctrl_c_in_the_live_test_of_a_deploy_applies_nothing_and_leaves_nothing() {
    let (workflow, production, development) = gated(ENDLESS);
    let deploy = deploying(&workflow, &production, &[]);
    let (status, said) = interrupted(deploy, &development);
    assert_eq!(status, Some(130), "{said}");
    assert!(
        said.contains("interrupted during the live test; nothing was applied"),
        "{said}"
    );
    assert!(!said.contains("--force"), "{said}");
    assert_eq!(made(&production), Vec::<Value>::new());
    assert_eq!(made(&development), Vec::<Value>::new());
    assert_eq!(trigger_pods(&development), Vec::<Value>::new());
}

#[test]
fn ctrl_c_in_the_verification_of_a_deploy_leaves_no_trigger_pod() {
    let workflow = Workflow::of_one_node("endless", ENDLESS);
    let namespace = Namespace::new("verifying");
    let deploy = deploying(&workflow, &namespace, &["--verify"]);
    let (status, said) = interrupted(deploy, &namespace);
    assert_eq!(status, Some(130), "{said}");
    assert!(
        said.contains("interrupted; the run may go on in the engine"),
        "{said}"
    );
    assert!(said.contains("tntc status endless -n "), "{said}");
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}
