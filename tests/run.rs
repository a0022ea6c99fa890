//! `tntc run` on a real cluster.

use serde_json::{Value, json};

use crate::support::{
    Forwarder, Namespace, Terminal, Workflow, deployed, deploying, endpoints, in_a_row, interrupt,
    log, runs, tntc, trigger_pods, wait_for,
};

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
        .exits(1)
        .says("error: failing failed: node only threw: made to fail");
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
    deploying(&workflow, &namespace, &[]).run().exits(0);
    tntc(["run", "early", "-n", &namespace.name]).run().exits(0);
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
fn the_pod_of_a_run_is_no_endpoint_of_the_service() {
    let workflow = Workflow::slow("slow");
    let namespace = deployed(&workflow, "endpoint");
    let run = ["run", "slow", "-n", &namespace.name];
    let mut child = tntc(run).command().spawn().expect("tntc starts");
    wait_for("a started run", || {
        log(&namespace, "slow", &[])
            .contains("INFO started")
            .then_some(())
    });
    let pods = trigger_pods(&namespace);
    assert_eq!(pods.len(), 1);
    assert_eq!(
        pods[0]["metadata"]["labels"]["app.kubernetes.io/name"],
        Value::Null
    );
    assert_eq!(endpoints(&namespace), 1, "the engine alone");
    interrupt(child.id());
    assert_eq!(child.wait().expect("tntc ends").code(), Some(130));
}

/// An attach that comes before its container is there, or is lost on the way, ends no run, and starts none twice.
#[test]
fn a_hundred_runs_in_a_row_four_at_a_time_each_give_their_own_answer_once() {
    let workflow = Workflow::of_one_node("often", "ctx.log.info(\"got\", input); return input;");
    let namespace = deployed(&workflow, "often");
    let count = runs(100);
    in_a_row(count, 4, |number| {
        let input = format!("<{number}>");
        let json = json!(input).to_string();
        let arguments = ["run", "often", "-n", &namespace.name, "--input", &json];
        let answer = tntc(arguments).run().exits(0).json();
        assert_eq!(answer["outputs"]["only"], input);
    });
    let log = log(&namespace, "often", &["--tail", "-1"]);
    for number in 0..count {
        let got = format!("got <{number}>");
        assert_eq!(log.matches(&got).count(), 1, "{got}");
    }
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}

/// containerd 1.6.20 drops what a container that has ended still had in its pipes, which is much when its reader is
/// slower than the container, and all buffers in between are full.
#[test]
fn a_large_result_arrives_whole_also_over_a_slow_connection() {
    let workflow = Workflow::of_one_node("vast", "return \"x\".repeat(32_000_000);");
    let namespace = deployed(&workflow, "vast");
    let forwarder = Forwarder::start();
    forwarder.slow_down(6_000_000);
    let kubeconfig = forwarder.kubeconfig();
    let path = kubeconfig.path().display().to_string();
    let run = ["run", "vast", "-n", &namespace.name, "--timeout", "2m"];
    let answer = tntc(run.into_iter().chain(["--kubeconfig", &path])).run();
    let answer = answer.exits(0).json();
    assert_eq!(
        answer["outputs"]["only"].as_str().map(str::len),
        Some(32_000_000)
    );
}

#[test]
fn an_answer_whose_connection_is_lost_half_way_is_read_from_the_pod_and_nothing_runs_twice() {
    let workflow = Workflow::of_one_node(
        "half",
        "ctx.log.info(\"started\"); return \"x\".repeat(3_000_000);",
    );
    let namespace = deployed(&workflow, "half");
    let forwarder = Forwarder::start();
    forwarder.close_after(1_000_000);
    let kubeconfig = forwarder.kubeconfig();
    let path = kubeconfig.path().display().to_string();
    let answer = tntc(["run", "half", "-n", &namespace.name, "--kubeconfig", &path])
        .run()
        .exits(0);
    assert!(forwarder.has_closed());
    assert!(answer.stdout.len() > 3_000_000, "{}", answer.stdout.len());
    assert_eq!(answer.json()["success"], true);
    let log = log(&namespace, "half", &["--tail", "-1"]);
    assert_eq!(log.matches("INFO started").count(), 1);
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}

#[test]
fn an_input_file_may_begin_with_a_byte_order_mark() {
    let workflow = Workflow::of_one_node("marked", "return input;");
    let namespace = deployed(&workflow, "marked");
    workflow.write("input.json", "\u{feff}{\"n\": 1}");
    let file = format!("@{}/input.json", workflow.path());
    let answer = tntc(["run", "marked", "-n", &namespace.name, "--input", &file])
        .run()
        .exits(0);
    assert_eq!(answer.json()["outputs"], json!({"only": {"n": 1}}));
}

#[test]
fn on_a_terminal_the_result_is_indented_and_a_failure_is_told_in_a_line_of_its_own() {
    let workflow = Workflow::of_one_node(
        "shown",
        "if (input === 1) throw new Error(\"made to fail\"); return {n: input};",
    );
    let namespace = deployed(&workflow, "shown");
    let run = |input: &str| {
        let run = ["run", "shown", "-n", &namespace.name, "--input", input];
        Terminal::start(tntc(run).env("TERM", "xterm")).ends()
    };
    let (status, shown) = run("7");
    assert_eq!(status, 0, "{shown}");
    assert!(shown.contains("\"only\": {\r\n"), "{shown:?}");
    assert!(shown.contains("      \"n\": 7\r\n"), "{shown:?}");
    assert!(shown.contains("starting the trigger pod"), "{shown:?}");
    let (status, shown) = run("1");
    assert_eq!(status, 1, "{shown}");
    assert!(
        shown.contains("error: shown failed: node only threw: made to fail"),
        "{shown:?}"
    );
}
