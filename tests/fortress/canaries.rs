//! Secrets, by planted values: followed through the whole life of a workflow, on disk, in the cluster, in what commands
//! say and in the arguments of processes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use super::attack::Layer::{Engine as TheEngine, Tntc};
use super::attack::Outcome::{Blocked, Limit};
use super::attack::{Attack, Layer, tested};
use crate::support::{Answer, Namespace, Workflow, engine_image, kubectl, node, tntc};

const HERE: &str = "tests/fortress/canaries.rs";
const LIFE: &str = "a_planted_secret_is_found_nowhere_but_in_its_file_and_its_secret";
const MASK: &str = "engine/core/mask_test.ts";

const fn followed(name: &'static str, what: &'static str, layer: Layer) -> Attack {
    tested(name, what, Blocked(layer), HERE, LIFE)
}

/// Where secrets are looked for.
pub const ATTACKS: &[Attack] = &[
    followed(
        "output",
        "what 14 commands print, as text, as JSON and with `-v`",
        Tntc,
    ),
    followed(
        "failure",
        "what is said of a run that throws the secret",
        TheEngine,
    ),
    followed("drift", "what is said of a deploy that is refused", Tntc),
    followed(
        "arguments",
        "arguments of processes, sampled all the while",
        Tntc,
    ),
    followed(
        "disk",
        "caches, temporary files and the directory, after each command",
        Tntc,
    ),
    followed(
        "image",
        "layers and settings of an image that is built",
        Tntc,
    ),
    followed(
        "objects",
        "every object of the namespace but the Secret, with its managed fields",
        Tntc,
    ),
    followed(
        "events",
        "events, and what `kubectl describe` says of pods",
        Tntc,
    ),
    followed(
        "logs",
        "logs of the engine, whose node prints the secret",
        TheEngine,
    ),
    followed(
        "afterwards",
        "what is left in the namespace after `undeploy`",
        Tntc,
    ),
    followed(
        "encoded",
        "the secret in base64, in all of these places",
        Tntc,
    ),
    tested(
        "output-of-a-node",
        "a node returns its secret",
        Limit("outputs are the workflow's answer and are not masked"),
        HERE,
        LIFE,
    ),
    tested(
        "hash",
        "guesses a short secret from the hash that pods show",
        Blocked(Tntc),
        "tests/deploy/provisioning.rs",
        "secrets_are_provisioned_changed_and_their_keys_removed",
    ),
    tested(
        "dry-run",
        "reads a secret from a dry run",
        Blocked(Tntc),
        "tests/deploy/provisioning.rs",
        "a_dry_run_shows_no_secret_value_and_changes_nothing",
    ),
    tested(
        "broken-file",
        "reads a secret from the error about its file",
        Blocked(Tntc),
        "tests/secrets.rs",
        "broken_secrets_name_the_place_and_never_the_text",
    ),
    tested(
        "masked-forms",
        "prints a secret URL-encoded, in base64, in hex, in JSON or as the console quotes it",
        Blocked(TheEngine),
        MASK,
        "a secret is hidden in base64, whatever stands before and after it",
    ),
    tested(
        "other-forms",
        "prints a secret reversed or in pieces",
        Limit("the mask is against carelessness, not against the node"),
        HERE,
        LIFE,
    ),
];

/// The values, each in another form: plain, over several lines, and with characters that formats escape.
const CANARIES: [&str; 3] = ["CANARYa4f0plain", "CANARYb81dlines", "CANARYc93equoted"];

/// What any of them looks like, plain or in base64 at each of its three alignments.
fn forms() -> Vec<String> {
    let mut forms = Vec::new();
    for canary in CANARIES {
        forms.push(canary.to_owned());
        for before in 0..3 {
            let padded = format!("{}{canary}", "x".repeat(before));
            let encoded = STANDARD.encode(padded);
            // The first and the last characters depend on what stands beside.
            let inner = &encoded[if before == 0 { 0 } else { 4 }..];
            let whole = inner.trim_end_matches('=');
            forms.push(whole[..whole.len() / 4 * 4 - 4].to_owned());
        }
    }
    forms
}

/// The first form that a text holds.
fn found(text: &[u8]) -> Option<String> {
    forms().into_iter().find(|form| {
        text.windows(form.len())
            .any(|window| window == form.as_bytes())
    })
}

/// Looks at the arguments of all processes until it is stopped; gives those that hold a secret.
struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<BTreeSet<String>>,
}

