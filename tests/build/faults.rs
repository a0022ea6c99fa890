//! What can go wrong in a build with Docker, and what is said of it.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;

use super::fake::Fake;
use crate::images::{Registry, mirrored_base, test_registry};
use crate::support::{Terminal, Workflow, example, interrupt, tntc};

#[test]
fn a_build_that_fails_shows_the_tail_of_its_output_and_leaves_nothing() {
    let workflow = Workflow::of_one_node("failing", "return 1;");
    let before = workflow.files();
    let docker = Fake::docker("build) for i in $(seq 100); do echo line $i; done; exit 7 ;;");
    let answer = docker.run(["build", workflow.path()]).run().exits(1);
    let answer = answer
        .says("docker build of tentacular-engine:latest failed")
        .says("line 100");
    assert!(!answer.stderr.contains("line 70\n"), "{}", answer.stderr);
    let envelope = docker
        .run(["build", workflow.path(), "-o", "json"])
        .run()
        .exits(1)
        .json();
    assert_eq!(envelope["status"], "fail");
    let cause = envelope["cause"].as_array().expect("the tail");
    assert!(cause.contains(&"line 100".into()), "{cause:?}");
    assert_eq!(workflow.files(), before);
    docker.left_nothing();
}

/// The signal reaches the container program as well: both are in the terminal's foreground.
#[test]
fn ctrl_c_on_a_terminal_ends_the_build_and_leaves_nothing() {
    let workflow = Workflow::of_one_node("interrupted", "return 1;");
    let before = workflow.files();
    let docker = Fake::docker("build) echo started >>\"$SEEN\"; exec sleep 600 ;;");
    let mut terminal = Terminal::start(docker.run(["build", workflow.path()]));
    docker.wait_for("started");
    terminal.types("\u{3}");
    let (status, shown) = terminal.ends();
    assert_eq!(status, 130, "{shown}");
    assert!(
        shown.contains("nothing was remembered for deploy"),
        "{shown}"
    );
    assert_eq!(workflow.files(), before);
    docker.left_nothing();
}

#[test]
fn ctrl_c_ends_the_build_and_leaves_nothing() {
    let workflow = Workflow::of_one_node("interrupted", "return 1;");
    let before = workflow.files();
    let docker = Fake::docker("build) echo started >>\"$SEEN\"; exec sleep 600 ;;");
    let mut command = docker.run(["build", workflow.path()]).command();
    let build = command.stderr(Stdio::piped()).spawn().expect("tntc starts");
    docker.wait_for("started");
    interrupt(build.id());
    let output = build.wait_with_output().expect("tntc ends");
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing was remembered for deploy"));
    assert_eq!(workflow.files(), before);
    docker.left_nothing();
}

#[test]
fn without_the_kind_program_the_command_to_run_is_told() {
    let workflow = Workflow::of_one_node("unkind", "return 1;");
    let docker = Fake::docker("");
    docker
        .run(["build", workflow.path(), "--tag", "e:v1"])
        .env(
            "KUBECONFIG",
            std::env::var("KUBECONFIG").expect("KUBECONFIG"),
        )
        .run()
        .exits(0)
        .says("kind load docker-image --name tntc e:v1");
}

/// A kubeconfig of a kind cluster that nobody has to answer for.
fn of_kind(dir: &Path) -> String {
    let path = dir.join("kubeconfig");
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "kind-box",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [{"name": "kind-box", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}]});
    fs::write(&path, config.to_string()).expect("a file");
    path.display().to_string()
}

/// A docker that has an image with this ID, and nodes of kind that have these.
fn with_nodes(built: &str, nodes: &[(&str, &str)]) -> Fake {
    let has: Vec<_> = nodes
        .iter()
        .map(|(node, id)| format!("{node}) echo '{{\"status\":{{\"id\":\"{id}\"}}}}' ;;\n"))
        .collect();
    let has = has.concat();
    let docker = format!(
        "image) echo '[{{\"Id\":\"{built}\",\"Os\":\"linux\",\"Architecture\":\"amd64\"}}]' ;;\nexec) case $2 in\n{has}*) exit 1 ;;\nesac ;;"
    );
    let names: Vec<_> = nodes.iter().map(|(node, _)| *node).collect();
    let kind = format!(
        "get) echo '{}' ;;\nload) echo \"$@\" >>$SEEN ;;",
        names.join("\n")
    );
    Fake::docker(&docker).and("kind", &kind)
}

