//! Pushes of a container program through a network that is cut.

use std::sync::atomic::Ordering;

use super::podman::Podman;
use crate::images::{Cutting, Registry, mirrored_base};
use crate::support::{Answer, Tntc, Workflow, tntc};

/// Where the registry is, and what became of the push.
struct Push {
    registry: Registry,
    cutting: Cutting,
    workflow: Workflow,
    answer: Answer,
}

/// Builds, and pushes through a network that is cut as often as it may, after a few kilobytes.
fn push_through(cuts: usize, tntc: impl FnOnce(&[&str]) -> Tntc) -> Push {
    let registry = Registry::open();
    let cutting = Cutting::before(&registry.name, cuts, 64 * 1024);
    let workflow = Workflow::of_one_node("cut", "return 1;");
    let base = mirrored_base();
    let build = ["build", workflow.path(), "--base", &base, "--push"];
    let tag = ["--tag", "team/e:v1", "-r", &cutting.name];
    let answer = tntc(&[&build[..], &tag].concat()).run();
    Push {
        registry,
        cutting,
        workflow,
        answer,
    }
}

fn arrives_when_cut_once(tntc: impl FnOnce(&[&str]) -> Tntc) {
    let push = push_through(1, tntc);
    push.answer.exits(0);
    assert_eq!(push.cutting.cuts.load(Ordering::SeqCst), 1);
    assert_eq!(push.registry.get("team/e/tags/list")["tags"][0], "v1");
}

fn is_told_when_cut_again_and_again(program: &str, tntc: impl FnOnce(&[&str]) -> Tntc) {
    let push = push_through(usize::MAX, tntc);
    let failed = format!(
        "{program} push of {0}/team/e:v1 failed: the connection to {0} broke, again and again",
        push.cutting.name
    );
    let answer = push.answer.exits(3).says(&failed);
    assert!(!answer.stderr.contains("Retrying in"), "{}", answer.stderr);
    assert!(
        push.cutting.cuts.load(Ordering::SeqCst) > 1,
        "{program} did not try again"
    );
    let remembered = ".tentacular/base-image.txt".to_owned();
    assert!(!push.workflow.files().contains(&remembered));
}

fn docker(arguments: &[&str]) -> Tntc {
    tntc([arguments, &["--builder", "docker"]].concat())
}

#[test]
fn dockers_push_that_is_cut_once_arrives_all_the_same() {
    arrives_when_cut_once(docker);
}

#[test]
fn dockers_push_that_is_cut_again_and_again_ends_with_a_clear_message() {
    is_told_when_cut_again_and_again("docker", docker);
}

#[test]
fn podmans_push_that_is_cut_once_arrives_all_the_same() {
    let podman = Podman::new();
    arrives_when_cut_once(|arguments| podman.tntc(arguments.iter().copied()));
}

#[test]
fn podmans_push_that_is_cut_again_and_again_ends_with_a_clear_message() {
    let podman = Podman::new();
    is_told_when_cut_again_and_again("podman", |arguments| podman.tntc(arguments.iter().copied()));
}
