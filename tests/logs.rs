//! `tntc logs` on a real cluster.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Namespace, Workflow, engine_image, interrupt, tntc};

fn speaker(replicas: u32) -> (Workflow, Namespace) {
    let workflow = Workflow::of_one_node("speaker", "ctx.log.info(\"spoken\"); return null;");
    workflow.replace(
        "workflow.yaml",
        "contract:",
        &format!("deployment: {{replicas: {replicas}}}\ncontract:"),
    );
    let namespace = Namespace::new("logs");
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
    tntc(["run", "speaker", "-n", &namespace.name])
        .run()
        .exits(0);
    (workflow, namespace)
}

#[test]
fn recent_lines_of_the_pod_are_shown() {
    let (_workflow, namespace) = speaker(1);
    tntc(["logs", "speaker", "-n", &namespace.name])
        .run()
        .exits(0)
        .answers("[only] INFO spoken");
    let last = tntc(["logs", "speaker", "-n", &namespace.name, "--tail", "1"])
        .run()
        .exits(0)
        .stdout;
    assert_eq!(last.lines().count(), 1, "{last}");
}

#[test]
fn with_several_replicas_each_line_names_its_pod() {
    let (_workflow, namespace) = speaker(2);
    let pods: Vec<_> = namespace
        .list("pods")
        .iter()
        .map(|pod| pod["metadata"]["name"].clone())
        .collect();
    assert_eq!(pods.len(), 2);
    let json = tntc(["logs", "speaker", "-n", &namespace.name, "-o", "json"])
        .run()
        .exits(0)
        .json();
    let lines = json["lines"].as_array().expect("lines");
    assert!(
        pods.iter()
            .all(|pod| lines.iter().any(|line| &line["pod"] == pod)),
        "{json}"
    );
    let text = tntc(["logs", "speaker", "-n", &namespace.name])
        .run()
        .exits(0)
        .stdout;
    assert!(
        text.lines().all(|line| line.starts_with("speaker-")),
        "{text}"
    );
}

#[test]
fn following_shows_new_lines_until_interrupted() {
    let (_workflow, namespace) = speaker(1);
    let mut command = tntc([
        "logs",
        "speaker",
        "-n",
        &namespace.name,
        "-f",
        "--tail",
        "0",
        "-o",
        "json",
    ])
    .command();
    let mut child = command.stdout(Stdio::piped()).spawn().expect("tntc starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    tntc(["run", "speaker", "-n", &namespace.name])
        .run()
        .exits(0);
    let spoken = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.contains("spoken"))
        .expect("the new line");
    let spoken: Value = serde_json::from_str(&spoken).expect("one JSON object a line");
    assert!(
        spoken["line"]
            .as_str()
            .is_some_and(|line| line.contains("INFO spoken"))
    );
    interrupt(child.id());
    assert_eq!(child.wait().expect("tntc ends").code(), Some(0));
}
