//! Running a workflow on this machine, in a Deno process of its own, sealed as it will be in the pod.

mod code;
mod site;

use std::process::{Output, Stdio};
use std::time::Duration;

use tntc_core::manifests::deployment;
use tokio::io::AsyncWriteExt;

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::lifetime;
use crate::output::Printer;
use crate::project::Opened;

pub use code::Code;
pub use site::Site;

/// Exit status of the engine when the workflow ran and failed.
const WORKFLOW_FAILED: i32 = 1;
/// Exit status of the engine for an input that it does not understand.
const BAD_INPUT: i32 = 2;

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
    let output = tokio::select! {
        output = tokio::time::timeout(timeout, execute(&site, opened, input)) => output,
        signal = interrupt.raised() => return Err(signal.error("interrupted; the run was stopped")),
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

async fn execute(site: &Site, opened: &Opened, input: &str) -> Result<Output> {
    let failed =
        |cause| Error::surroundings(format!("cannot run {}: {cause}", site.deno.display()));
    let mut child = lifetime::bound(&site.deno)
        .args(site.arguments("local.ts", &site.flags(&opened.workflow)))
        .env("NO_COLOR", "1")
        .env(deployment::V8_FLAGS, deployment::pod_v8_flags())
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
