//! `tntc build` with a real Docker.

use std::process::Command;

use crate::support::{Workflow, engine_image, example, tntc};

#[test]
fn the_image_is_loaded_into_kind_and_remembered_for_deploy() {
    let workflow = example("word-counter");
    let before = workflow.files();
    tntc([
        "build",
        workflow.path(),
        "--tag",
        "tentacular-engine:remembered",
    ])
    .run()
    .exits(0)
    .says("into kind cluster")
    .answers("built tentacular-engine:remembered");
    let mut expected = before;
    expected.push(".tentacular/base-image.txt".to_owned());
    expected.sort();
    assert_eq!(workflow.files(), expected);
    let manifests = tntc(["deploy", workflow.path(), "--dry-run"])
        .run()
        .exits(0)
        .stdout;
    assert!(
        manifests.contains("image: \"tentacular-engine:remembered\"")
            || manifests.contains("image: tentacular-engine:remembered"),
        "{manifests}"
    );
}

#[test]
fn the_image_holds_no_shell_and_keeps_the_entrypoint() {
    let image = engine_image();
    let inspect = Command::new("docker")
        .args(["image", "inspect", "--format", "{{json .Config}}", image])
        .output();
    let inspect = inspect.expect("docker runs");
    let config: serde_json::Value = serde_json::from_slice(&inspect.stdout).expect("JSON");
    assert_eq!(config["WorkingDir"], "/app");
    assert_eq!(config["Entrypoint"][0], "deno");
    assert!(config["ExposedPorts"].get("8080/tcp").is_some(), "{config}");
}

#[test]
fn without_a_docker_program_the_surroundings_are_at_fault() {
    let workflow = example("word-counter");
    tntc(["build", workflow.path()])
        .env("PATH", "/nonexistent")
        .run()
        .exits(3)
        .says("no docker program on PATH");
}

#[test]
fn a_docker_daemon_that_is_down_is_told() {
    let workflow = example("word-counter");
    tntc(["build", workflow.path()])
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .run()
        .exits(3)
        .says("the Docker daemon does not answer");
    assert!(
        !workflow
            .files()
            .contains(&".tentacular/base-image.txt".to_owned())
    );
}

#[test]
fn a_registry_that_is_down_fails_the_push() {
    let workflow = Workflow::of_one_node("pusher", "return 1;");
    tntc(["build", workflow.path(), "-r", "127.0.0.1:9", "--push"])
        .run()
        .exits(3)
        .says("docker push of 127.0.0.1:9/tentacular-engine:latest failed");
}
