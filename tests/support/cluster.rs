//! Namespaces of the test cluster, and images that it can run.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use super::{example, tntc};

/// Runs kubectl to the end; panics with its message when it fails.
#[track_caller]
pub fn kubectl<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    let output = Command::new("kubectl")
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    let output = output.expect("kubectl runs; `eval \"$(tests/cluster/env)\"` puts it on PATH");
    assert!(
        output.status.success(),
        "kubectl: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A namespace of one test, held to the Pod Security Standard `restricted`, and deleted with the test.
pub struct Namespace {
    pub name: String,
}

impl Namespace {
    /// A name that begins with `stem`, of a namespace that the test makes by other means.
    pub fn planned(stem: &str) -> Self {
        let name = format!("{stem}-{:x}", std::process::id() ^ unique());
        Self { name }
    }

    /// A new namespace whose name begins with `stem`.
    pub fn new(stem: &str) -> Self {
        let namespace = Self::planned(stem);
        kubectl(["create", "namespace", &namespace.name]);
        kubectl([
            "label",
            "namespace",
            &namespace.name,
            "pod-security.kubernetes.io/enforce=restricted",
        ]);
        namespace
    }

    /// The namespace itself as JSON.
    pub fn own(&self) -> Value {
        let text = kubectl(["get", "namespace", &self.name, "-o", "json"]);
        serde_json::from_str(&text).expect("JSON")
    }

    /// `kubectl -n <namespace>`.
    #[track_caller]
    pub fn kubectl<'a>(&'a self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        kubectl(["-n", self.name.as_str()].into_iter().chain(arguments))
    }

    /// `kubectl -n <namespace>`, and whether it succeeded.
    pub fn tries<'a>(&'a self, arguments: impl IntoIterator<Item = &'a str>) -> bool {
        let output = Command::new("kubectl")
            .args(["-n", self.name.as_str()])
            .args(arguments)
            .stdin(Stdio::null())
            .output();
        output.expect("kubectl runs").status.success()
    }

    /// `kubectl -n <namespace>` with this on standard input; what it prints, whether it succeeded or not.
    #[track_caller]
    pub fn pipes(&self, arguments: &[&str], input: &str) -> String {
        let mut kubectl = Command::new("kubectl")
            .args(["-n", self.name.as_str()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("kubectl runs");
        let mut stdin = kubectl.stdin.take().expect("a pipe");
        stdin
            .write_all(input.as_bytes())
            .expect("kubectl reads its input");
        drop(stdin);
        let output = kubectl.wait_with_output().expect("kubectl ends");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Creates an object in it.
    #[track_caller]
    pub fn create(&self, object: &Value) {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), object.to_string()).expect("an object");
        self.kubectl(["create", "-f", &file.path().display().to_string()]);
    }

    /// Objects of a kind, such as `pods`, as JSON.
    #[track_caller]
    pub fn list(&self, kind: &str) -> Vec<Value> {
        let text = self.kubectl(["get", kind, "-o", "json"]);
        let list: Value = serde_json::from_str(&text).expect("JSON");
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// One object as JSON.
    #[track_caller]
    pub fn get(&self, kind: &str, name: &str) -> Value {
        let text = self.kubectl(["get", kind, name, "-o", "json"]);
        serde_json::from_str(&text).expect("JSON")
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // A namespace takes ten seconds to go, which nobody has to wait for.
        let deleted = Command::new("kubectl")
            .args(["delete", "namespace", &self.name, "--wait=false"])
            .output();
        drop(deleted);
    }
}

fn unique() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed) << 16
}

/// The engine image, built by `tntc build` and loaded into the cluster once for all tests.
pub fn engine_image() -> &'static str {
    static BUILT: OnceLock<String> = OnceLock::new();
    BUILT.get_or_init(|| once_a_run("engine-image", || build(&["--tag", &engine_tag()])))
}

/// The engine image, pushed to the test registry once for all tests.
pub fn registry_image() -> &'static str {
    static PUSHED: OnceLock<String> = OnceLock::new();
    PUSHED.get_or_init(|| {
        let registry = std::env::var("TNTC_TEST_REGISTRY")
            .expect("TNTC_TEST_REGISTRY names a registry; `tests/cluster/env` prints it");
        once_a_run("registry-image", || {
            build(&["--registry", &registry, "--tag", &engine_tag(), "--push"])
        })
    })
}

/// What is made by the first test of a run that needs it, also where each test is a process of its own, as with
/// cargo-nextest: the others wait, and read what it was from a file.
fn once_a_run(name: &str, produce: impl FnOnce() -> String) -> String {
    let Ok(run) = std::env::var("NEXTEST_RUN_ID") else {
        return produce();
    };
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut file = (File::options().read(true).write(true).create(true))
        .truncate(false)
        .open(path)
        .expect("a file");
    file.lock().expect("nobody else writes it");
    let mut text = String::new();
    file.read_to_string(&mut text).expect("text");
    if let Some(known) = text.strip_prefix(&format!("{run} ")) {
        return known.to_owned();
    }
    let new = produce();
    file.set_len(0).expect("an empty file");
    file.rewind().expect("its beginning");
    write!(file, "{run} {new}").expect("a written file");
    new
}

/// A tag for each checkout, so that two of them can use one cluster at a time.
fn engine_tag() -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut checkout = DefaultHasher::new();
    env!("CARGO_MANIFEST_DIR").hash(&mut checkout);
    format!("tentacular-engine:end-to-end-{:x}", checkout.finish())
}

fn build(arguments: &[&str]) -> String {
    let workflow = example("word-counter");
    let all = ["build", workflow.path(), "-o", "json"]
        .into_iter()
        .chain(arguments.iter().copied());
    let answer = tntc(all).run().exits(0);
    answer.json()["image"]
        .as_str()
        .expect("an image")
        .to_owned()
}
