//! A registry of a test's own: it answers as it is told to, and otherwise as one that has a base and takes everything.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Mutex;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::{Answer, Tntc, Workflow, tntc};

/// What the base's one layer is said to be.
pub const LAYER: &[u8] = b"a layer";

/// A request, as a rule looks at it.
pub struct Ask {
    /// Such as `GET /v2/base/manifests/v1`.
    pub line: String,
    /// What follows the `?`.
    pub query: String,
    /// The header `Authorization`, empty where there is none.
    pub authorization: String,
    /// How often the same line came in before.
    pub before: usize,
    /// Host and port of the registry.
    pub registry: String,
}

impl Ask {
    pub fn is(&self, method: &str, part: &str) -> bool {
        self.line.starts_with(method) && self.line.contains(part)
    }

    /// Whether the base's one layer is asked for.
    pub fn is_layer(&self) -> bool {
        self.line.starts_with("GET") && self.line.ends_with(&digest(LAYER))
    }
}

/// What a registry says to a request, before what a good one would say.
pub type Rule = fn(&Ask) -> Option<ResponseTemplate>;

pub fn answer(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

/// An answer with an error as the specification writes one.
pub fn error(status: u16, code: &str, message: &str) -> ResponseTemplate {
    answer(status).set_body_json(json!({"errors": [{"code": code, "message": message}]}))
}

pub fn digest(content: &[u8]) -> String {
    let mut digest = "sha256:".to_owned();
    for byte in Sha256::digest(content) {
        write!(digest, "{byte:02x}").expect("a string takes everything");
    }
    digest
}

pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "amd64",
    }
}

pub fn config() -> String {
    json!({"architecture": architecture(), "os": "linux", "config": {}, "history": [],
        "rootfs": {"type": "layers", "diff_ids": [digest(LAYER)]}})
    .to_string()
}

pub fn manifest() -> String {
    let descriptor = |kind: &str, content: &[u8]| json!({"mediaType": format!("application/vnd.oci.image.{kind}"), "digest": digest(content), "size": content.len()});
    json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("config.v1+json", config().as_bytes()),
        "layers": [descriptor("layer.v1.tar+gzip", LAYER)]})
    .to_string()
}

/// What a registry says that has the base and takes everything.
pub fn good(line: &str) -> ResponseTemplate {
    let bytes = |content: &[u8]| answer(200).set_body_bytes(content);
    let path = line.split(' ').nth(1).unwrap_or_default();
    if line.starts_with("POST") {
        return answer(202).insert_header("location", "/v2/upload/1");
    }
    if line.starts_with("PUT") {
        return answer(201);
    }
    if path == "/v2/" {
        return answer(200);
    }
    if path.contains("/base/manifests/") {
        return bytes(manifest().as_bytes()).insert_header(
            "docker-content-digest",
            digest(manifest().as_bytes()).as_str(),
        );
    }
    if path.ends_with(&digest(config().as_bytes())) && line.contains("/base/") {
        return bytes(config().as_bytes());
    }
    if path.ends_with(&digest(LAYER)) && line.contains("/base/") {
        return bytes(LAYER);
    }
    answer(404)
}

pub struct Fake {
    server: MockServer,
    runtime: Runtime,
}

impl Fake {
    pub fn start(rule: Rule) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let server = runtime.block_on(MockServer::start());
        let (registry, counts) = (server.address().to_string(), Mutex::new(HashMap::new()));
        let fake = Self { server, runtime };
        fake.answers(move |request: &Request| {
            let line = format!("{} {}", request.method, request.url.path());
            let mut counts = counts.lock().expect("a lock");
            let count = counts.entry(line.clone()).or_insert(0);
            let authorization = request.headers.get("authorization");
            let ask = Ask {
                query: request.url.query().unwrap_or_default().to_owned(),
                authorization: authorization
                    .and_then(|header| header.to_str().ok())
                    .unwrap_or_default()
                    .to_owned(),
                before: *count,
                registry: registry.clone(),
                line,
            };
            *count += 1;
            rule(&ask).unwrap_or_else(|| good(&ask.line))
        });
        fake
    }

    /// Answers so from now on.
    pub fn answers(&self, answer: impl wiremock::Respond + 'static) {
        self.runtime.block_on(async {
            self.server.reset().await;
            Mock::given(any())
                .respond_with(answer)
                .mount(&self.server)
                .await;
        });
    }

    pub fn name(&self) -> String {
        self.server.address().to_string()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.runtime
            .block_on(self.server.received_requests())
            .unwrap_or_default()
    }
}

/// A build into an archive, on a registry's base.
pub fn archive(home: &TempDir, registry: &str, workflow: &Workflow) -> Tntc {
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
pub fn push(home: &TempDir, registry: &str, environment: &[(&str, String)]) -> Answer {
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

pub fn home() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

pub fn log_in(home: &TempDir, registry: &str, login: Value) {
    let mut config = json!({"auths": {}});
    config["auths"][registry] = login;
    std::fs::create_dir_all(home.path().join("docker")).expect("a directory");
    std::fs::write(home.path().join("docker/config.json"), config.to_string()).expect("a file");
}
