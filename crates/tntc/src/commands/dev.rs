//! `tntc dev`: the engine on this machine, sealed as in the pod, taking over changes as they are saved.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tntc_core::workflow;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::cli::Dev;
use crate::context::Context;
use crate::deno;
use crate::error::{Error, Result, io};
use crate::interrupt::Interrupt;
use crate::local::Served;
use crate::output::{Outcome, Printer};
use crate::{port, project};

/// How often the contract is looked at: a changed one needs an engine with other permissions.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// How long runs under way may take to finish after Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves until Ctrl-C.
pub async fn run(arguments: Dev, context: &Context) -> Result<Outcome> {
    let opened = context.open(&arguments.dir)?;
    port::require_free(arguments.port)?;
    let served = Served {
        deno: deno::find().await?,
        engine: deno::cached_engine()?,
        dir: std::fs::canonicalize(&opened.dir).map_err(io("open", &opened.dir))?,
        port: arguments.port,
    };
    let mut interrupt = Interrupt::listen()?;
    let mut flags = served.flags(&opened.workflow);
    loop {
        let mut engine = start(&served, &flags, &context.printer)?;
        tokio::select! {
            ended = engine.wait() => return Err(gone(ended)),
            () = interrupt.raised() => {
                stop(&mut engine, &mut interrupt).await;
                return Ok(Outcome::silent());
            }
            changed = other_flags(&served, &flags) => {
                context.printer.note("the contract has changed: starting the engine again with other permissions");
                stop(&mut engine, &mut interrupt).await;
                flags = changed;
            }
        }
    }
}

fn start(served: &Served, flags: &[String], printer: &Printer) -> Result<Child> {
    let failed =
        |cause| Error::surroundings(format!("cannot run {}: {cause}", served.deno.display()));
    let mut engine = Command::new(&served.deno)
        .args(served.arguments(flags))
        .env("NO_COLOR", "1")
        // Ctrl-C reaches the whole group of a terminal; the engine is told by us, once.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let color = printer.color();
    if let Some(stdout) = engine.stdout.take() {
        tokio::spawn(follow(stdout, color));
    }
    if let Some(stderr) = engine.stderr.take() {
        tokio::spawn(follow(stderr, color));
    }
    Ok(engine)
}

/// Passes lines on as they come, each with the colour of its node.
async fn follow(from: impl AsyncRead + Unpin, color: bool) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        crate::output::to_stderr(&if color { colored(&line) } else { line });
    }
}

/// Colours that are readable on dark and on light (ECMA-48, foreground colours but black, white, red and yellow).
const COLORS: [u8; 8] = [32, 34, 35, 36, 92, 94, 95, 96];

/// The name in brackets that a line begins with has always the same colour; the engine's own lines are dim.
fn colored(line: &str) -> String {
    let parts = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let Some((source, rest)) = parts else {
        return line.to_owned();
    };
    if source == "engine" {
        return format!("\u{1b}[2m{line}\u{1b}[0m");
    }
    let sum: usize = source.bytes().map(usize::from).sum();
    format!(
        "\u{1b}[{}m[{source}]\u{1b}[0m{rest}",
        COLORS[sum % COLORS.len()]
    )
}

/// Resolves when the contract asks for other permissions; a workflow that is wrong for the moment asks for none.
async fn other_flags(served: &Served, flags: &[String]) -> Vec<String> {
    loop {
        sleep(LOOK_EVERY).await;
        if let Some(found) = flags_of(served).filter(|found| found != flags) {
            return found;
        }
    }
}

fn flags_of(served: &Served) -> Option<Vec<String>> {
    let project = project::read(Path::new(&served.dir)).ok()?;
    let checked = workflow::parse(&project).ok()?;
    Some(served.flags(&checked.workflow))
}

/// Lets runs under way finish, but not for ever, and not after a second Ctrl-C.
async fn stop(engine: &mut Child, interrupt: &mut Interrupt) {
    if let Some(process) = engine.id().and_then(|id| i32::try_from(id).ok()) {
        signal(process);
    }
    tokio::select! {
        _ = engine.wait() => return,
        () = interrupt.raised() => {}
        () = sleep(PATIENCE) => {}
    }
    // A process that is gone already needs no end.
    drop(engine.kill().await);
}

fn signal(process: i32) {
    let told = std::process::Command::new("kill")
        .args(["-INT", &process.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    // Whatever keeps it from being told, it is killed when its time is over.
    drop(told);
}

fn gone(ended: std::io::Result<std::process::ExitStatus>) -> Error {
    let how = ended.map_or_else(|cause| cause.to_string(), |status| status.to_string());
    Error::failed(format!(
        "the engine ended by itself ({how}); its message is above"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_one_colour_and_the_engine_none() {
        let [first, second] = ["[fetch] INFO a", "[fetch] WARN b"].map(colored);
        let code = |line: &str| line.split_once('m').map(|(code, _)| code.to_owned());
        assert_eq!(code(&first), code(&second));
        assert_ne!(code(&first), code(&colored("[store] INFO a")));
        assert_eq!(
            colored("[engine] INFO x"),
            "\u{1b}[2m[engine] INFO x\u{1b}[0m"
        );
        assert_eq!(colored("no brackets"), "no brackets");
    }
}
