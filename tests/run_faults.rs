//! What goes wrong with `tntc run` on a real cluster, and how it is told.

use serde_json::Value;

use crate::support::{
    Forwarder, Namespace, TAKE_ALL_MEMORY, Workflow, deployed, deploying, log, no_node_takes_a_pod,
    running_again, tntc, trigger_pods, wait_for,
};

#[test]
fn a_run_that_outlives_its_timeout_is_told_and_its_pod_is_removed() {
    let workflow = Workflow::slow("slow");
    let namespace = deployed(&workflow, "slow");
    tntc(["run", "slow", "-n", &namespace.name, "--timeout", "12s"])
        .run()
        .exits(1)
        .says("no answer from slow within 12s")
        .says("--timeout");
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
fn a_trigger_pod_that_cannot_start_says_why_at_once_and_is_removed() {
    let workflow = Workflow::of_one_node("echo", "return input;");
    let namespace = deployed(&workflow, "nostart");
    workflow.write(
        ".tentacular/config.yaml",
        "trigger_image: localhost:1/no-such-curl:1\n",
    );
    let run = || {
        tntc(["run", "echo", "-n", &namespace.name])
            .current_dir(std::path::Path::new(workflow.path()))
    };
    run()
        .run()
        .exits(2)
        .says("the trigger image localhost:1/no-such-curl:1 is chosen by ");
    run()
        .at_home(&workflow.trusting_home())
        .run()
        .exits(3)
        .says("the trigger pod cannot start: ErrImagePull")
        .says("trigger_image");
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}

#[test]
fn a_trigger_pod_that_no_node_takes_says_why_and_that_nothing_started() {
    let workflow = Workflow::of_one_node("echo", "ctx.log.info(\"started\"); return input;");
    let namespace = deployed(&workflow, "unschedulable");
    no_node_takes_a_pod(&namespace);
    tntc(["run", "echo", "-n", &namespace.name, "--timeout", "4s"])
        .run()
        .exits(3)
        .says("the trigger pod did not start within 4s: Unschedulable: ")
        .says("Insufficient example.com/none")
        .says("nothing was started");
    assert!(!log(&namespace, "echo", &[]).contains("INFO started"));
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}

#[test]
fn an_engine_that_needs_too_much_memory_is_told_by_name() {
    let workflow = Workflow::of_one_node("greedy", TAKE_ALL_MEMORY);
    let namespace = deployed(&workflow, "greedy");
    tntc(["run", "greedy", "-n", &namespace.name])
        .run()
        .exits(1)
        .says("greedy ended during the run: OOMKilled: container engine")
        .says("more memory than its limit");
}

#[test]
fn where_no_pod_may_be_made_the_quota_and_the_other_ways_are_told() {
    let workflow = Workflow::of_one_node("echo", "return input;");
    let namespace = deployed(&workflow, "quota");
    namespace.kubectl(["create", "quota", "one", "--hard=pods=1"]);
    wait_for("the quota's count", || {
        (namespace.get("quota", "one")["status"]["used"]["pods"] == "1").then_some(())
    });
    tntc(["run", "echo", "-n", &namespace.name])
        .run()
        .exits(1)
        .says("exceeded quota")
        .says("nothing was started")
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

#[test]
fn a_crash_loop_is_told_with_the_log_of_the_crash() {
    let workflow = Workflow::of_one_node("crashing", "return input;");
    workflow.write("nodes/only.ts", "throw new Error(\"made to crash\");\n");
    let namespace = Namespace::new("crash");
    deploying(&workflow, &namespace, &[]).run().exits(0);
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
    let body = format!("ctx.log.info(\"started\"); {TAKE_ALL_MEMORY}");
    let workflow = Workflow::of_one_node("dying", &body);
    let namespace = deployed(&workflow, "dying");
    tntc(["run", "dying", "-n", &namespace.name])
        .run()
        .exits(1)
        .says("dying ended during the run: OOMKilled: container engine");
    wait_for("a restart", || running_again(&namespace, "dying"));
    let all = ["--previous", "--tail=100"].map(|which| log(&namespace, "dying", &[which]));
    let all = all.concat();
    assert_eq!(all.matches("INFO started").count(), 1, "{all}");
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}

#[test]
fn an_api_server_that_goes_away_during_a_run_is_told() {
    let workflow = Workflow::slow("slow");
    let namespace = deployed(&workflow, "away");
    let forwarder = Forwarder::start();
    let kubeconfig = forwarder.kubeconfig();
    let path = kubeconfig.path().display().to_string();
    let child = tntc(["run", "slow", "-n", &namespace.name, "--kubeconfig", &path])
        .command()
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("tntc starts");
    wait_for("a started run", || {
        log(&namespace, "slow", &[])
            .contains("INFO started")
            .then_some(())
    });
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
fn input_that_is_no_json_is_a_usage_error() {
    tntc(["run", "any", "--input", "{oops"])
        .run()
        .exits(2)
        .says("--input is not JSON")
        .says("column");
}

#[test]
fn a_workflow_of_which_no_pod_can_run_says_why_at_once() {
    let workflow = Workflow::of_one_node("imageless", "return input;");
    let namespace = Namespace::new("imageless");
    let deploy = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        "localhost:1/no-such-engine:1",
    ];
    tntc(deploy).run().exits(0);
    for via in ["pod", "proxy", "port-forward"] {
        tntc([
            "run",
            "imageless",
            "-n",
            &namespace.name,
            "--via",
            via,
            "--timeout",
            "2m",
        ])
        .run()
        .exits(1)
        .says("imageless is not running: ")
        .says("no-such-engine")
        .says("tntc status imageless");
    }
    assert_eq!(trigger_pods(&namespace), Vec::<Value>::new());
}
