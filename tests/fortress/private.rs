//! What a run on this machine keeps on disk and in processes: for nobody else to read, and gone when it ends, however it
//! ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{Workflow, free_port, signal, tntc, wait_for};

/// Reached only when a test fails.
const SOON: Duration = Duration::from_mins(1);

/// A command under way whose engine never ends by itself, with a directory of its own for temporary files.
struct Running {
    tntc: Child,
    engine: u32,
    temporary: TempDir,
}

impl Running {
    /// Starts the command and waits until its node is at work, in a loop that lets nothing else happen in the engine.
    fn start(command: &[&str], workflow: &Workflow) -> Self {
        let temporary = tempfile::tempdir().expect("a directory");
        let arguments = command.iter().copied().chain([workflow.path()]);
        // Whatever started the tests may have ignored it.
        let mut command = std::process::Command::new("env");
        command
            .args(["--default-signal=HUP", env!("CARGO_BIN_EXE_tntc")])
            .args(arguments)
            .env("TMPDIR", temporary.path());
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut tntc = command.spawn().expect("tntc starts");
        let stderr = tntc.stderr.take().expect("a pipe");
        let engine = BufReader::new(stderr)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("engine=")?.1.trim().parse().ok())
            .expect("the node says its process");
        Self {
            tntc,
            engine,
            temporary,
        }
    }

    /// The directories that the command has made.
    fn left(&self) -> Vec<PathBuf> {
        entries(self.temporary.path())
    }

    fn ends(&mut self) {
        self.tntc.wait().expect("tntc ends");
        wait_for("the end of the engine", || ended(self.engine).then_some(()));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed leaves nothing running.
        drop(self.tntc.kill());
        drop(self.tntc.wait());
    }
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a directory");
    entries.map(|it| it.expect("an entry").path()).collect()
}

/// Gone, or dead and not yet asked for by its new parent.
fn ended(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
}

/// A node at work as soon as it is loaded, so that `dev` needs no request.
fn endless() -> Workflow {
    let workflow = Workflow::of_one_node("endless", "");
    let source = "console.error(`engine=${Deno.pid}`);\nfor (;;);\nexport default () => null;\n";
    workflow.write("nodes/only.ts", source);
    workflow.write(".secrets.yaml", "github: {token: ghp_hidden}\n");
    workflow
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[test]
fn nobody_else_can_read_the_secrets_of_a_local_run() {
    let running = Running::start(&["run", "--local"], &endless());
    let dirs = running.left();
    assert!(!dirs.is_empty());
    for dir in dirs {
        assert_eq!(mode(&dir), 0o700, "{}", dir.display());
        let files: Vec<_> = entries(&dir)
            .into_iter()
            .filter(|it| it.is_file())
            .collect();
        assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
    }
}

#[test]
fn a_signal_that_can_be_answered_leaves_nothing() {
    for name in ["-HUP", "-TERM", "-INT"] {
        let mut running = Running::start(&["run", "--local", "--timeout", "10m"], &endless());
        signal(running.tntc.id(), name);
        running.ends();
        assert_eq!(running.left(), Vec::<PathBuf>::new(), "{name}");
    }
}

#[test]
fn a_killed_run_takes_its_engine_along_and_the_next_one_cleans_up() {
    let port = free_port("127.0.0.1").to_string();
    for command in [&["run", "--local"][..], &["dev", "-p", &port]] {
        let mut running = Running::start(command, &endless());
        signal(running.tntc.id(), "-KILL");
        running.ends();
        let next = Workflow::of_one_node("next", "return 1;");
        tntc(["run", "--local", next.path()])
            .env("TMPDIR", running.temporary.path())
            .run()
            .exits(0);
        assert_eq!(running.left(), Vec::<PathBuf>::new(), "{command:?}");
    }
}

/// A registry that takes requests and never answers.
fn silent_registry() -> (u16, Receiver<TcpStream>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (sender, asked) = channel();
    std::thread::spawn(move || {
        listener
            .incoming()
            .map_while(Result::ok)
            .try_for_each(|client| sender.send(client))
    });
    (port, asked)
}

/// The processes that work below a directory.
fn working_below(dir: &Path) -> Vec<u32> {
    let processes = entries(Path::new("/proc")).into_iter();
    let below = |path: &PathBuf| {
        let found = fs::read_link(path.join("cwd"));
        found.is_ok_and(|it| it.starts_with(dir))
    };
    let number = |path: PathBuf| path.file_name()?.to_str()?.parse().ok();
    processes.filter(below).filter_map(number).collect()
}

#[test]
fn a_killed_bundler_takes_its_deno_along_and_the_next_command_cleans_up() {
    let (port, asked) = silent_registry();
    let home = tempfile::tempdir().expect("a directory");
    let temporary = tempfile::tempdir().expect("a directory");
    let below = fs::canonicalize(temporary.path()).expect("a directory");
    let workflow = Workflow::of_one_node("bundled", "return 1;");
    let source = "import \"npm:postgres-array@2.0.0\";\nexport default () => 1;\n";
    workflow.write("nodes/only.ts", source);
    let mut command = tntc(["deploy", workflow.path(), "--dry-run"])
        .env("NPM_CONFIG_REGISTRY", format!("http://127.0.0.1:{port}/"))
        .env("DENO_DIR", home.path().join("deno"))
        .env("TMPDIR", temporary.path())
        .command();
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut tntc_process = command.spawn().expect("tntc starts");
    let client = asked.recv_timeout(SOON).expect("the registry is asked");
    let bundlers = working_below(&below);
    assert!(!bundlers.is_empty(), "no Deno at work");
    signal(tntc_process.id(), "-KILL");
    tntc_process.wait().expect("tntc ends");
    wait_for("the end of the bundler", || {
        bundlers.iter().all(|it| ended(*it)).then_some(())
    });
    drop(client);
    assert_eq!(entries(&below).len(), 1, "a killed process cannot clean up");
    tntc([
        "run",
        "--local",
        Workflow::of_one_node("next", "return 1;").path(),
    ])
    .env("TMPDIR", temporary.path())
    .run()
    .exits(0);
    assert_eq!(entries(&below), Vec::<PathBuf>::new());
}

#[test]
fn a_run_that_is_to_outlive_the_terminal_does() {
    let workflow = Workflow::of_one_node(
        "patient",
        "console.error(`engine=${Deno.pid}`); await new Promise((done) => setTimeout(done, 3000)); return 1;",
    );
    let path = env!("CARGO_BIN_EXE_tntc");
    let mut command = std::process::Command::new("nohup");
    command.args([path, "run", "--local", workflow.path()]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut tntc = command.spawn().expect("nohup runs");
    let mut lines = BufReader::new(tntc.stderr.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line.contains("engine="))));
    signal(tntc.id(), "-HUP");
    assert!(tntc.wait().expect("tntc ends").success());
}
