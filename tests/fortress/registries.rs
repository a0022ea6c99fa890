//! Registries that behave badly: none of their answers ends the process, fills the memory, reaches a terminal raw or
//! learns a credential that is not for it.

use std::fmt::Write;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::attack::Layer::Tntc;
use super::attack::Outcome::{Blocked, Limit};
use super::attack::{Attack, tested};
use super::listener::{Listener, http};
use crate::support::{Answer, Workflow, tntc, wait_for};

const HERE: &str = "tests/fortress/registries.rs";
const RULED: &str = "no_answer_of_a_registry_ends_the_process_or_fills_the_memory";

const fn ruled(name: &'static str, what: &'static str) -> Attack {
    tested(name, what, Blocked(Tntc), HERE, RULED)
}

const fn own(name: &'static str, what: &'static str, test: &'static str) -> Attack {
    tested(name, what, Blocked(Tntc), HERE, test)
}

/// What registries try against `tntc build`.
pub const ATTACKS: &[Attack] = &[
    ruled("upload-nowhere", "begins an upload without a place"),
    ruled("upload-to-data", "sends an upload to a `data:` URL"),
    ruled("large-manifest", "answers a manifest without an end"),
    ruled("large-layer", "sends more of a layer than it said"),
    ruled("other-layer", "sends another layer than was asked for"),
    ruled(
        "other-manifest",
        "sends another manifest than its digest says",
    ),
    ruled("path-in-digest", "names a layer by a digest that is a path"),
    ruled("escapes", "puts escape sequences into an error"),
    ruled("page-as-error", "answers a page instead of an error"),
    ruled("broken-manifest", "sends a manifest that is not JSON"),
    ruled("redirect-loop", "redirects without an end"),
    ruled("redirect-to-file", "redirects to a file of this machine"),
    own(
        "token-with-line-break",
        "gives a token that cannot be sent",
        "a_token_that_cannot_be_sent_is_told",
    ),
    own(
        "redirect-of-identity",
        "redirects an identity token to another host",
        "an_identity_token_follows_no_redirect",
    ),
    own(
        "redirect-with-credentials",
        "redirects a request with credentials to another host",
        "credentials_stay_with_the_registry",
    ),
    own(
        "helper-is-a-path",
        "is configured with a credential helper that is a path or a command",
        "no_credential_helper_is_a_path_or_a_command",
    ),
    tested(
        "realm-elsewhere",
        "sends for a token to another host, which gets the password",
        Limit("as with Docker: a registry names who gives its tokens"),
        HERE,
        "a_realm_on_another_host_is_asked_as_docker_asks_it",
    ),
];

/// What a registry says to a request (`"GET /v2/…"`), before what a good one would say.
type Rule = fn(&str) -> Option<ResponseTemplate>;

struct Fake {
    server: MockServer,
    runtime: Runtime,
}

fn digest(content: &[u8]) -> String {
    let mut digest = "sha256:".to_owned();
    for byte in Sha256::digest(content) {
        write!(digest, "{byte:02x}").expect("a string takes everything");
    }
    digest
}

/// What the image's one layer is said to be.
const LAYER: &[u8] = b"a layer";

fn config() -> String {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "amd64",
    };
    json!({"architecture": architecture, "os": "linux", "config": {}, "history": [],
        "rootfs": {"type": "layers", "diff_ids": [digest(LAYER)]}})
    .to_string()
}

fn manifest() -> String {
    let descriptor = |kind: &str, content: &[u8]| json!({"mediaType": format!("application/vnd.oci.image.{kind}"), "digest": digest(content), "size": content.len()});
    json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("config.v1+json", config().as_bytes()),
        "layers": [descriptor("layer.v1.tar+gzip", LAYER)]})
    .to_string()
}

/// What a registry says that has the base and takes everything.
fn good(request: &str) -> ResponseTemplate {
    let bytes = |content: &[u8]| ResponseTemplate::new(200).set_body_bytes(content);
    let path = request.split(' ').nth(1).unwrap_or_default();
    if request.starts_with("POST") {
        return ResponseTemplate::new(202).insert_header("location", "/v2/upload/1");
    }
    if request.starts_with("PUT") {
        return ResponseTemplate::new(201);
    }
    if path == "/v2/" {
        return ResponseTemplate::new(200);
    }
    if path.contains("/base/manifests/") {
        return bytes(manifest().as_bytes()).insert_header(
            "docker-content-digest",
            digest(manifest().as_bytes()).as_str(),
        );
    }
    if path.ends_with(&digest(config().as_bytes())) && request.contains("/base/") {
        return bytes(config().as_bytes());
    }
    if path.ends_with(&digest(LAYER)) && request.contains("/base/") {
        return bytes(LAYER);
    }
    ResponseTemplate::new(404)
}

