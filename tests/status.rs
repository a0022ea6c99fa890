//! `tntc status` on a real cluster.

use crate::support::{Namespace, deploy, engine_image, example, tntc};

#[test]
fn a_running_workflow_is_ready_and_detail_tells_what_it_runs_on() {
    let namespace = Namespace::new("status");
    let workflow = example("word-counter");
    deploy(&workflow, &namespace).exits(0);
    tntc(["status", "word-counter", "-n", &namespace.name])
        .run()
        .exits(0)
        .answers("status: ready")
        .answers("replicas: 1/1");
    let json = tntc([
        "status",
        "word-counter",
        "-n",
        &namespace.name,
        "--detail",
        "-o",
        "json",
    ])
    .run()
    .exits(0)
    .json();
    let workflow = &json["workflow"];
    assert_eq!(workflow["image"], engine_image());
    assert_eq!(workflow["runtimeClass"], "none");
    assert_eq!(workflow["resources"]["limits"]["memory"], "256Mi");
    assert_eq!(
        workflow["endpoint"],
        format!("word-counter.{}.svc.cluster.local:8080", namespace.name)
    );
    assert_eq!(workflow["pods"][0]["phase"], "Running");
    assert!(
        workflow["events"]
            .as_array()
            .is_some_and(|events| !events.is_empty()),
        "{json}"
    );
    let detail = ["status", "word-counter", "-n", &namespace.name, "--detail"];
    let shown = tntc(detail).run().exits(0).stdout;
    let after = |title: &str| -> Vec<String> {
        let lines = shown.lines().skip_while(|line| *line != title).skip(1);
        let words = |line: &str| {
            line.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        lines.take(2).flat_map(words).collect()
    };
    let pods = after("pods:");
    assert_eq!(
        pods[..5],
        ["NAME", "READY", "STATUS", "RESTARTS", "NODE"],
        "{shown}"
    );
    assert_eq!(pods[6..9], ["true", "Running", "0"], "{shown}");
    let events = after("events:");
    let header = ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
    assert_eq!(events[..6], header, "{shown}");
    assert!(
        ["Normal", "Warning"].contains(&events[7].as_str()),
        "{shown}"
    );
}

#[test]
fn a_workflow_that_does_not_exist_is_told() {
    let namespace = Namespace::new("nothing");
    tntc(["status", "absent", "-n", &namespace.name])
        .run()
        .exits(1)
        .says("no workflow `absent`")
        .says("tntc list");
}
