//! Deploying a workflow and running it, as most tests begin.

use serde_json::Value;

use super::{Answer, Namespace, Tntc, Workflow, engine_image, tntc};

/// `tntc deploy` with the engine image of the tests and these flags.
pub fn deploying(workflow: &Workflow, namespace: &Namespace, flags: &[&str]) -> Tntc {
    let arguments = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
    ];
    tntc(arguments.into_iter().chain(flags.iter().copied()))
}

/// Deploys and waits for the rollout.
pub fn deploy(workflow: &Workflow, namespace: &Namespace) -> Answer {
    deploying(workflow, namespace, &["--wait"]).run()
}

/// Deploys to a new namespace and waits for the rollout.
#[track_caller]
pub fn deployed(workflow: &Workflow, stem: &str) -> Namespace {
    let namespace = Namespace::new(stem);
    deploy(workflow, &namespace).exits(0);
    namespace
}

/// Runs a deployed workflow once; its result.
#[track_caller]
pub fn run(name: &str, namespace: &Namespace, input: &Value) -> Value {
    let input = input.to_string();
    tntc(["run", name, "-n", &namespace.name, "--input", "-"])
        .stdin(&input)
        .run()
        .exits(0)
        .json()
}

/// Names of the phases that an answer tells of, in their order.
#[track_caller]
pub fn phases(answer: &Value) -> Vec<&str> {
    let phases = answer["phases"].as_array().expect("phases");
    phases
        .iter()
        .filter_map(|phase| phase["name"].as_str())
        .collect()
}