impl Fake {
    fn start(rule: Rule) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            let answer = move |request: &Request| {
                let line = format!("{} {}", request.method, request.url.path());
                rule(&line).unwrap_or_else(|| good(&line))
            };
            Mock::given(any()).respond_with(answer).mount(&server).await;
            server
        });
        Self { server, runtime }
    }

    /// Answers so from now on.
    fn answers(&self, answer: impl wiremock::Respond + 'static) {
        self.runtime.block_on(async {
            self.server.reset().await;
            Mock::given(any())
                .respond_with(answer)
                .mount(&self.server)
                .await;
        });
    }

    fn name(&self) -> String {
        self.server.address().to_string()
    }

    fn requests(&self) -> Vec<Request> {
        self.runtime
            .block_on(self.server.received_requests())
            .unwrap_or_default()
    }
}

/// A build into an archive, on a registry's base.
fn archive(home: &TempDir, registry: &str, workflow: &Workflow) -> crate::support::Tntc {
    let base = format!("{registry}/base:v1");
    let archive = home.path().join("e.tar").display().to_string();
    let arguments = ["build", workflow.path(), "--builder", "oci"];
    let arguments =
        arguments
            .into_iter()
            .chain(["--plain-http", "--to", &archive, "--base", &base]);
    tntc(arguments)
        .env("KUBECONFIG", "/dev/null")
        .env("HOME", home.path())
        .env("XDG_CACHE_HOME", home.path().join("cache"))
}

/// Builds on a registry's base and pushes there.
fn push(home: &TempDir, registry: &str, environment: &[(&str, String)]) -> Answer {
    let workflow = Workflow::of_one_node("hostile", "return 1;");
    let base = format!("{registry}/base:v1");
    let mut push = tntc([
        "build",
        workflow.path(),
        "--builder",
        "oci",
        "--push",
        "--plain-http",
        "--tag",
        "team/e:v1",
        "-r",
        registry,
        "--base",
        &base,
    ])
    .env("KUBECONFIG", "/dev/null")
    .env("HOME", home.path())
    .env("XDG_CACHE_HOME", home.path().join("cache"))
    .env("DOCKER_CONFIG", home.path().join("docker"));
    for (name, value) in environment {
        push = push.env(name, value);
    }
    push.run()
}

fn home() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn log_in(home: &TempDir, registry: &str, login: Value) {
    let mut config = json!({"auths": {}});
    config["auths"][registry] = login;
    std::fs::create_dir_all(home.path().join("docker")).expect("a directory");
    std::fs::write(home.path().join("docker/config.json"), config.to_string()).expect("a file");
}

#[test]
fn what_a_killed_pull_leaves_is_removed_by_the_next_build() {
    let slow: Rule = |request| {
        let is_layer = request.ends_with(&digest(LAYER));
        is_layer.then(|| ResponseTemplate::new(200).set_delay(Duration::from_mins(10)))
    };
    let (home, registry) = (home(), Fake::start(slow));
    let workflow = Workflow::of_one_node("killed", "return 1;");
    let mut build = archive(&home, &registry.name(), &workflow).command();
    build.stdout(Stdio::null()).stderr(Stdio::null());
    let mut build = build.spawn().expect("tntc starts");
    wait_for("the request for the layer", || {
        let mut requests = registry.requests().into_iter();
        requests.find(|it| it.url.path().ends_with(&digest(LAYER)))
    });
    build.kill().expect("a process");
    build.wait().expect("tntc ends");
    let left = || {
        let blobs = std::fs::read_dir(home.path().join("cache/tentacular/blobs"));
        let names = blobs
            .expect("a directory")
            .map(|it| it.expect("an entry").file_name());
        let names = names.filter(|it| !it.to_string_lossy().starts_with("sha256-"));
        names.collect::<Vec<_>>()
    };
    assert_eq!(left().len(), 1, "a killed process cannot clean up");
    let registry = Fake::start(|_| None);
    archive(&home, &registry.name(), &workflow).run().exits(0);
    assert_eq!(left(), Vec::<std::ffi::OsString>::new());
}

#[test]
fn an_upload_goes_on_where_the_registry_says_however_it_is_written() {
    for location in [
        "/v2/upload/1",
        "1?state=a",
        "./1",
        "?state=b",
        "//127.0.0.1:PORT/v2/x",
    ] {
        let fake = Fake::start(|_| None);
        let name = fake.name();
        let port = name.rsplit(':').next().expect("a port").to_owned();
        let location = location.replace("PORT", &port);
        let answer = move |request: &Request| {
            let line = format!("{} {}", request.method, request.url.path());
            if line.starts_with("POST") {
                return ResponseTemplate::new(202).insert_header("location", location.as_str());
            }
            good(&line)
        };
        fake.answers(answer);
        push(&home(), &name, &[]).exits(0);
    }
}

