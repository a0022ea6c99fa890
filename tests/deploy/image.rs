//! Which build of the image runs, where its tag alone does not say so.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{Namespace, Workflow, tntc};

/// A name that no other checkout uses which shares this Docker.
fn own_tag(name: &str) -> String {
    let checkout = Sha256::digest(env!("CARGO_MANIFEST_DIR"));
    format!(
        "tentacular-{name}:{:02x}{:02x}{:02x}{:02x}",
        checkout[0], checkout[1], checkout[2], checkout[3]
    )
}

/// Builds the engine image under the tag, on this base, and loads it into the cluster.
fn build(workflow: &Workflow, tag: &str, base: &[&str]) {
    let arguments = ["build", workflow.path(), "--tag", tag];
    tntc(arguments.into_iter().chain(base.iter().copied()))
        .run()
        .exits(0);
}

/// Another image to build upon, with the same files.
fn other_base(name: &str) {
    let mut docker = Command::new("docker")
        .args(["build", "--quiet", "--tag", name, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("docker starts");
    let recipe = b"FROM denoland/deno:distroless\nLABEL variant=other\n";
    let mut stdin = docker.stdin.take().expect("a pipe");
    stdin.write_all(recipe).expect("docker reads its recipe");
    drop(stdin);
    assert!(docker.wait().expect("docker ends").success());
}

#[track_caller]
fn deploy(workflow: &Workflow, namespace: &Namespace, flags: &[&str]) -> String {
    let arguments = ["deploy", workflow.path(), "-n", &namespace.name, "--wait"];
    let answer = tntc(arguments.into_iter().chain(flags.iter().copied()));
    answer.run().exits(0).stdout
}

/// What the pods of the newest template run.
fn running(namespace: &Namespace) -> Vec<Value> {
    let pods = namespace.list("pods");
    let staying = pods
        .iter()
        .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    staying
        .map(|pod| pod["status"]["containerStatuses"][0]["imageID"].clone())
        .collect()
}

#[test]
fn a_rebuild_under_the_same_tag_restarts_and_runs_the_new_build() {
    let namespace = Namespace::new("rebuilt");
    let workflow = Workflow::of_one_node("rebuilt", "return 1;");
    let tag = own_tag("engine");
    let tag = tag.as_str();
    build(&workflow, tag, &[]);
    deploy(&workflow, &namespace, &[]);
    let first = running(&namespace);
    build(&workflow, tag, &[]);
    let again = deploy(&workflow, &namespace, &[]);
    assert!(again.contains("unchanged"), "the same build: {again}");
    let base = own_tag("base");
    other_base(&base);
    build(&workflow, tag, &["--base", &base]);
    let rebuilt = deploy(&workflow, &namespace, &[]);
    assert!(rebuilt.contains("applied Deployment/rebuilt"), "{rebuilt}");
    assert_ne!(running(&namespace), first);
    assert!(deploy(&workflow, &namespace, &[]).contains("unchanged"));
}

#[test]
fn a_directory_that_knows_no_build_keeps_the_one_that_runs() {
    let namespace = Namespace::new("elsewhere");
    let workflow = Workflow::of_one_node("elsewhere", "return 1;");
    let tag = own_tag("elsewhere");
    let tag = tag.as_str();
    build(&workflow, tag, &[]);
    deploy(&workflow, &namespace, &[]);
    let elsewhere = Workflow::of_one_node("elsewhere", "return 1;");
    let answer = deploy(&elsewhere, &namespace, &["--image", tag]);
    assert!(answer.contains("unchanged"), "{answer}");
}
