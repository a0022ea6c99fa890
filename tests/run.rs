//! `tntc run` on a real cluster.

use serde_json::{Value, json};

use crate::support::{Namespace, Workflow, engine_image, tntc};

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

fn wait_for(what: &str, happened: impl Fn() -> bool) {
    let seen = (0..300).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        happened()
    });
    assert!(seen, "{what} never happened");
}

#[test]
fn ctrl_c_at_any_moment_leaves_no_pod() {
    let workflow = Workflow::of_one_node("echo", "return input;");
    let namespace = deployed(&workflow, "moments");
    for delay in [5, 20, 40, 60, 80, 120, 200, 300, 400, 600, 900] {
        let mut child = tntc(["run", "echo", "-n", &namespace.name])
            .command()
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("tntc starts");
        std::thread::sleep(std::time::Duration::from_millis(delay));
        if child.try_wait().expect("a status").is_none() {
            crate::support::interrupt(child.id());
        }
        child.wait().expect("tntc ends");
        assert_eq!(
            trigger_pods(&namespace),
            Vec::<Value>::new(),
            "after {delay} ms"
        );
    }
}

#[test]
fn a_trigger_pod_that_cannot_start_says_why_at_once_and_is_removed() {
    let workflow = Workflow::of_one_node("echo", "return input;");
    let namespace = deployed(&workflow, "nostart");
    workflow.write(
        ".tentacular/config.yaml",
        "trigger_image: localhost:1/no-such-curl:1\n",
    );
    tntc(["run", "echo", "-n", &namespace.name])
        .current_dir(std::path::Path::new(workflow.path()))
        .run()
        .exits(3)
        .says("the trigger pod cannot start: ErrImagePull")
        .says("trigger_image");
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}

#[test]
fn where_no_pod_may_be_made_the_quota_and_the_other_ways_are_told() {
    let workflow = Workflow::of_one_node("echo", "return input;");
    let namespace = deployed(&workflow, "quota");
    namespace.kubectl(["create", "quota", "one", "--hard=pods=1"]);
    wait_for("the quota's count", || {
        namespace.get("quota", "one")["status"]["used"]["pods"] == "1"
    });
    tntc(["run", "echo", "-n", &namespace.name])
        .run()
        .exits(3)
        .says("exceeded quota")
        .says("--via proxy");
    tntc([
        "run",
        "echo",
        "-n",
        &namespace.name,
        "--via",
        "port-forward",
        "--input",
        "[7]",
    ])
    .run()
    .exits(0)
    .answers("{\"only\":[7]}");
}

/// Without a contract there is no NetworkPolicy, which would keep the API server's proxy out.
fn open_workflow(name: &str, body: &str) -> Workflow {
    let workflow = Workflow::of_one_node(name, body);
    workflow.replace(
        "workflow.yaml",
        "contract: {version: \"1\", dependencies: {}}\n",
        "",
    );
    workflow
}

#[test]
fn by_proxy_and_by_port_forward_a_failing_workflow_runs_once_and_gives_its_result() {
    let workflow = open_workflow(
        "open",
        "ctx.log.info(\"started\"); throw new Error(\"made to fail\");",
    );
    let namespace = deployed(&workflow, "ways");
    for via in ["proxy", "port-forward"] {
        let answer = tntc(["run", "open", "-n", &namespace.name, "--via", via])
            .run()
            .exits(1);
        assert_eq!(
            answer.json()["errors"],
            json!(["node only threw: made to fail"])
        );
    }
    let log = tntc(["logs", "open", "-n", &namespace.name])
        .run()
        .exits(0)
        .stdout;
    assert_eq!(
        log.matches("INFO started").count(),
        2,
        "once each way: {log}"
    );
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}

#[test]
fn a_workflow_that_is_still_starting_is_waited_for() {
    let workflow = Workflow::of_one_node("early", "return input;");
    let namespace = Namespace::new("early");
    let deploy = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
    ];
    tntc(deploy).run().exits(0);
    tntc(["run", "early", "-n", &namespace.name]).run().exits(0);
}

#[test]
fn a_crash_loop_is_told_with_the_log_of_the_crash() {
    let workflow = Workflow::of_one_node("crashing", "return input;");
    workflow.write("nodes/only.ts", "throw new Error(\"made to crash\");\n");
    let namespace = Namespace::new("crash");
    let deploy = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        engine_image(),
    ];
    tntc(deploy).run().exits(0);
    tntc(["run", "crashing", "-n", &namespace.name])
        .run()
        .exits(1)
        .says("made to crash")
        .says("crashing is not running: ");
    let json = tntc(["run", "crashing", "-n", &namespace.name, "-o", "json"])
        .run()
        .exits(1)
        .json();
    assert!(
        json["lines"].to_string().contains("made to crash"),
        "{json}"
    );
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}

#[test]
fn a_workflow_without_replicas_is_told() {
    let workflow = Workflow::of_one_node("echo", "return input;");
    let namespace = deployed(&workflow, "scaled");
    namespace.kubectl(["scale", "deployment", "echo", "--replicas=0"]);
    tntc(["run", "echo", "-n", &namespace.name])
        .run()
        .exits(1)
        .says("scaled to no replicas");
}

#[test]
fn an_engine_that_dies_in_the_middle_is_told_and_not_asked_again() {
    let workflow = Workflow::of_one_node("dying", "ctx.log.info(\"started\"); Deno.exit(1);");
    let namespace = deployed(&workflow, "dying");
    tntc(["run", "dying", "-n", &namespace.name])
        .run()
        .exits(1)
        .says("dying");
    let log = |more: &[&str]| {
        let logs = ["logs", "dying", "-n", &namespace.name];
        tntc(logs.into_iter().chain(more.iter().copied()))
            .run()
            .stdout
    };
    wait_for("a restart", || {
        log(&["--previous"]).contains("INFO started")
    });
    let all = format!("{}{}", log(&["--previous"]), log(&[]));
    assert_eq!(all.matches("INFO started").count(), 1, "{all}");
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}

#[test]
fn an_api_server_that_goes_away_during_a_run_is_told() {
    let workflow = Workflow::of_one_node(
        "slow",
        "await new Promise((done) => setTimeout(done, 20_000)); return input;",
    );
    let namespace = deployed(&workflow, "away");
    let forwarder = crate::support::Forwarder::start();
    let kubeconfig = forwarder.kubeconfig();
    let path = kubeconfig.path().display().to_string();
    let child = tntc(["run", "slow", "-n", &namespace.name, "--kubeconfig", &path])
        .command()
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("tntc starts");
    wait_for("a running trigger pod", || {
        trigger_pods(&namespace)
            .iter()
            .any(|pod| pod["status"]["phase"] == "Running")
    });
    std::thread::sleep(std::time::Duration::from_secs(1));
    forwarder.cut();
    let output = child.wait_with_output().expect("tntc ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("was lost before the answer was here"),
        "{said}"
    );
    assert!(said.contains("it ends by itself"), "{said}");
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
fn input_that_is_no_json_is_a_usage_error() {
    tntc(["run", "any", "--input", "{oops"])
        .run()
        .exits(2)
        .says("--input is not JSON")
        .says("column");
}