/// What a registry does, and what is said of it.
const RULES: [(Rule, &str); 12] = [
    (
        |line| line.starts_with("POST").then(|| ResponseTemplate::new(202)),
        "where the upload goes",
    ),
    (
        |line| {
            line.starts_with("POST")
                .then(|| ResponseTemplate::new(202).insert_header("location", "data:,x"))
        },
        "where the upload goes",
    ),
    (
        |line| {
            let is_manifest = line.starts_with("GET") && line.contains("/base/manifests/");
            is_manifest.then(|| ResponseTemplate::new(200).set_body_bytes(vec![b' '; 5 << 20]))
        },
        "the manifest is larger than 4 MiB",
    ),
    (
        |line| {
            let is_layer = line.starts_with("GET") && line.ends_with(&digest(LAYER));
            is_layer.then(|| ResponseTemplate::new(200).set_body_bytes(vec![b' '; 1 << 20]))
        },
        "is larger than its 7 bytes",
    ),
    (
        |line| {
            let is_layer = line.starts_with("GET") && line.ends_with(&digest(LAYER));
            is_layer.then(|| ResponseTemplate::new(200).set_body_bytes(b"another".to_vec()))
        },
        "what came is not sha256:",
    ),
    (
        |line| {
            let refusal =
                json!({"errors": [{"code": "DENIED", "message": "\u{1b}[2J\u{9b}31m\u{202e}no"}]});
            line.starts_with("PUT")
                .then(|| ResponseTemplate::new(400).set_body_json(refusal))
        },
        "DENIED",
    ),
    (
        |line| {
            line.starts_with("PUT")
                .then(|| ResponseTemplate::new(413).set_body_string("<html>\u{1b}[2J</html>"))
        },
        "status 413",
    ),
    (
        |line| {
            line.contains("/base/manifests/")
                .then(|| ResponseTemplate::new(200).set_body_string("[1"))
        },
        "cannot be read",
    ),
    (
        |line| {
            let is_manifest = line.contains("/base/manifests/");
            let evil = manifest().replace(&digest(LAYER), "sha256:../../../../etc/passwd");
            is_manifest.then(|| ResponseTemplate::new(200).set_body_string(evil))
        },
        "sha256:../../../../etc/passwd",
    ),
    (
        |line| {
            let pinned = line.starts_with("GET") && line.contains("/base/manifests/sha256:");
            pinned.then(|| ResponseTemplate::new(200).set_body_string("{\"schemaVersion\": 2}"))
        },
        "digest",
    ),
    (
        |line| {
            let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
            target
                .contains("/base/manifests/")
                .then(|| ResponseTemplate::new(307).insert_header("location", target.as_str()))
        },
        "redirect",
    ),
    (
        |line| {
            line.contains("/base/manifests/")
                .then(|| ResponseTemplate::new(307).insert_header("location", "file:///etc/passwd"))
        },
        "",
    ),
];

#[test]
fn no_answer_of_a_registry_ends_the_process_or_fills_the_memory() {
    for (rule, told) in RULES {
        let fake = Fake::start(rule);
        let answer = push(&home(), &fake.name(), &[]).exits(3);
        let active = answer
            .stderr
            .chars()
            .find(|it| tntc_core::terminal::is_active(*it));
        assert_eq!(active, None, "{:?}", answer.stderr);
        answer.says(told);
    }
}

/// Leads to a realm that answers this.
fn with_realm(realm: fn() -> ResponseTemplate) -> Fake {
    let fake = Fake::start(|_| None);
    let challenge = format!(
        "Bearer realm=\"http://{}/token\",service=\"s\"",
        fake.name()
    );
    let answer = move |request: &Request| match request.url.path() {
        "/token" => realm(),
        "/v2/" => ResponseTemplate::new(401).insert_header("www-authenticate", challenge.as_str()),
        path => good(&format!("{} {path}", request.method)),
    };
    fake.answers(answer);
    fake
}

#[test]
fn a_token_that_cannot_be_sent_is_told() {
    let fake = with_realm(|| ResponseTemplate::new(200).set_body_json(json!({"token": "a\nb"})));
    push(&home(), &fake.name(), &[])
        .exits(3)
        .says("token holds a control character");
}