impl Watch {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !stopped.load(Ordering::Relaxed) {
                seen.extend(arguments().filter(|it| found(it.as_bytes()).is_some()));
                std::thread::sleep(Duration::from_millis(20));
            }
            seen
        });
        Self { stop, thread }
    }

    fn stop(self) -> BTreeSet<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("a thread that does not panic")
    }
}

fn arguments() -> impl Iterator<Item = String> {
    let processes = fs::read_dir("/proc").expect("/proc").map_while(Result::ok);
    processes.filter_map(|it| {
        let arguments = fs::read(it.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&arguments).into_owned())
    })
}

/// Somebody with a machine of their own: home, caches and temporary files.
struct User {
    home: TempDir,
    workflow: Workflow,
    namespace: Namespace,
}

/// The node uses its secret in each careless way.
const BODY: &str = "const all = [\"api\", \"pem\", \"odd\"].map((it) => ctx.dependency(it).secret ?? \"\");\n  \
    const secret = ctx.dependency(\"api\").secret ?? \"\", key = ctx.dependency(\"pem\").secret, odd = ctx.dependency(\"odd\").secret;\n  \
    const { fail, give } = input as { fail?: boolean; give?: boolean };\n  \
    ctx.log.info(\"using\", ...all, { secret, key, odd }, btoa(secret), btoa(`x${key}`));\n  \
    console.log(secret, JSON.stringify(all)); console.error(new Error(odd));\n  \
    if (fail) throw new Error(`cannot use ${secret}`, { cause: all });\n  \
    return give ? [secret, [...secret].reverse().join(\"\")] : \"done\";";

impl User {
    fn new() -> Self {
        let workflow = Workflow::of_one_node("careful", "");
        workflow.write("nodes/only.ts", &node(BODY));
        workflow.replace(
            "workflow.yaml",
            "dependencies: {}",
            "dependencies: {api: {protocol: https, host: api.example.com, auth: {type: bearer-token, secret: api.token}}, \
             pem: {protocol: https, host: pem.example.com, auth: {type: key, secret: pem.key}}, \
             odd: {protocol: https, host: odd.example.com, auth: {type: key, secret: odd.value}}}",
        );
        workflow.write(".secrets.yaml.example", "api: {token: write yours here}\n");
        workflow.write("tests/fixtures/only.json", "{\"input\": {}}");
        Self {
            home: tempfile::tempdir().expect("a directory"),
            workflow,
            namespace: Namespace::new("canaries"),
        }
    }

    fn provision(&self) {
        let [plain, lines, quoted] = CANARIES;
        let secrets = format!(
            "api:\n  token: {plain}\npem:\n  key: |\n    -----BEGIN KEY-----\n    {lines}\n    -----END KEY-----\n\
             odd:\n  value: 'a\"b\\{quoted}\\\"'\n"
        );
        self.workflow.write(".secrets.yaml", &secrets);
    }

    /// Runs a command; neither does it say a secret, nor does it leave one on the disk.
    #[track_caller]
    fn runs(&self, words: &[&str], status: i32) -> Answer {
        let answer = self.tntc(words).exits(status);
        for text in [&answer.stdout, &answer.stderr] {
            assert_eq!(found(text.as_bytes()), None, "{words:?}: {text}");
        }
        self.has_nothing_on_disk(words);
        answer
    }

    fn tntc(&self, words: &[&str]) -> Answer {
        let home = self.home.path();
        let temporary = home.join("tmp");
        fs::create_dir_all(&temporary).expect("a directory");
        tntc(words.iter().copied())
            .env("HOME", home)
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("TMPDIR", temporary)
            .run()
    }

    #[track_caller]
    fn has_nothing_on_disk(&self, words: &[&str]) {
        let dirs = [self.home.path(), Path::new(self.workflow.path())];
        let holding = grep(|grep| grep.args(["-rl", "--exclude=.secrets.yaml"]).args(dirs));
        assert_eq!(holding, "", "{words:?}");
    }

    /// With the workflow's directory and the namespace, as text, as JSON and with `-v`.
    #[track_caller]
    fn runs_in_all_ways(&self, words: &[&str], status: i32) {
        for more in [&[][..], &["-o", "json"], &["-v"]] {
            self.runs(&[words, more].concat(), status);
        }
    }

    /// Everything in the namespace but the Secret.
    fn objects(&self) -> String {
        let kinds = kubectl([
            "api-resources",
            "--namespaced",
            "--verbs=list",
            "-o",
            "name",
        ]);
        let kinds: Vec<_> = kinds.lines().filter(|it| *it != "secrets").collect();
        let kinds = kinds.join(",");
        let get = ["get", kinds.as_str(), "-o", "json", "--show-managed-fields"];
        self.namespace.kubectl(get)
    }

