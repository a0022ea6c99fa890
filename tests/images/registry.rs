//! Registries of one test, bases too small to wait for, and connections that break.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::manifest::{ImageIndexEntry, OciImageIndex, Platform};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::tokens::TokenServer;
use crate::support::free_port;

/// How long a registry may take to listen.
const STARTS: Duration = Duration::from_secs(10);

/// A registry on a free port of this machine, gone with the test.
pub struct Registry {
    process: Child,
    pub name: String,
    pub dir: TempDir,
}

impl Registry {
    /// Plain HTTP, open to everyone.
    pub fn open() -> Self {
        Self::start("127.0.0.1", |_| json!({}))
    }

    /// Plain HTTP on an address that is not loopback.
    pub fn elsewhere(address: &str) -> Self {
        Self::start(address, |_| json!({}))
    }

    /// Plain HTTP, for `user` with the password `sesame`.
    pub fn with_password() -> Self {
        Self::start("127.0.0.1", |dir| {
            let file = dir.join("htpasswd");
            // As `htpasswd -nbB user sesame` writes it.
            let line = "user:$2y$05$abcdefghijklmnopqrstuuKcS.CYWVYVaLiiCKrrc0A5s3mGesJ9O";
            fs::write(&file, line).expect("a file");
            json!({"auth": {"htpasswd": {"realm": "test", "path": file}}})
        })
    }

    /// Plain HTTP, for whoever has a token of this server's.
    pub fn with_tokens(server: &TokenServer) -> Self {
        Self::start("127.0.0.1", |_| server.config())
    }

    /// TLS with a certificate that this registry's own authority, `ca.pem` in its directory, has signed.
    pub fn with_tls() -> Self {
        Self::start("127.0.0.1", |dir| {
            certificate(dir);
            json!({"http": {"tls": {"certificate": dir.join("tls.pem"), "key": dir.join("tls.key")}}})
        })
    }

    fn start(address: &str, more: impl FnOnce(&Path) -> Value) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let name = format!("{address}:{}", free_port(address));
        let mut config = json!({
            "version": "0.1",
            "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": dir.path().join("data")}},
            "http": {"addr": name},
        });
        merge(&mut config, &more(dir.path()));
        let file = dir.path().join("config.yaml");
        fs::write(&file, config.to_string()).expect("a file");
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry starts");
        let registry = Self { process, name, dir };
        registry.wait();
        registry
    }

    fn wait(&self) {
        let begun = Instant::now();
        while TcpStream::connect(&self.name).is_err() {
            assert!(begun.elapsed() < STARTS, "the registry does not listen");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// A file below the registry's directory.
    pub fn file(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// Asks the registry over plain HTTP.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        get(&self.name, path)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// What a registry answers under `/v2/`, whatever kind of manifest it is.
#[track_caller]
pub fn get(registry: &str, path: &str) -> Value {
    let accept = "Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                  application/vnd.docker.distribution.manifest.v2+json";
    let url = format!("http://{registry}/v2/{path}");
    let text = super::program("curl", ["-sS", "--fail", "-L", "-H", accept, &url]);
    serde_json::from_str(&text).expect("JSON")
}

/// Pushes a base of one small layer, for these architectures, and returns its reference.
pub fn tiny_base(registry: &str, repository: &str, architectures: &[&str]) -> String {
    let image = format!("{registry}/{repository}:base");
    // A second test finds the provider installed.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(push_base(&image, architectures));
    image
}

async fn push_base(image: &str, architectures: &[&str]) {
    let client = Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    });
    let auth = RegistryAuth::Anonymous;
    let mut manifests = Vec::new();
    for architecture in architectures {
        let tag: Reference = format!("{image}-{architecture}")
            .parse()
            .expect("a reference");
        // A tar of nothing: two blocks of zeros.
        let layer = ImageLayer::oci_v1(vec![0; 1024], None);
        let config = Config::oci_v1(config(architecture).into_bytes(), None);
        client
            .push(&tag, &[layer], config, &auth, None)
            .await
            .expect("a push");
        let (content, digest) = client
            .pull_manifest_raw(&tag, &auth, &["application/vnd.oci.image.manifest.v1+json"])
            .await
            .expect("a manifest");
        manifests.push(entry(digest, content.len(), architecture));
    }
    let index = OciImageIndex {
        schema_version: 2,
        media_type: Some("application/vnd.oci.image.index.v1+json".to_owned()),
        manifests,
        artifact_type: None,
        annotations: None,
    };
    let image: Reference = image.parse().expect("a reference");
    client
        .push_manifest_list(&image, &auth, index)
        .await
        .expect("an index");
}

fn config(architecture: &str) -> String {
    let diff_id = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
    json!({
        "architecture": architecture,
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "config": {"Env": ["DENO_DIR=/deno-dir/"], "Cmd": ["--help"], "Entrypoint": ["/bin/deno"]},
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created_by": "nothing"}],
    })
    .to_string()
}

fn entry(digest: String, size: usize, architecture: &str) -> ImageIndexEntry {
    let platform: Platform =
        serde_json::from_value(json!({"architecture": architecture, "os": "linux"}))
            .expect("a platform");
    ImageIndexEntry {
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        digest,
        size: i64::try_from(size).expect("small"),
        platform: Some(platform),
        annotations: None,
        artifact_type: None,
    }
}

/// A way to a registry on which some connections break after a number of bytes.
pub struct Cutting {
    pub name: String,
    /// Connections that were cut.
    pub cuts: Arc<AtomicUsize>,
}

impl Cutting {
    /// Cuts the first `times` connections that send more than `after` bytes to the registry.
    pub fn before(registry: &str, times: usize, after: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let name = listener.local_addr().expect("an address").to_string();
        let cuts = Arc::new(AtomicUsize::new(0));
        let (counted, registry) = (Arc::clone(&cuts), registry.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (cuts, registry) = (Arc::clone(&counted), registry.clone());
                thread::spawn(move || pass(client, &registry, &cuts, times, after));
            }
        });
        Self { name, cuts }
    }
}

fn pass(mut client: TcpStream, registry: &str, cuts: &AtomicUsize, times: usize, after: usize) {
    let Ok(mut server) = TcpStream::connect(registry) else {
        return;
    };
    let (Ok(mut answers), Ok(mut back)) = (server.try_clone(), client.try_clone()) else {
        return;
    };
    thread::spawn(move || std::io::copy(&mut answers, &mut back));
    let mut sent = 0;
    let mut piece = [0; 4096];
    while let Ok(read) = client.read(&mut piece) {
        sent += read;
        if sent > after && cuts.load(Ordering::SeqCst) < times {
            cuts.fetch_add(1, Ordering::SeqCst);
            break;
        }
        if read == 0 || server.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    drop(client.shutdown(std::net::Shutdown::Both));
    drop(server.shutdown(std::net::Shutdown::Both));
}

/// A certificate of this machine, `tls.pem`, signed by an authority of its own, `ca.pem`.
pub fn certificate(dir: &Path) {
    let script = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj /CN=test-authority -keyout ca.key -out ca.pem -addext basicConstraints=critical,CA:TRUE 2>/dev/null && \
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout tls.key \
        -out tls.csr 2>/dev/null && \
        printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\\nextendedKeyUsage=serverAuth\\n' >tls.ext && \
        openssl x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -days 2 -extfile tls.ext -out tls.pem 2>/dev/null";
    let done = Command::new("sh")
        .args(["-c", script])
        .current_dir(dir)
        .status();
    assert!(done.expect("openssl runs").success());
}

fn merge(into: &mut Value, more: &Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more.clone(),
    }
}