#[test]
fn an_identity_token_follows_no_redirect() {
    let fake = with_realm(|| ResponseTemplate::new(307).insert_header("location", "/stolen"));
    let home = home();
    log_in(
        &home,
        &fake.name(),
        json!({"auth": "dXNlcjo=", "identitytoken": "identity-sesame"}),
    );
    let answer = push(&home, &fake.name(), &[]).exits(3);
    assert!(
        !answer.stderr.contains("identity-sesame"),
        "{}",
        answer.stderr
    );
    assert!(
        fake.requests()
            .iter()
            .all(|request| request.url.path() != "/stolen")
    );
}

#[test]
fn a_registry_is_reached_by_the_environments_proxy_and_past_it() {
    // A registry that is asked as a proxy gets whole URLs, and answers them by their paths.
    let fake = Fake::start(|_| None);
    let proxy = format!("http://ada:p%40ss@{}", fake.name());
    push(&home(), "registry.test", &[("HTTP_PROXY", proxy.clone())]).exits(0);
    let login = "Basic YWRhOnBAc3M=";
    let logged_in = |request: &Request| {
        let header = request.headers.get("proxy-authorization");
        header.is_some_and(|header| header.as_bytes() == login.as_bytes())
    };
    assert!(fake.requests().iter().all(logged_in));
    for no_proxy in ["registry.test", ".test", "registry.test:80", "*"] {
        let environment = [
            ("HTTP_PROXY", proxy.clone()),
            ("NO_PROXY", no_proxy.to_owned()),
        ];
        push(&home(), "registry.test", &environment).exits(3);
    }
    // The registry's own address is this machine's, which no proxy is for.
    let nobody = "http://127.0.0.1:9".to_owned();
    push(&home(), &fake.name(), &[("HTTP_PROXY", nobody)]).exits(0);
}

/// What a base leads to that is stored somewhere else.
#[test]
fn credentials_stay_with_the_registry() {
    let elsewhere = Listener::start(http(
        "200 OK",
        "",
        std::str::from_utf8(LAYER).expect("text"),
    ));
    let location = format!("http://localhost:{}/layer", elsewhere.port);
    let fake = Fake::start(|_| None);
    let answer = move |request: &Request| {
        let path = request.url.path();
        if path == "/v2/" {
            return ResponseTemplate::new(401)
                .insert_header("www-authenticate", "Basic realm=\"r\"");
        }
        let is_layer = request.method.as_str() == "GET" && path.ends_with(&digest(LAYER));
        if is_layer {
            return ResponseTemplate::new(307).insert_header("location", location.as_str());
        }
        good(&format!("{} {path}", request.method))
    };
    fake.answers(answer);
    let home = home();
    // ada:sesame
    log_in(&home, &fake.name(), json!({"auth": "YWRhOnNlc2FtZQ=="}));
    push(&home, &fake.name(), &[]).exits(0);
    let with_password = |request: &Request| request.headers.contains_key("authorization");
    assert!(fake.requests().iter().any(with_password));
    let asked = elsewhere.requests().join("\n").to_lowercase();
    assert!(asked.contains("get /layer"), "{asked}");
    assert!(!asked.contains("authorization"), "{asked}");
}

#[test]
fn a_realm_on_another_host_is_asked_as_docker_asks_it() {
    let realm = Listener::start(http("200 OK", "", "{\"token\": \"t\"}"));
    let challenge = format!(
        "Bearer realm=\"http://localhost:{}/token\",service=\"s\"",
        realm.port
    );
    let fake = Fake::start(|_| None);
    fake.answers(move |request: &Request| match request.url.path() {
        "/v2/" => ResponseTemplate::new(401).insert_header("www-authenticate", challenge.as_str()),
        path => good(&format!("{} {path}", request.method)),
    });
    let home = home();
    log_in(&home, &fake.name(), json!({"auth": "YWRhOnNlc2FtZQ=="}));
    push(&home, &fake.name(), &[]).exits(0);
    assert!(realm.requests()[0].contains("YWRhOnNlc2FtZQ=="));
}

#[test]
fn no_credential_helper_is_a_path_or_a_command() {
    let home = home();
    let planted = home.path().join("planted");
    let script = format!("#!/bin/sh\ntouch {}/ran\n", home.path().display());
    crate::images::executable(&planted, &script);
    let planted = planted.display().to_string();
    let fake = Fake::start(|_| None);
    for helper in [
        format!("/../..{planted}"),
        format!("$({planted})"),
        format!("; {planted}"),
        format!("-x {planted}"),
    ] {
        let config = json!({"credHelpers": {fake.name(): helper}});
        std::fs::create_dir_all(home.path().join("docker")).expect("a directory");
        std::fs::write(home.path().join("docker/config.json"), config.to_string()).expect("a file");
        push(&home, &fake.name(), &[]).exits(3);
        assert!(!home.path().join("ran").exists(), "{helper} ran");
    }
}