#[test]
fn what_every_node_of_kind_has_is_not_loaded_again() {
    let workflow = Workflow::of_one_node("cached", "return 1;");
    let home = tempfile::tempdir().expect("a directory");
    let kubeconfig = of_kind(home.path());
    let build = |fake: &Fake| {
        fake.run(["build", workflow.path(), "--tag", "e:v1"])
            .env("KUBECONFIG", &kubeconfig)
            .run()
            .exits(0)
    };
    let everywhere = with_nodes(
        "sha256:aa",
        &[("box-1", "sha256:aa"), ("box-2", "sha256:aa")],
    );
    build(&everywhere).says("kind cluster 'box' has e:v1 already");
    assert_eq!(everywhere.seen(), "");
    // Another build on one node, no such image on one, and a node that cannot be asked.
    for nodes in [
        &[("box-1", "sha256:aa"), ("box-2", "sha256:bb")][..],
        &[("box-1", ""), ("box-2", "sha256:aa")],
        &[],
    ] {
        let fake = with_nodes("sha256:aa", nodes);
        build(&fake).says("loaded e:v1 into kind cluster 'box'");
        assert_eq!(
            fake.seen(),
            "load docker-image --name box e:v1\n",
            "{nodes:?}"
        );
    }
}

#[test]
fn a_context_that_does_not_exist_fails_a_build_before_it_begins() {
    let workflow = Workflow::of_one_node("lost", "return 1;");
    let home = tempfile::tempdir().expect("a directory");
    let docker = Fake::docker("build) echo built >>$SEEN ;;");
    docker
        .run(["build", workflow.path(), "--context", "nope"])
        .env("KUBECONFIG", of_kind(home.path()))
        .run()
        .exits(3)
        .says("no context `nope`")
        .says("kind-box");
    assert_eq!(docker.seen(), "");
}

#[test]
fn without_a_docker_program_the_surroundings_are_at_fault() {
    let workflow = example("word-counter");
    tntc(["build", workflow.path()])
        .env("PATH", "/nonexistent")
        .run()
        .exits(3)
        .says("no docker program on PATH")
        .says("--builder oci");
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
        .says("docker push of 127.0.0.1:9/tentacular-engine:latest failed: the registry 127.0.0.1:9 does not answer");
    assert!(
        !workflow
            .files()
            .contains(&".tentacular/base-image.txt".to_owned())
    );
}

#[test]
fn a_registry_that_wants_credentials_fails_dockers_push_with_the_way_to_log_in() {
    let registry = Registry::with_password();
    let workflow = Workflow::of_one_node("stranger", "return 1;");
    tntc([
        "build",
        workflow.path(),
        "-r",
        &registry.name,
        "--push",
        "--builder",
        "docker",
    ])
    .env("DOCKER_CONFIG", "/nonexistent")
    .run()
    .exits(3)
    .says(&format!("docker login {}", registry.name));
}

#[test]
fn a_base_that_docker_cannot_find_is_told() {
    let workflow = Workflow::of_one_node("baseless", "return 1;");
    let base = format!("{}/no/such:base", test_registry());
    tntc(["build", workflow.path(), "--base", &base])
        .run()
        .exits(3)
        .says(&format!(
            "docker pull of {base} failed: there is no image {base}"
        ))
        .says("--base");
}

#[test]
fn a_platform_that_the_base_lacks_fails_dockers_build() {
    let workflow = Workflow::of_one_node("elsewhere", "return 1;");
    let base = mirrored_base();
    tntc([
        "build",
        workflow.path(),
        "--base",
        &base,
        "--platform",
        "linux/riscv64",
    ])
    .run()
    .exits(3)
    .says("does not have this platform");
}

#[test]
fn what_is_no_platform_or_tag_is_wrong_usage() {
    let workflow = Workflow::of_one_node("wrong", "return 1;");
    tntc(["build", workflow.path(), "--platform", "arm"])
        .run()
        .exits(2)
        .says("`arm` is not a valid platform");
    tntc(["build", workflow.path(), "--tag", "Not A Tag"])
        .run()
        .exits(2)
        .says("not a valid image reference");
}
