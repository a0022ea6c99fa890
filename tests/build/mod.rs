//! `tntc build` with a real Docker, and with programs that only look like one.

mod cuts;
pub mod fake;
mod faults;
mod podman;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use self::fake::Fake;
use crate::images::{Registry, program, registry_get, test_registry, tiny_base};
use crate::support::{Terminal, Workflow, engine_image, example, tntc};

/// How long a test waits for something that takes no time.
const SOON: Duration = Duration::from_secs(20);

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
    let manifests = tntc(["deploy", workflow.path(), "--dry-run", "-o", "json"])
        .run()
        .exits(0)
        .json();
    assert_eq!(image_of(&manifests), "tentacular-engine:remembered");
}

#[test]
fn the_image_holds_the_engine_its_entrypoint_and_no_tools() {
    let image = engine_image();
    let config = config_of(image);
    assert_eq!(config["WorkingDir"], "/app");
    assert_eq!(config["Entrypoint"][0], "deno");
    assert!(config["ExposedPorts"].get("8080/tcp").is_some(), "{config}");
    assert_eq!(
        config["Labels"]["org.opencontainers.image.base.name"],
        "denoland/deno:distroless"
    );
    assert_eq!(
        config["Labels"]["org.opencontainers.image.version"],
        env!("CARGO_PKG_VERSION")
    );
    holds_no_tools(image);
}

#[test]
fn the_image_starts_read_only_as_nobody_without_a_network() {
    runs_sealed(
        engine_image(),
        &Workflow::of_one_node("sealed", "return 1;"),
    );
}

