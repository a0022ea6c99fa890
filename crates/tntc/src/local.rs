//! Running a workflow on this machine, in a Deno process of its own, sealed as it will be in the pod.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tntc_core::contract::permissions;
use tntc_core::workflow::Workflow;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::deno;
use crate::error::{Error, Result, io};
use crate::interrupt::Interrupt;

/// Exit status of the engine when the workflow ran and failed.
const WORKFLOW_FAILED: i32 = 1;
/// Exit status of the engine for an input that it does not understand.
const BAD_INPUT: i32 = 2;

/// The pod's broad fallback flags, for a workflow without a contract.
const BROAD: [&str; 3] = ["--allow-net", "--allow-write=/tmp", "--allow-env"];

/// Runs the workflow once; the engine's log goes to stderr as it comes.
///
/// # Errors
/// No Deno, an engine that could not load the workflow, or the timeout.
pub async fn run(
    dir: &Path,
    workflow: &Workflow,
    input: &str,
    timeout: Duration,
) -> Result<String> {
    let deno = deno::find().await?;
    let engine = deno::cached_engine()?;
    let dir = std::fs::canonicalize(dir).map_err(io("open", dir))?;
    let arguments = arguments(&engine, &dir, workflow);
    let mut interrupt = Interrupt::listen()?;
    let output = tokio::select! {
        output = tokio::time::timeout(timeout, execute(&deno, &arguments, input)) => output,
        () = interrupt.raised() => return Err(Error::failed("interrupted")),
    };
    let output = output.map_err(|_| {
        Error::failed(format!(
            "no result within {}s; the run was stopped",
            timeout.as_secs_f64()
        ))
        .hint("give it more time with --timeout")
    })??;
    body(&output)
}

fn arguments(engine: &Path, dir: &Path, workflow: &Workflow) -> Vec<String> {
    let mut arguments = vec!["run".to_owned(), "--quiet".to_owned()];
    arguments.extend(flags(engine, dir, workflow));
    arguments.push(engine.join("local.ts").display().to_string());
    arguments.extend([
        "--workflow".to_owned(),
        dir.join("workflow.yaml").display().to_string(),
    ]);
    arguments
}

/// An engine that serves a workflow on this machine.
pub struct Served {
    /// The program.
    pub deno: PathBuf,
    /// The engine's directory.
    pub engine: PathBuf,
    /// The workflow's directory, absolute.
    pub dir: PathBuf,
    /// The port of the loopback address to listen on.
    pub port: u16,
}

impl Served {
    /// The pod's own flags, but for what may be read and where the engine listens.
    pub fn flags(&self, workflow: &Workflow) -> Vec<String> {
        let listener = format!("127.0.0.1:{}", self.port);
        flags(&self.engine, &self.dir, workflow)
            .into_iter()
            .map(|flag| match flag.strip_prefix("--allow-net=") {
                Some(hosts) => format!("--allow-net={}", hosts.replace(POD_LISTENER, &listener)),
                None => flag,
            })
            .collect()
    }

    /// Everything after the program's name.
    pub fn arguments(&self, flags: &[String]) -> Vec<String> {
        let mut arguments = vec!["run".to_owned(), "--quiet".to_owned()];
        arguments.extend(flags.iter().cloned());
        arguments.push(self.engine.join("main.ts").display().to_string());
        let workflow = self.dir.join("workflow.yaml").display().to_string();
        let port = self.port.to_string();
        let own = [
            "--workflow",
            &workflow,
            "--host",
            "127.0.0.1",
            "--port",
            &port,
            "--watch",
        ];
        arguments.extend(own.map(str::to_owned));
        arguments
    }
}

/// Where the engine listens in a pod.
const POD_LISTENER: &str = "0.0.0.0:8080";

/// The pod's own flags, reading what is here instead of what is there.
fn flags(engine: &Path, dir: &Path, workflow: &Workflow) -> Vec<String> {
    let read = format!("--allow-read={},{}", dir.display(), engine.display());
    let derived = permissions::deno_flags(workflow, &[]);
    let flags = derived.unwrap_or_else(|| {
        ["--no-lock", "--unstable-net"]
            .into_iter()
            .chain(BROAD)
            .map(str::to_owned)
            .collect()
    });
    let mut flags: Vec<_> = flags
        .into_iter()
        .filter(|flag| !flag.starts_with("--allow-read="))
        .collect();
    flags.push(read);
    flags
}

async fn execute(deno: &PathBuf, arguments: &[String], input: &str) -> Result<Output> {
    let failed = |cause| Error::surroundings(format!("cannot run {}: {cause}", deno.display()));
    let mut child = Command::new(deno)
        .args(arguments)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // An engine that ended without reading its input says why by its exit status.
        drop(stdin.write_all(input.as_bytes()).await);
    }
    child.wait_with_output().await.map_err(failed)
}

fn body(output: &Output) -> Result<String> {
    match output.status.code() {
        Some(0 | WORKFLOW_FAILED) if !output.stdout.is_empty() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Some(BAD_INPUT) => Err(Error::usage(
            "the engine did not accept the input; its message is above",
        )),
        _ => Err(Error::failed(
            "the engine could not run the workflow; its message is above",
        )),
    }
}
