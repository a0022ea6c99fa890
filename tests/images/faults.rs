//! What lies between an image and a registry, and what is said when it breaks.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;

use super::registry::Cutting;
use super::tokens::{self, TokenServer};
use super::{Registry, tiny_base};
use crate::support::{Answer, Tntc, Workflow, tntc};

fn workflow() -> Workflow {
    Workflow::of_one_node("faulty", "return 1;")
}

/// `tntc build --builder oci --push` without any kubeconfig and with a cache of its own.
fn push(workflow: &Workflow, registry: &str, base: &str, home: &Path) -> Tntc {
    tntc([
        "build",
        workflow.path(),
        "--builder",
        "oci",
        "--push",
        "--tag",
        "team/e:v1",
        "-r",
        registry,
        "--base",
        base,
    ])
    .env("KUBECONFIG", "/dev/null")
    .env("HOME", home)
    .env("XDG_CACHE_HOME", home.join("cache"))
    .env("DOCKER_CONFIG", home.join("docker"))
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn log_in(home: &Path, config: &serde_json::Value) {
    fs::create_dir_all(home.join("docker")).expect("a directory");
    fs::write(home.join("docker/config.json"), config.to_string()).expect("a file");
}

#[track_caller]
fn remembers_nothing(workflow: &Workflow) {
    assert!(
        !workflow
            .files()
            .contains(&".tentacular/base-image.txt".to_owned())
    );
}

#[test]
fn a_registry_that_wants_credentials_says_how_to_log_in() {
    let (source, registry) = (Registry::open(), Registry::with_password());
    let base = tiny_base(&source.name, "deno", &["amd64"]);
    let (workflow, home) = (workflow(), home());
    let answer = push(&workflow, &registry.name, &base, home.path())
        .run()
        .exits(3);
    let answer = answer
        .says(&format!(
            "the registry {} refuses these credentials, or wants some",
            registry.name
        ))
        .says(&format!("docker login {}", registry.name));
    for raw in ["401", "UNAUTHORIZED", "authentication required"] {
        assert!(!answer.stderr.contains(raw), "{}", answer.stderr);
    }
    remembers_nothing(&workflow);
}

#[test]
fn credentials_come_from_dockers_config() {
    let (source, registry) = (Registry::open(), Registry::with_password());
    let base = tiny_base(&source.name, "deno", &["amd64"]);
    let home = home();
    // base64 of user:sesame
    log_in(
        home.path(),
        &serde_json::json!({"auths": {&registry.name: {"auth": "dXNlcjpzZXNhbWU="}}}),
    );
    push(&workflow(), &registry.name, &base, home.path())
        .run()
        .exits(0);
}

#[test]
fn dockers_config_may_begin_with_a_byte_order_mark() {
    let (source, registry) = (Registry::open(), Registry::with_password());
    let base = tiny_base(&source.name, "deno", &["amd64"]);
    let home = home();
    let config = serde_json::json!({"auths": {&registry.name: {"auth": "dXNlcjpzZXNhbWU="}}});
    log_in(home.path(), &config);
    let file = home.path().join("docker/config.json");
    fs::write(file, format!("\u{feff}{config}")).expect("a file");
    push(&workflow(), &registry.name, &base, home.path())
        .run()
        .exits(0);
}

#[test]
fn an_empty_auth_is_none_and_a_file_that_is_not_valid_is_told() {
    let (source, registry) = (Registry::open(), Registry::open());
    let base = tiny_base(&source.name, "deno", &["amd64"]);
    let (workflow, home) = (workflow(), home());
    let push = || push(&workflow, &registry.name, &base, home.path()).run();
    let logins = serde_json::json!({&registry.name: {"auth": ""}, &source.name: {"auth": "", "identitytoken": ""}});
    log_in(home.path(), &serde_json::json!({"auths": logins}));
    push().exits(0);
    let file = home.path().join("docker/config.json");
    fs::write(&file, "{\n  sesame").expect("a file");
    let answer = push()
        .exits(3)
        .says(&format!(
            "cannot read the credentials in {}",
            file.display()
        ))
        .says("it is not valid JSON at line 2");
    assert!(!answer.stderr.contains("sesame"), "{}", answer.stderr);
}

/// As `az acr login` leaves them.
fn identity(registry: &str, token: &str) -> serde_json::Value {
    let login = serde_json::json!({"auth": "dXNlcjo=", "identitytoken": token});
    serde_json::json!({"auths": {registry: login}})
}

#[test]
fn an_identity_token_is_traded_for_one_that_opens_the_repository() {
    let (source, server) = (Registry::open(), TokenServer::start());
    let registry = Registry::with_tokens(&server);
    let base = tiny_base(&source.name, "deno", &["amd64"]);
    let home = home();
    log_in(home.path(), &identity(&registry.name, tokens::IDENTITY));
    push(&workflow(), &registry.name, &base, home.path())
        .run()
        .exits(0);
}

#[test]
fn an_identity_token_that_is_refused_says_how_to_log_in_and_is_not_shown() {
    let (source, server) = (Registry::open(), TokenServer::start());
    let registry = Registry::with_tokens(&server);
    let base = tiny_base(&source.name, "deno", &["amd64"]);
    let (workflow, home) = (workflow(), home());
    log_in(home.path(), &identity(&registry.name, "expired-sesame"));
    let answer = push(&workflow, &registry.name, &base, home.path())
        .run()
        .exits(3);
    let answer = answer
        .says(&format!(
            "the registry {} refuses these credentials, or wants some",
            registry.name
        ))
        .says(&format!("docker login {}", registry.name));
    assert!(!answer.stderr.contains("expired-sesame"));
    remembers_nothing(&workflow);
}

#[test]
fn credentials_come_from_a_helper() {
    let (source, registry) = (Registry::open(), Registry::with_password());
    let base = tiny_base(&source.name, "deno", &["amd64"]);
    let home = home();
    let helper =
        "#!/bin/sh\ncat >/dev/null\necho '{\"Username\": \"user\", \"Secret\": \"sesame\"}'\n";
    executable(&home.path().join("docker-credential-test"), helper);
    log_in(
        home.path(),
        &serde_json::json!({"credHelpers": {&registry.name: "test"}}),
    );
    let path = format!(
        "{}:{}",
        home.path().display(),
        std::env::var("PATH").expect("a PATH")
    );
    push(&workflow(), &registry.name, &base, home.path())
        .env("PATH", path)
        .run()
        .exits(0);
}

#[test]
fn a_helper_that_fails_is_named() {
    let (source, registry) = (Registry::open(), Registry::with_password());
    let base = tiny_base(&source.name, "deno", &["amd64"]);
    let home = home();
    executable(
        &home.path().join("docker-credential-test"),
        "#!/bin/sh\ncat >/dev/null\necho the keychain is locked\nexit 1\n",
    );
    log_in(
        home.path(),
        &serde_json::json!({"credHelpers": {&registry.name: "test"}}),
    );
    let path = format!(
        "{}:{}",
        home.path().display(),
        std::env::var("PATH").expect("a PATH")
    );
    push(&workflow(), &registry.name, &base, home.path())
        .env("PATH", path)
        .run()
        .exits(3)
        .says(&format!("cannot read the credentials of {}", registry.name))
        .says("the keychain is locked");
}

#[test]
fn tls_is_trusted_by_the_systems_authorities_alone() {
    let (source, registry) = (Registry::open(), Registry::with_tls());
    let base = tiny_base(&source.name, "deno", &["amd64"]);
    let home = home();
    push(&workflow(), &registry.name, &base, home.path())
        .run()
        .exits(3)
        .says(&format!(
            "the certificate of {} is not trusted",
            registry.name
        ));
    push(&workflow(), &registry.name, &base, home.path())
        .env("SSL_CERT_FILE", registry.file("ca.pem"))
        .run()
        .exits(0);
}

#[test]
fn plain_http_is_spoken_to_other_machines_only_when_asked() {
    let (source, registry) = (Registry::open(), Registry::elsewhere("198.18.128.1"));
    let base = tiny_base(&source.name, "deno", &["amd64"]);
    let (workflow, home) = (workflow(), home());
    push(&workflow, &registry.name, &base, home.path())
        .run()
        .exits(3)
        .says("--plain-http");
    let mut command = push(&workflow, &registry.name, &base, home.path()).command();
    assert!(
        command
            .arg("--plain-http")
            .status()
            .expect("tntc runs")
            .success()
    );
}

#[test]
fn a_registry_that_is_down_is_told_by_name() {
    let source = Registry::open();
    let base = tiny_base(&source.name, "deno", &["amd64"]);
    let (workflow, home) = (workflow(), home());
    push(&workflow, "127.0.0.1:9", &base, home.path())
        .run()
        .exits(3)
        .says("push of 127.0.0.1:9/team/e:v1 failed: the registry 127.0.0.1:9 does not answer");
    remembers_nothing(&workflow);
}

#[test]
fn a_base_that_does_not_exist_is_told_with_the_way_to_name_another() {
    let registry = Registry::open();
    let base = format!("{}/no/base:v1", registry.name);
    push(&workflow(), &registry.name, &base, home().path())
        .run()
        .exits(3)
        .says(&format!("there is no image {base}"))
        .says("--base");
}

#[test]
fn a_platform_that_the_base_lacks_is_told_with_those_it_has() {
    let registry = Registry::open();
    let base = tiny_base(&registry.name, "deno", &["amd64", "arm64"]);
    let workflow = workflow();
    let mut command = push(&workflow, &registry.name, &base, home().path()).command();
    let output = command
        .args(["--platform", "linux/riscv64"])
        .output()
        .expect("tntc runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("does not have platform linux/riscv64"),
        "{said}"
    );
    assert!(said.contains("linux/amd64, linux/arm64"), "{said}");
}

#[test]
fn a_push_that_is_cut_once_is_tried_again() {
    let registry = Registry::open();
    let base = tiny_base(&registry.name, "deno", &["amd64"]);
    let cutting = Cutting::before(&registry.name, 1, 32 * 1024);
    push(&workflow(), &cutting.name, &base, home().path())
        .run()
        .exits(0);
    assert_eq!(cutting.cuts.load(Ordering::SeqCst), 1);
    assert_eq!(registry.get("team/e/tags/list")["tags"][0], "v1");
}

#[test]
fn a_push_that_is_cut_again_and_again_ends_with_a_clear_message() {
    let registry = Registry::open();
    let base = tiny_base(&registry.name, "deno", &["amd64"]);
    let cutting = Cutting::before(&registry.name, usize::MAX, 32 * 1024);
    let workflow = workflow();
    push(&workflow, &cutting.name, &base, home().path())
        .run()
        .exits(3)
        .says(&format!(
            "push of {0}/team/e:v1 failed: the connection to {0} broke, again and again",
            cutting.name
        ));
    assert_eq!(cutting.cuts.load(Ordering::SeqCst), 3);
    remembers_nothing(&workflow);
}

#[test]
fn a_disk_that_is_full_is_told() {
    let registry = Registry::open();
    let base = tiny_base(&registry.name, "deno", &["amd64"]);
    let workflow = workflow();
    let answer = on_a_small_disk(
        &["--builder", "oci", "--base", &base, "--to", "DISK/e.tar"],
        &workflow,
    );
    answer
        .exits(3)
        .says("No space left on device")
        .says("free some space");
    remembers_nothing(&workflow);
}

#[test]
fn a_full_disk_of_docker_is_told() {
    let workflow = workflow();
    let answer = on_a_small_disk(&["--builder", "docker"], &workflow);
    answer.exits(3).says("No space left on device");
    remembers_nothing(&workflow);
}

/// Runs `tntc build` where TMPDIR, DISK in the arguments, is a disk of 64 KiB that nobody else sees.
fn on_a_small_disk(arguments: &[&str], workflow: &Workflow) -> Answer {
    let disk = tempfile::tempdir().expect("a directory");
    let place = disk.path().display().to_string();
    let words: Vec<_> = arguments
        .iter()
        .map(|word| word.replace("DISK", &place))
        .collect();
    let output = Command::new("unshare")
        .args([
            "--mount",
            "sh",
            "-c",
            "mount -t tmpfs -o size=64k tmpfs \"$TMPDIR\" && exec \"$@\"",
            "sh",
        ])
        .args([env!("CARGO_BIN_EXE_tntc"), "build", workflow.path()])
        .args(words)
        .env("TMPDIR", &place)
        .env("KUBECONFIG", "/dev/null")
        .env("NO_COLOR", "1")
        .output()
        .expect("unshare runs");
    Answer {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Writes a script that can be run.
pub fn executable(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, script).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
}