/// Docker copies files with the modes that they have, and another user than their owner runs the image.
#[test]
fn what_a_user_keeps_to_himself_by_his_umask_is_readable_in_the_image() {
    let workflow = Workflow::of_one_node("masked", "return 1;");
    let build = tntc(["build", workflow.path(), "--tag", "masked:v1"]).command();
    let program = build.get_program().display().to_string();
    let mut masked = Command::new("sh");
    masked.args(["-c", "umask 077; exec \"$@\"", "sh", &program]);
    masked.args(build.get_args()).env("NO_COLOR", "1");
    let output = masked.output().expect("sh runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    runs_sealed("masked:v1", &workflow);
}

/// Requires that an image serves a workflow with nothing but what it holds.
#[track_caller]
pub fn runs_sealed(image: &str, workflow: &Workflow) {
    let mount = format!("{}:/app/workflow:ro", workflow.path());
    let sealed = [
        "run",
        "--detach",
        "--read-only",
        "--user",
        "65534:65534",
        "--network",
        "none",
        "--cap-drop",
        "ALL",
    ];
    let rest = ["--volume", &mount, image];
    open_to_everyone(workflow.path());
    let container = program("docker", sealed.into_iter().chain(rest));
    let container = container.trim();
    let begun = Instant::now();
    let mut logs = String::new();
    while !logs.contains("listening") && begun.elapsed() < SOON {
        thread::sleep(Duration::from_millis(100));
        let output = Command::new("docker")
            .args(["logs", container])
            .output()
            .expect("docker runs");
        logs = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    }
    program("docker", ["rm", "--force", container]);
    assert!(logs.contains("listening"), "{logs}");
}

/// Temporary directories are their owner's alone.
fn open_to_everyone(path: &str) {
    let parent = Path::new(path)
        .parent()
        .expect("a parent")
        .display()
        .to_string();
    program("chmod", ["-R", "a+rX", &parent]);
}

/// Requires that an image has neither a shell nor a package manager, no workflow and no secret.
#[track_caller]
pub fn holds_no_tools(image: &str) {
    let container = program("docker", ["create", image]);
    let script = format!("docker export {} | tar -t", container.trim());
    let listed = program("sh", ["-c", &script]);
    program("docker", ["rm", container.trim()]);
    let tools = [
        "sh", "bash", "dash", "busybox", "apt", "apt-get", "dpkg", "apk", "rpm", "curl", "wget",
        "python3",
    ];
    for path in listed.lines() {
        let name = path.rsplit('/').next().unwrap_or_default();
        assert!(!tools.contains(&name), "{path} is in the image");
        let foreign = ["app/workflow/", "app/secrets/", ".secrets"];
        assert!(
            !foreign.iter().any(|part| path.contains(part)),
            "{path} is in the image"
        );
    }
    assert!(listed.contains("app/engine/main.ts"), "{listed}");
    assert!(!listed.contains("_test.ts"), "{listed}");
}

#[test]
fn buildkit_builds_it_as_the_legacy_builder_does() {
    let workflow = example("word-counter");
    tntc([
        "build",
        workflow.path(),
        "--tag",
        "tentacular-engine:buildkit",
        "-v",
    ])
    .env("PATH", format!("/usr/bin:{}", path()))
    .env("DOCKER_BUILDKIT", "1")
    .env("KUBECONFIG", "/dev/null")
    .run()
    .exits(0)
    .says("exporting");
    let (ours, legacy) = (
        config_of("tentacular-engine:buildkit"),
        config_of(engine_image()),
    );
    for key in ["Entrypoint", "WorkingDir", "ExposedPorts", "Env", "Labels"] {
        assert_eq!(ours[key], legacy[key], "{key}");
    }
}

#[test]
fn what_is_pushed_is_deployed_by_its_digest_and_on_kind_by_its_tag() {
    let workflow = Workflow::of_one_node("pinned", "return 1;");
    let registry = test_registry();
    let arguments = [
        "build",
        workflow.path(),
        "-r",
        &registry,
        "--tag",
        "team/pinned:v1",
        "--push",
        "-o",
        "json",
    ];
    let built = tntc(arguments).run().exits(0).json();
    let digest = built["digest"].as_str().expect("a digest");
    let tag = format!("{registry}/team/pinned:v1");
    assert_eq!(built["image"], tag.as_str());
    assert_eq!(
        workflow.read(".tentacular/base-image.txt"),
        format!("{tag}@{digest}\n")
    );
    let dry = |context| {
        let arguments = [
            "deploy",
            workflow.path(),
            "--dry-run",
            "-o",
            "json",
            "--context",
            context,
        ];
        tntc(arguments).run().exits(0).json()
    };
    let elsewhere = dry("tntc-testbed");
    assert_eq!(
        image_of(&elsewhere),
        format!("{registry}/team/pinned@{digest}")
    );
    let annotations = &deployment(&elsewhere)["metadata"]["annotations"];
    assert_eq!(annotations["tentacular.dev/image-tag"], tag.as_str());
    assert_eq!(image_of(&dry("kind-tntc")), tag);
}

#[test]
fn the_registry_of_a_config_file_goes_in_front_of_the_tag() {
    let workflow = Workflow::of_one_node("configured", "return 1;");
    workflow.write(
        ".tentacular/config.yaml",
        "registry: reg.example.com/team\n",
    );
    let docker = Fake::docker("");
    let image = |arguments: &[&str]| {
        let all = ["build", workflow.path(), "-o", "json"];
        let built = docker
            .run(all.iter().chain(arguments).copied())
            .run()
            .exits(0);
        built.json()["image"].as_str().expect("an image").to_owned()
    };
    assert_eq!(image(&[]), "reg.example.com/team/tentacular-engine:latest");
    assert_eq!(
        image(&["-r", "other.example.com"]),
        "other.example.com/tentacular-engine:latest"
    );
    assert_eq!(
        image(&["--tag", "third.example.com/e:v1"]),
        "third.example.com/e:v1"
    );
}

#[test]
fn a_base_from_the_command_line_or_a_config_file_is_what_is_built_on() {
    let workflow = Workflow::of_one_node("mirrored", "return 1;");
    workflow.write(
        ".tentacular/config.yaml",
        "base_image: mirror.example.com/deno:1\n",
    );
    let docker = Fake::docker("build) cat \"$3\" >>\"$SEEN\" ;;");
    docker
        .run(["build", workflow.path()])
        .run()
        .exits(2)
        .says("the base image mirror.example.com/deno:1 is chosen by ")
        .says("tntc configure --trust ");
    docker
        .run(["build", workflow.path()])
        .at_home(&workflow.trusting_home())
        .run()
        .exits(0);
    docker
        .run([
            "build",
            workflow.path(),
            "--base",
            "other.example.com/deno:2",
        ])
        .run()
        .exits(0);
    let from: Vec<_> = docker
        .seen()
        .lines()
        .filter(|line| line.starts_with("FROM"))
        .map(str::to_owned)
        .collect();
    assert_eq!(
        from,
        [
            "FROM mirror.example.com/deno:1",
            "FROM other.example.com/deno:2"
        ]
    );
}

#[test]
fn output_of_docker_is_streamed_when_verbose_and_folded_otherwise() {
    let workflow = Workflow::of_one_node("noisy", "return 1;");
    let docker = Fake::docker("build) echo Step 1/6; echo to stderr >&2 ;;");
    let quiet = docker.run(["build", workflow.path()]).run().exits(0);
    assert!(!quiet.stderr.contains("Step 1/6"), "{}", quiet.stderr);
    let verbose = docker.run(["build", workflow.path(), "-v"]).run().exits(0);
    verbose.says("Step 1/6").says("to stderr");
}

#[test]
fn on_a_terminal_the_output_moves_in_one_line_that_goes() {
    let workflow = Workflow::of_one_node("moving", "return 1;");
    let docker = Fake::docker("build) echo Step 1/6; sleep 1; echo Step 2/6; sleep 1 ;;");
    let build = || docker.run(["build", workflow.path()]);
    let (status, shown) = Terminal::start(build()).ends();
    assert_eq!(status, 0, "{shown}");
    let lines: Vec<_> = shown.split("\r\u{1b}[2K").collect();
    for step in ["Step 1/6", "Step 2/6"] {
        assert!(lines.iter().any(|line| line.contains(step)), "{shown:?}");
    }
    let last = lines.last().copied().unwrap_or_default();
    assert_eq!(last, "built tentacular-engine:latest\r\n", "{shown:?}");
    let (status, shown) = Terminal::start(build().env("TERM", "dumb")).ends();
    assert_eq!(status, 0, "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    assert!(
        shown.starts_with("building tentacular-engine:latest"),
        "{shown:?}"
    );
}

#[test]
fn two_builds_of_one_directory_take_turns() {
    let workflow = Workflow::of_one_node("twice", "return 1;");
    let docker = Fake::docker(
        "build) echo started >>\"$SEEN\"; while [ ! -e \"$SEEN.go\" ]; do sleep 0.05; done ;;",
    );
    let mut first = docker
        .run(["build", workflow.path(), "--tag", "e:first"])
        .command();
    let mut first = first.stderr(Stdio::null()).spawn().expect("tntc starts");
    docker.wait_for("started");
    let mut second = docker
        .run(["build", workflow.path(), "--tag", "e:second"])
        .command();
    let mut second = second.stderr(Stdio::piped()).spawn().expect("tntc starts");
    let said = BufReader::new(second.stderr.take().expect("a pipe"));
    let waits = |line: &std::io::Result<String>| {
        line.as_ref()
            .is_ok_and(|line| line.contains("another build of"))
    };
    let mut lines = said.lines();
    assert!(
        lines.any(|line| waits(&line)),
        "the second build does not wait"
    );
    docker.go();
    assert!(first.wait().expect("tntc ends").success());
    assert!(second.wait().expect("tntc ends").success());
    assert_eq!(workflow.read(".tentacular/base-image.txt"), "e:second\n");
}

#[test]
fn what_a_killed_build_leaves_is_removed_by_the_next() {
    let workflow = Workflow::of_one_node("killed", "return 1;");
    let docker = Fake::docker(
        "build) echo started >>\"$SEEN\"; while [ ! -e \"$SEEN.go\" ]; do sleep 0.05; done ;;",
    );
    let mut build = docker.run(["build", workflow.path()]).command();
    let mut build = build.stderr(Stdio::null()).spawn().expect("tntc starts");
    docker.wait_for("started");
    build.kill().expect("a process");
    build.wait().expect("tntc ends");
    docker.go();
    assert_eq!(docker.left().len(), 1, "a killed process cannot clean up");
    docker.run(["build", workflow.path()]).run().exits(0);
    docker.left_nothing();
}

#[test]
fn several_platforms_become_one_index_in_the_registry() {
    let registry = Registry::open();
    tiny_base(&registry.name, "e", &["amd64", "arm64"]);
    // What a daemon would have pushed is there already; the stand-in says which digest is whose.
    let digest = |tag| digest_of(&registry.name, "e", tag);
    let (amd64, arm64) = (digest("base-amd64"), digest("base-arm64"));
    let docker = Fake::docker(&format!(
        "image) echo '[{{\"Os\":\"linux\",\"Architecture\":\"'$(cat \"$SEEN.platform\" 2>/dev/null)'\"}}]' ;;
         pull) echo ${{3#linux/}} >\"$SEEN.platform\" ;;
         push) case $2 in *amd64) echo digest: {amd64} ;; *) echo digest: {arm64} ;; esac ;;"
    ));
    let workflow = Workflow::of_one_node("wide", "return 1;");
    let arguments = [
        "build",
        workflow.path(),
        "-r",
        &registry.name,
        "--tag",
        "e:v1",
        "--push",
        "--platform",
        "linux/amd64,linux/arm64",
        "-o",
        "json",
    ];
    let built = docker.run(arguments).run().exits(0).json();
    let index = registry_get(&registry.name, "e/manifests/v1");
    let digests: Vec<_> = index["manifests"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|it| &it["digest"])
        .collect();
    assert_eq!(digests, [amd64.as_str(), arm64.as_str()]);
    let remembered = workflow.read(".tentacular/base-image.txt");
    assert!(
        remembered
            .trim_end()
            .ends_with(built["digest"].as_str().expect("a digest"))
    );
    docker
        .run([
            "build",
            workflow.path(),
            "--platform",
            "linux/amd64,linux/arm64",
        ])
        .run()
        .exits(2)
        .says("only for a registry");
}

