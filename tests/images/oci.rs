//! `tntc build --builder oci`.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use super::registry::get;
use super::{Registry, program, test_registry, tiny_base};
use crate::support::{Workflow, tntc};

const OCI: [&str; 2] = ["--builder", "oci"];

fn workflow() -> Workflow {
    Workflow::of_one_node("pictured", "return 1;")
}

/// Without any kubeconfig, so that no kind cluster is loaded into.
fn build(workflow: &Workflow, arguments: &[&str]) -> crate::support::Answer {
    let all = ["build", workflow.path(), "-o", "json"];
    tntc(all.iter().chain(arguments).copied())
        .env("KUBECONFIG", "/dev/null")
        .run()
}

#[test]
fn without_a_destination_the_oci_builder_is_wrong_usage() {
    let workflow = workflow();
    let answer = build(&workflow, &OCI).exits(2);
    let hint = answer.json()["hints"][0].clone();
    assert!(
        hint.as_str().is_some_and(|hint| hint.contains("--push")),
        "{hint}"
    );
    assert!(
        !workflow
            .files()
            .contains(&".tentacular/base-image.txt".to_owned())
    );
}

#[test]
fn a_place_is_no_format_for_any_other_command() {
    tntc(["list", "--output", "engine.tar"])
        .run()
        .exits(2)
        .says("`list` answers in text, wide, json, yaml or name");
}

#[test]
fn a_pushed_image_is_the_base_with_the_engine_on_top() {
    let registry = Registry::open();
    let base = tiny_base(&registry.name, "deno", &["amd64"]);
    let workflow = workflow();
    let answer = build(
        &workflow,
        &[
            "--builder",
            "oci",
            "--push",
            "--tag",
            "e:v1",
            "-r",
            &registry.name,
            "--base",
            &base,
        ],
    );
    let answer = answer.exits(0).json();
    let manifest = registry.get("e/manifests/v1");
    assert_eq!(
        manifest["mediaType"],
        "application/vnd.oci.image.manifest.v1+json"
    );
    assert_eq!(
        manifest["layers"].as_array().map(Vec::len),
        Some(4),
        "{manifest}"
    );
    let config = registry.get(&format!("e/blobs/{}", text(&manifest["config"]["digest"])));
    assert_eq!(config["config"]["WorkingDir"], "/app");
    assert_eq!(config["config"]["Entrypoint"][0], "deno");
    assert_eq!(config["config"]["Env"][0], "DENO_DIR=/deno-dir/");
    assert!(config["config"].get("Cmd").is_none(), "{config}");
    assert!(
        config["config"]["ExposedPorts"].get("8080/tcp").is_some(),
        "{config}"
    );
    assert_eq!(
        config["rootfs"]["diff_ids"].as_array().map(Vec::len),
        Some(4)
    );
    assert_eq!(config["created"], "2026-01-01T00:00:00Z");
    let remembered = fs::read_to_string(format!("{}/.tentacular/base-image.txt", workflow.path()));
    let expected = format!("{}/e:v1@{}\n", registry.name, text(&answer["digest"]));
    assert_eq!(remembered.expect("a file"), expected);
}