    #[track_caller]
    fn has_nothing_in_the_cluster(&self) {
        let describe = self
            .namespace
            .kubectl(["describe", "pods,deployments,replicasets"]);
        let logs = self
            .namespace
            .kubectl(["logs", "deployment/careful", "--timestamps"]);
        assert!(logs.contains("using"), "the node printed nothing: {logs}");
        for text in [self.objects(), describe, logs] {
            assert_eq!(found(text.as_bytes()), None, "{text}");
        }
    }
}

/// What grep finds of the secrets. It reads them from a file: its arguments are looked at, too.
fn grep(with: impl Fn(&mut Command) -> &mut Command) -> String {
    let patterns = tempfile::NamedTempFile::new().expect("a file");
    fs::write(patterns.path(), forms().join("\n")).expect("a file");
    let mut command = Command::new("grep");
    command.args(["-a", "-F", "-f"]).arg(patterns.path());
    let output = with(&mut command).output().expect("grep runs");
    assert!(output.status.code() < Some(2), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Layers are compressed: unpacks those of an image, and gives what grep finds in them.
fn in_layers(image: &str) -> String {
    let unpacked = tempfile::NamedTempFile::new().expect("a file");
    let script = "find \"$1\" -type f -exec gzip -dcf {} + > \"$2\"";
    let status = Command::new("sh")
        .args(["-c", script, "sh", image])
        .arg(unpacked.path())
        .status();
    assert!(status.expect("sh runs").success());
    assert!(
        unpacked.path().metadata().expect("a file").len() > 1 << 20,
        "no layers"
    );
    grep(|grep| grep.arg("-o").arg(unpacked.path()))
}

/// On this machine: from an empty file of secrets to an image.
fn prepare(user: &User) {
    let path = user.workflow.path();
    user.runs(&["secrets", "init", path], 0);
    user.provision();
    user.runs_in_all_ways(&["secrets", "check", path], 0);
    user.runs_in_all_ways(&["validate", path], 0);
    user.runs(&["visualize", "--write", path], 0);
    user.runs_in_all_ways(&["test", path], 0);
    user.runs_in_all_ways(&["run", "--local", path, "--input", "{}"], 0);
    user.runs_in_all_ways(&["run", "--local", path, "--input", "{\"fail\": true}"], 1);
    let base = crate::images::mirrored_base();
    let image = user.home.path().join("image").display().to_string();
    let oci = ["--builder", "oci", "--base", &base, "--to", &image];
    user.runs(&[&["build", path][..], &oci].concat(), 0);
    assert_eq!(in_layers(&image), "");
}

/// In the cluster: from a dry run to nothing.
fn live(user: &User) {
    let path = user.workflow.path();
    let namespace = user.namespace.name.as_str();
    let image = engine_image();
    let deploy = ["deploy", path, "-n", namespace, "--image", image];
    let runs = |input| ["run", "careful", "-n", namespace, "--input", input];
    user.runs_in_all_ways(&[&deploy[..], &["--dry-run"]].concat(), 0);
    user.runs(&[&deploy[..], &["--wait", "-v"]].concat(), 0);
    user.runs_in_all_ways(&runs("{}"), 0);
    user.runs_in_all_ways(&runs("{\"fail\": true}"), 1);
    for words in [
        &["list", "-n", namespace][..],
        &["status", "careful", "-n", namespace, "--detail"],
        &["logs", "careful", "-n", namespace],
        &["audit", path, "-n", namespace, "--image", image],
        &["cluster", "check", path, "-n", namespace],
    ] {
        user.runs_in_all_ways(words, 0);
    }
    user.has_nothing_in_the_cluster();
    user.workflow
        .replace("workflow.yaml", "secret: api.token", "secret: api.other");
    user.runs_in_all_ways(&deploy, 1);
    let given = user.tntc(&runs("{\"give\": true}")).exits(0);
    assert_eq!(
        found(given.stdout.as_bytes()).as_deref(),
        Some(CANARIES[0]),
        "the search finds nothing"
    );
    user.runs(&["undeploy", "careful", "-n", namespace, "--yes"], 0);
    let left = user.namespace.kubectl(["get", "secrets", "-o", "json"]);
    for text in [user.objects(), left] {
        assert_eq!(found(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_planted_secret_is_found_nowhere_but_in_its_file_and_its_secret() {
    let watch = Watch::start();
    let user = User::new();
    prepare(&user);
    live(&user);
    assert_eq!(watch.stop(), BTreeSet::new(), "arguments of processes");
}
