//! Running a workflow on this machine, in a Deno process of its own, sealed as it will be in the pod.

mod code;
mod copy;
pub mod lines;
mod names;
pub mod sealed;
mod site;
pub mod times;

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tntc_core::manifests::deployment;
use tntc_core::terminal;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin};

use crate::outcome::{Error, Result};
use crate::process::interrupt::Interrupt;
use crate::terminal::Printer;
use crate::workspace::project::Opened;

pub use code::Code;
pub use names::Names;
pub use site::Site;

/// Exit status of the engine when the workflow ran and failed.
const WORKFLOW_FAILED: i32 = 1;
/// Exit status of the engine for an input that it does not understand.
const BAD_INPUT: i32 = 2;
/// The most that a result may have, in bytes: far more than a pod of the usual size can hold, and not all memory here.
const MOST_RESULT: u64 = 64 << 20;
/// The most that is shown of one line of a node's, in bytes.
const MOST_LINE: usize = 64 << 10;

/// Runs the workflow once; the engine's log goes to stderr as it comes. `timeout` bounds the run itself.
///
/// # Errors
/// As [`Site::of`]; an engine that could not load the workflow, or the timeout.
pub async fn run(
    opened: &Opened,
    input: &str,
    timeout: Duration,
    printer: &Printer,
) -> Result<String> {
    let site = Site::of(opened, printer).await?;
    let mut interrupt = Interrupt::listen_also_for_hangup()?;
    let result = tokio::select! {
        result = tokio::time::timeout(timeout, execute(&site, opened, input)) => result,
        signal = interrupt.raised() => return Err(signal.error("interrupted; the run was stopped")),
    };
    result.map_err(|_| {
        Error::failed(format!(
            "no result within {}s; the run was stopped",
            timeout.as_secs_f64()
        ))
        .hint("give it more time with --timeout")
    })?
}

async fn execute(site: &Site, opened: &Opened, input: &str) -> Result<String> {
    let failed =
        |cause| Error::surroundings(format!("cannot run {}: {cause}", site.deno.display()));
    let names = site.code.names()?;
    let mut child = site
        .command(&opened.workflow)?
        .args(site.arguments("local.ts", &site.flags(&opened.workflow, &[])?))
        .env(deployment::V8_FLAGS, deployment::pod_v8_flags())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let (Some(stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(Error::surroundings("a new process has no pipes"));
    };
    let log = pass_on(stderr, &names, str::to_owned);
    let ((), result, ()) = tokio::join!(send(stdin, input), receive(stdout, &mut child), log);
    let result = result?;
    let status = child.wait().await.map_err(failed)?;
    body(status, &result).map(|body| names.in_json(body))
}

async fn send(mut stdin: ChildStdin, input: &str) {
    // An engine that ended without reading its input says why by its exit status.
    drop(stdin.write_all(input.as_bytes()).await);
}

async fn receive(stdout: impl AsyncRead + Unpin, child: &mut Child) -> Result<String> {
    let mut bytes = Vec::new();
    // Whatever could be read is better than nothing.
    drop(stdout.take(MOST_RESULT + 1).read_to_end(&mut bytes).await);
    if bytes.len() as u64 > MOST_RESULT {
        // It goes on writing otherwise, and is gone either way.
        drop(child.start_kill());
        return Err(Error::failed(format!(
            "the result has more than {} MiB",
            MOST_RESULT >> 20
        )));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Shows lines on stderr as they come, with the names of the user's own files.
pub async fn pass_on(from: impl AsyncRead + Unpin, names: &Names, styled: impl Fn(&str) -> String) {
    let mut from = BufReader::new(from);
    while let Ok(Some(line)) = lines::next(&mut from, MOST_LINE).await {
        let more = if line.cut { "..." } else { "" };
        let text = format!("{}{more}", names.in_text(&line.text));
        crate::terminal::printer::coloured_line(&styled(&terminal::shown(&text)));
    }
}

fn body(status: ExitStatus, stdout: &str) -> Result<&str> {
    match status.code() {
        Some(0 | WORKFLOW_FAILED) if !stdout.is_empty() => Ok(stdout),
        Some(BAD_INPUT) => Err(Error::usage(
            "the engine did not accept the input; its message is above",
        )),
        _ => Err(Error::failed(
            "the engine could not run the workflow; its message is above",
        )),
    }
}
