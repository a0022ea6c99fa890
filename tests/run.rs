//! `tntc run`: on a real cluster, and locally.

use serde_json::{Value, json};

use crate::support::{Namespace, Workflow, engine_image, example, tntc};

fn deployed(workflow: &Workflow, stem: &str) -> Namespace {
    let namespace = Namespace::new(stem);
    tntc([
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
        "--wait",
    ])
    .run()
    .exits(0);
    namespace
}

fn trigger_pods(namespace: &Namespace) -> Vec<Value> {
    let pods = namespace.list("pods");
    pods.into_iter()
        .filter(|pod| pod["metadata"]["labels"]["tentacular.dev/role"] == "trigger")
        .collect()
}

#[test]
fn the_result_is_on_stdout_and_nothing_else_is() {
    let workflow =
        Workflow::of_one_node("echo", "ctx.log.info(\"a line of the log\"); return input;");
    let namespace = deployed(&workflow, "echo");
    let answer = tntc([
        "run",
        "echo",
        "-n",
        &namespace.name,
        "--input",
        r#"{"n": 1}"#,
    ])
    .run()
    .exits(0);
    assert_eq!(answer.json()["outputs"], json!({"only": {"n": 1}}));
    assert_eq!(answer.stdout.lines().count(), 1);
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}

#[test]
fn a_failing_workflow_gives_its_result_and_fails_and_runs_once() {
    let workflow = Workflow::of_one_node(
        "failing",
        "ctx.log.info(\"started\"); throw new Error(\"made to fail\");",
    );
    let namespace = deployed(&workflow, "failing");
    let answer = tntc(["run", "failing", "-n", &namespace.name])
        .run()
        .exits(1);
    assert_eq!(
        answer.json()["errors"],
        json!(["node only threw: made to fail"])
    );
    let log = tntc(["logs", "failing", "-n", &namespace.name])
        .run()
        .exits(0)
        .stdout;
    assert_eq!(log.matches("INFO started").count(), 1, "{log}");
}

#[test]
fn a_run_that_outlives_its_timeout_is_told_and_its_pod_is_removed() {
    let workflow = Workflow::of_one_node(
        "slow",
        "await new Promise((done) => setTimeout(done, 20_000)); return input;",
    );
    let namespace = deployed(&workflow, "slow");
    tntc(["run", "slow", "-n", &namespace.name, "--timeout", "3s"])
        .run()
        .exits(1)
        .says("no answer from slow within 3s");
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}

#[test]
fn an_interrupted_run_leaves_no_pod() {
    let workflow = Workflow::of_one_node(
        "slow",
        "await new Promise((done) => setTimeout(done, 20_000)); return input;",
    );
    let namespace = deployed(&workflow, "interrupt");
    let mut child = tntc(["run", "slow", "-n", &namespace.name])
        .command()
        .spawn()
        .expect("tntc starts");
    let created = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        !trigger_pods(&namespace).is_empty()
    });
    assert!(created, "no trigger pod came up");
    crate::support::interrupt(child.id());
    let status = child.wait().expect("tntc ends");
    assert_eq!(status.code(), Some(1));
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}

#[test]
fn a_workflow_that_does_not_exist_is_told() {
    let namespace = Namespace::new("absent");
    tntc(["run", "absent", "-n", &namespace.name])
        .run()
        .exits(1)
        .says(&format!(
            "no workflow `absent` in namespace {}",
            namespace.name
        ));
}

#[test]
fn the_envelope_carries_the_result() {
    let workflow = Workflow::of_one_node("echo", "return input;");
    let namespace = deployed(&workflow, "envelope");
    let answer = tntc([
        "run",
        "echo",
        "-n",
        &namespace.name,
        "-o",
        "json",
        "--input",
        "[1]",
    ])
    .run()
    .exits(0)
    .json();
    assert_eq!(answer["command"], "run");
    assert_eq!(answer["status"], "pass");
    assert_eq!(answer["execution"]["outputs"], json!({"only": [1]}));
}

#[test]
fn a_result_of_several_megabytes_arrives_whole() {
    let workflow = Workflow::of_one_node("large", "return \"x\".repeat(12_000_000);");
    let namespace = deployed(&workflow, "large");
    let answer = tntc(["run", "large", "-n", &namespace.name])
        .run()
        .exits(0)
        .json();
    assert_eq!(
        answer["outputs"]["only"].as_str().map(str::len),
        Some(12_000_000)
    );
}

#[test]
fn input_of_several_megabytes_arrives_whole() {
    let workflow = Workflow::of_one_node("reader", "return (input as string).length;");
    let namespace = deployed(&workflow, "input");
    let input = json!("x".repeat(4_000_000)).to_string();
    let answer = tntc(["run", "reader", "-n", &namespace.name, "--input", "-"])
        .stdin(&input)
        .run()
        .exits(0)
        .json();
    assert_eq!(answer["outputs"]["only"], 4_000_000);
}

#[test]
fn a_local_run_needs_no_cluster() {
    let workflow = example("word-counter");
    let answer = tntc([
        "run",
        "--local",
        workflow.path(),
        "--input",
        r#"{"text": "one two two"}"#,
    ])
    .env("KUBECONFIG", "/nonexistent")
    .run()
    .exits(0);
    assert_eq!(answer.json()["outputs"]["report"]["words"], 3);
}

#[test]
fn a_local_run_that_fails_exits_with_one() {
    let workflow = Workflow::of_one_node("failing", "throw new Error(\"made to fail\");");
    let answer = tntc(["run", "--local", workflow.path()]).run().exits(1);
    assert_eq!(
        answer.json()["errors"],
        json!(["node only threw: made to fail"])
    );
}

#[test]
fn a_local_run_is_sealed_like_the_pod() {
    let workflow = Workflow::of_one_node(
        "escape",
        "return await (await fetch(\"http://127.0.0.1:18999/\")).text();",
    );
    let answer = tntc(["run", "--local", workflow.path()]).run().exits(1);
    let error = answer.json()["errors"][0]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(error.contains("127.0.0.1:18999"), "{error}");
    assert!(error.contains("net access"), "{error}");
}

#[test]
fn input_that_is_no_json_is_a_usage_error() {
    tntc(["run", "any", "--input", "{oops"])
        .run()
        .exits(2)
        .says("--input is not JSON")
        .says("column");
}

#[test]
fn without_deno_a_local_run_says_which_version_is_needed() {
    let workflow = example("word-counter");
    tntc(["run", "--local", workflow.path()])
        .env("TNTC_DENO", "/nonexistent/deno")
        .run()
        .exits(3)
        .says("version 2.9.8 or newer is needed");
}