#[test]
fn labels_follow_the_annotation_spec() {
    let registry = Registry::open();
    let base = tiny_base(&registry.name, "deno", &["amd64"]);
    build(
        &workflow(),
        &[
            "--builder",
            "oci",
            "--push",
            "--tag",
            "e:v1",
            "-r",
            &registry.name,
            "--base",
            &base,
        ],
    )
    .exits(0);
    let manifest = registry.get("e/manifests/v1");
    let config = registry.get(&format!("e/blobs/{}", text(&manifest["config"]["digest"])));
    let labels = &config["config"]["Labels"];
    assert_eq!(
        labels["org.opencontainers.image.version"],
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(labels["org.opencontainers.image.base.name"], base);
    let digest = text(&labels["org.opencontainers.image.base.digest"]);
    assert!(digest.starts_with("sha256:"), "{labels}");
    let revision = text(&labels["org.opencontainers.image.revision"]);
    assert_eq!(revision.len(), 40, "{labels}");
    let source = labels.get("org.opencontainers.image.source");
    assert_eq!(source.map(text), option_env!("TNTC_SOURCE"));
    assert_eq!(&manifest["annotations"], labels);
}

#[test]
fn two_builds_elsewhere_and_at_another_time_are_one_digest() {
    let registry = Registry::open();
    let base = tiny_base(&registry.name, "deno", &["amd64"]);
    let archive = |day: &str, zone: &str| {
        let home = tempfile::tempdir().expect("a directory");
        let workflow = workflow();
        let archive = home.path().join("e.tar").display().to_string();
        let mut command = tntc([
            "build",
            workflow.path(),
            "--builder",
            "oci",
            "--output",
            &archive,
            "--base",
            &base,
        ])
        .env("HOME", home.path())
        .env("XDG_CACHE_HOME", home.path().join("cache"))
        .env("KUBECONFIG", "/dev/null")
        .env("TZ", zone)
        .command();
        assert!(on(day, &mut command).status.success());
        fs::read(archive).expect("an archive")
    };
    let date = on("2031-05-05", Command::new("date").arg("+%F"));
    assert_eq!(String::from_utf8_lossy(&date.stdout), "2031-05-05\n");
    assert!(archive("2026-01-01", "UTC") == archive("2031-05-05", "Pacific/Auckland"));
}

/// Runs a program with the clock of another day, which libfaketime gives it.
fn on(day: &str, command: &mut Command) -> Output {
    command
        .env("LD_PRELOAD", "/usr/$LIB/faketime/libfaketimeMT.so.1")
        .env("FAKETIME", format!("@{day} 00:00:00"))
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command.output().expect("the program runs")
}

#[test]
fn several_platforms_are_one_index_wherever_they_go() {
    let registry = Registry::open();
    let base = tiny_base(&registry.name, "deno", &["amd64", "arm64"]);
    let workflow = workflow();
    let dir = format!("{}-layout", workflow.path());
    let platforms = "linux/amd64,linux/arm64";
    let arguments = [
        "--builder",
        "oci",
        "--push",
        "--tag",
        "e:v1",
        "-r",
        &registry.name,
        "--base",
        &base,
        "--platform",
        platforms,
        "--to",
        &dir,
    ];
    let answer = build(&workflow, &arguments).exits(0).json();
    let index = registry.get("e/manifests/v1");
    let names: Vec<_> = entries(&index)
        .map(|it| text(&it["platform"]["architecture"]))
        .collect();
    assert_eq!(names, ["amd64", "arm64"]);
    for entry in entries(&index) {
        let manifest = registry.get(&format!("e/manifests/{}", text(&entry["digest"])));
        let config = registry.get(&format!("e/blobs/{}", text(&manifest["config"]["digest"])));
        assert_eq!(config["architecture"], entry["platform"]["architecture"]);
        for layer in manifest["layers"].as_array().expect("layers") {
            let path = format!("{dir}/blobs/{}", text(&layer["digest"]).replace(':', "/"));
            assert_eq!(
                fs::metadata(path).expect("a blob").len(),
                layer["size"].as_u64().expect("a size")
            );
        }
    }
    let layout: Value = json_file(&format!("{dir}/index.json"));
    assert_eq!(layout["manifests"][0]["digest"], answer["digest"]);
    assert!(fs::metadata(format!("{dir}/oci-layout")).is_ok());
    fs::remove_dir_all(dir).expect("removed");
}

#[test]
fn the_image_is_pushed_within_one_registry_without_moving_the_base() {
    let registry = Registry::open();
    let base = tiny_base(&registry.name, "deno", &["amd64"]);
    let home = tempfile::tempdir().expect("a directory");
    let workflow = workflow();
    let arguments = [
        "build",
        workflow.path(),
        "--builder",
        "oci",
        "--push",
        "-r",
        &registry.name,
        "--base",
        &base,
    ];
    tntc(arguments)
        .env("XDG_CACHE_HOME", home.path())
        .env("KUBECONFIG", "/dev/null")
        .run()
        .exits(0);
    let layer = "sha256-5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
    let kept = home.path().join("tentacular/blobs").join(layer);
    assert!(!kept.exists(), "the layer was fetched");
}

#[test]
fn an_output_replaces_an_image_and_nothing_else() {
    let registry = Registry::open();
    let base = tiny_base(&registry.name, "deno", &["amd64"]);
    let workflow = workflow();
    let foreign = format!("{}/nodes", workflow.path());
    build(
        &workflow,
        &["--builder", "oci", "--base", &base, "--to", &foreign],
    )
    .exits(2)
    .answers("exists and is not an OCI layout");
    let layout = format!("{}-layout", workflow.path());
    for _ in 0..2 {
        build(
            &workflow,
            &["--builder", "oci", "--base", &base, "--to", &layout],
        )
        .exits(0);
    }
    fs::remove_dir_all(layout).expect("removed");
}

#[test]
fn where_docker_does_not_answer_a_push_needs_none() {
    let registry = Registry::open();
    let base = tiny_base(&registry.name, "deno", &["amd64"]);
    let workflow = workflow();
    let answer = tntc([
        "build",
        workflow.path(),
        "-o",
        "json",
        "--push",
        "-r",
        &registry.name,
        "--base",
        &base,
    ])
    .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    .env("KUBECONFIG", "/dev/null")
    .run()
    .exits(0)
    .says("building without it");
    assert_eq!(answer.json()["builder"], "oci");
}

#[test]
fn the_archive_runs_sealed_in_docker_and_is_loaded_into_kind() {
    let base = mirrored_base();
    let workflow = workflow();
    let archive = format!("{}.tar", workflow.path());
    tntc([
        "build",
        workflow.path(),
        "--builder",
        "oci",
        "--base",
        &base,
        "--to",
        &archive,
        "--tag",
        "sealed:oci",
    ])
    .run()
    .exits(0)
    .says("loaded sealed:oci into kind cluster");
    program("docker", ["load", "--input", &archive]);
    fs::remove_file(&archive).expect("removed");
    crate::build::runs_sealed("sealed:oci", &workflow);
    crate::build::holds_no_tools("sealed:oci");
}

/// The base by a name that the test registry has it under, as a user's mirror would.
pub fn mirrored_base() -> String {
    let base = format!("{}/denoland/deno:distroless", test_registry());
    let known =
        std::panic::catch_unwind(|| get(&test_registry(), "denoland/deno/manifests/distroless"));
    if known.is_err() {
        program("docker", ["tag", "denoland/deno:distroless", &base]);
        program("docker", ["push", "--quiet", &base]);
    }
    base
}

fn entries(index: &Value) -> impl Iterator<Item = &Value> {
    index["manifests"].as_array().into_iter().flatten()
}

fn json_file(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("a file")).expect("JSON")
}

#[track_caller]
fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}
