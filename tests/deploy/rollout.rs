//! Rollouts that end well, and those that cannot.

use std::process::Stdio;

use crate::support::{
    Namespace, Terminal, Workflow, deploy, deployed, deploying, example, interrupt,
    no_node_takes_a_pod, requests, tntc, wait_for,
};

#[test]
fn an_image_that_cannot_be_pulled_is_told_in_the_pods_own_words() {
    let namespace = Namespace::new("pull");
    let workflow = example("word-counter");
    let image = "127.0.0.1:9/absent:v1";
    let deploy = [
        "deploy",
        workflow.path(),
        "-n",
        &namespace.name,
        "--image",
        image,
        "--wait",
    ];
    let failed = tntc(deploy).run().exits(1).says("ImagePull").says(image);
    let failed = failed.says("warnings:\n  LAST SEEN  TYPE     REASON");
    assert!(!failed.stderr.contains("Normal"), "{}", failed.stderr);
    tntc(["list", "-n", &namespace.name])
        .run()
        .exits(0)
        .answers("failing");
    let status = tntc([
        "status",
        "word-counter",
        "-n",
        &namespace.name,
        "-o",
        "json",
    ])
    .run()
    .exits(0)
    .json();
    let problem = status["workflow"]["problem"].as_str().unwrap_or_default();
    assert!(
        problem.contains("ImagePull") && problem.contains(image),
        "{status}"
    );
    tntc(["run", "word-counter", "-n", &namespace.name])
        .run()
        .exits(1)
        .says("ImagePull");
}

#[test]
fn code_that_crashes_at_start_fails_the_rollout_and_the_log_tells_why() {
    let namespace = Namespace::new("crash");
    let workflow = Workflow::of_one_node("crasher", "return 1;");
    workflow.write("nodes/only.ts", "throw new Error(\"made to fail\");\n");
    deploy(&workflow, &namespace).exits(1).says("exit status 1");
    tntc(["list", "-n", &namespace.name])
        .run()
        .exits(0)
        .answers("failing");
    tntc(["logs", "crasher", "-n", &namespace.name])
        .run()
        .exits(0)
        .answers("made to fail");
}

#[test]
fn on_a_terminal_the_phase_under_way_is_shown_with_its_time() {
    let namespace = Namespace::new("moving");
    let workflow = Workflow::of_one_node("moving", "return 1;");
    let deploy = deploying(&workflow, &namespace, &["--wait"]);
    let (status, shown) = Terminal::start(deploy.env("TERM", "xterm")).ends();
    assert_eq!(status, 0, "{shown}");
    assert!(shown.contains("rollout ("), "{shown:?}");
    assert!(shown.contains("rollout: pass, "), "{shown:?}");
}

#[test]
fn a_quota_that_is_exceeded_is_told_by_the_rollout() {
    let namespace = Namespace::new("quota");
    namespace.kubectl(["create", "quota", "none", "--hard=pods=0"]);
    let workflow = Workflow::of_one_node("barred", "return 1;");
    deploy(&workflow, &namespace)
        .exits(1)
        .says("exceeded quota")
        .says("ResourceQuota");
}

#[test]
fn no_request_is_lost_during_a_rollout() {
    let workflow = Workflow::of_one_node("steady", "return 1;");
    let namespace = deployed(&workflow, "outage");
    let address = namespace.kubectl([
        "get",
        "service",
        "steady",
        "-o",
        "jsonpath={.spec.clusterIP}",
    ]);
    let requests = requests(&format!("{}:8080", address.trim()));
    workflow.replace("nodes/only.ts", "return 1;", "return 2;");
    deploy(&workflow, &namespace).exits(0);
    // The old pod serves on for two seconds after it was told to stop.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let (answered, failures) = requests.stop();
    assert_eq!(
        failures,
        Vec::<String>::new(),
        "{answered} requests were answered"
    );
    assert!(answered > 50, "{answered}");
}

#[test]
fn ctrl_c_while_a_rollout_is_waited_for_tells_what_is_in_the_cluster() {
    let namespace = Namespace::new("rolling");
    no_node_takes_a_pod(&namespace);
    let workflow = Workflow::of_one_node("rolling", "return 1;");
    let mut command = deploying(&workflow, &namespace, &["--wait"]).command();
    let child = command.stderr(Stdio::piped()).spawn();
    let child = child.expect("tntc starts");
    wait_for("the pod", || {
        (!namespace.list("pods").is_empty()).then_some(())
    });
    interrupt(child.id());
    let output = child.wait_with_output().expect("tntc ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(
        said.contains("the rollout goes on in the cluster"),
        "{said}"
    );
    assert!(said.contains("tntc status rolling -n "), "{said}");
    assert!(!said.contains("warnings:"), "{said}");
}