/// The digest that a registry has under a tag.
fn digest_of(registry: &str, repository: &str, tag: &str) -> String {
    let url = format!("http://{registry}/v2/{repository}/manifests/{tag}");
    let accept = "Accept: application/vnd.oci.image.manifest.v1+json";
    let head = program("curl", ["-sSI", "-H", accept, &url]).to_lowercase();
    let line = head
        .lines()
        .find(|line| line.starts_with("docker-content-digest"));
    let digest = line.and_then(|line| line.split_whitespace().last());
    digest.expect("a digest").to_owned()
}

fn path() -> String {
    std::env::var("PATH").expect("a PATH")
}

fn config_of(image: &str) -> Value {
    let inspected = program(
        "docker",
        ["image", "inspect", "--format", "{{json .Config}}", image],
    );
    serde_json::from_str(&inspected).expect("JSON")
}

fn deployment(envelope: &Value) -> &Value {
    let manifests = envelope["manifests"].as_array().expect("manifests");
    manifests
        .iter()
        .find(|object| object["kind"] == "Deployment")
        .expect("a Deployment")
}

fn image_of(envelope: &Value) -> &str {
    let containers = &deployment(envelope)["spec"]["template"]["spec"]["containers"];
    containers[0]["image"].as_str().expect("an image")
}
