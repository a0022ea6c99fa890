//! `tntc dev`: the engine on this machine, sealed as in the pod, taking over changes as they are saved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use tntc_core::derive::network::{self, Listener};
use tntc_core::manifests::deployment;
use tntc_core::project::Project;
use tntc_core::workflow::{Trigger, TriggerKind, Workflow};
use tokio::io::AsyncRead;
use tokio::process::Child;
use tokio::time::sleep;

use crate::context::Context;
use crate::deno::local::{self, Names, Site, times};
use crate::outcome::{Error, Outcome, Result};
use crate::process::interrupt::{Interrupt, Raised};
use crate::process::port;
use crate::terminal::Printer;
use crate::workspace::project::{self, Opened};
use crate::workspace::secrets;

/// Serve a workflow on this machine, reloading files as they are saved
#[derive(Debug, Args)]
pub struct Dev {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Port of the loopback address to listen on
    #[arg(short, long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Also receive new messages of queue triggers, beside every other subscriber
    #[arg(long)]
    pub queues: bool,
}

/// How often everything is read, to see what no time of a file tells, and secrets.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// How often it is looked whether a file was written.
const SOON: Duration = Duration::from_millis(20);
/// How long runs under way may take to finish after Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves until Ctrl-C.
pub async fn run(arguments: Dev, context: &Context) -> Result<Outcome> {
    let opened = context.open(&arguments.dir)?;
    require_free(&opened.workflow, arguments.port)?;
    let mut interrupt = Interrupt::listen_also_for_hangup()?;
    let asked = Asked {
        port: arguments.port,
        queues: arguments.queues,
    };
    let mut session = Session::of(opened, asked, &context.printer).await?;
    session.tell_of_queues(&context.printer);
    loop {
        let mut engine = session.start(&context.printer)?;
        tokio::select! {
            ended = engine.wait() => return Err(gone(ended)),
            signal = interrupt.raised() => {
                stop(&mut engine, &mut interrupt).await;
                return Ok(Outcome::interrupted(signal.kind()));
            }
            next = session.outdated(&context.printer) => {
                if let Stopped::By(signal) = stop(&mut engine, &mut interrupt).await {
                    return Ok(Outcome::interrupted(signal.kind()));
                }
                session = next;
            }
        }
    }
}

/// What the command line asks for.
#[derive(Clone, Copy)]
struct Asked {
    port: u16,
    queues: bool,
}

/// One engine, from its start until it has to be started in another way.
struct Session {
    site: Site,
    flags: Vec<String>,
    workflow: Workflow,
    asked: Asked,
    ports: Vec<(Listener, u16)>,
    dir: PathBuf,
    seen: Seen,
}

/// What a session was made of, to be compared.
#[derive(Default, PartialEq)]
struct Seen {
    project: Option<Project>,
    secrets: Option<BTreeMap<String, Vec<u8>>>,
}

impl Seen {
    /// Reads the whole project, on a thread that keeps nothing else waiting: engines' lines and Ctrl-C.
    async fn in_dir(dir: &Path) -> Self {
        let dir = dir.to_owned();
        let read = tokio::task::spawn_blocking(move || Self::read(&dir)).await;
        read.unwrap_or_default()
    }

    fn read(dir: &Path) -> Self {
        let secrets = secrets::read_merged(dir).ok().flatten();
        Self {
            project: project::read(dir).ok(),
            secrets: secrets.map(|local| local.services),
        }
    }
}

impl Session {
    async fn of(opened: Opened, asked: Asked, printer: &Printer) -> Result<Self> {
        let port = asked.port;
        let seen = Seen::in_dir(&opened.dir).await;
        let site = Site::of(&opened, printer).await?;
        Ok(Self {
            flags: flags(&site, &opened.workflow, port)?,
            ports: ports(&opened.workflow, port),
            site,
            asked,
            workflow: opened.workflow,
            dir: opened.dir,
            seen,
        })
    }

    fn tell_of_queues(&self, printer: &Printer) {
        if !self.asked.queues && self.workflow.triggers.iter().any(is_queue) {
            printer.note("queue triggers are off; --queues receives their messages here, too");
        }
    }

    fn start(&self, printer: &Printer) -> Result<Child> {
        let failed = |cause| {
            Error::surroundings(format!("cannot run {}: {cause}", self.site.deno.display()))
        };
        let port = self.asked.port.to_string();
        // Messages are production's as long as nobody asks for them here.
        let triggers = if self.asked.queues { "all" } else { "http" };
        let names = self.site.code.names()?;
        let mut engine = self
            .site
            .command(&self.workflow)?
            .args(self.site.arguments("main.ts", &self.flags))
            .args(["--host", "127.0.0.1", "--port", &port, "--watch"])
            .args(["--triggers", triggers])
            .env(deployment::V8_FLAGS, deployment::pod_v8_flags())
            // Ctrl-C reaches the whole group of a terminal; the engine is told by us, once.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let color = printer.color();
        if let Some(stdout) = engine.stdout.take() {
            tokio::spawn(follow(stdout, names.clone(), color));
        }
        if let Some(stderr) = engine.stderr.take() {
            tokio::spawn(follow(stderr, names, color));
        }
        Ok(engine)
    }

    /// Resolves, with the session to go on with, when this one cannot take over a change. What stands in the way of a
    /// change is told, and the engine serves on as it is.
    async fn outdated(&mut self, printer: &Printer) -> Self {
        loop {
            self.worth_a_look().await;
            let seen = Seen::in_dir(&self.dir).await;
            if seen == self.seen {
                continue;
            }
            let other_secrets = seen.secrets != self.seen.secrets;
            self.seen = seen;
            match self.take_over(other_secrets, printer).await {
                Ok(None) => {}
                Ok(Some(next)) => return next,
                Err(error) => drop(printer.fail(&error)),
            }
        }
    }

    /// Resolves at once after a file was written, and every now and then.
    async fn worth_a_look(&self) {
        let until = Instant::now() + LOOK_EVERY;
        let before = times::of_files(&self.dir);
        while Instant::now() < until {
            let began = Instant::now();
            if times::of_files(&self.dir) != before {
                return;
            }
            // However large the directory is, looking takes no more than a twentieth of the time.
            sleep(SOON.max(began.elapsed() * 20)).await;
        }
    }

    async fn take_over(&mut self, other_secrets: bool, printer: &Printer) -> Result<Option<Self>> {
        let opened = project::open(&self.dir, printer.color())?;
        let why = if flags(&self.site, &opened.workflow, self.asked.port)? != self.flags {
            "the contract has changed: starting the engine again with other permissions"
        } else if ports(&opened.workflow, self.asked.port) != self.ports {
            "webhooks have come or gone: starting the engine again with other ports"
        } else if other_secrets {
            "the secrets have changed: starting the engine again with them"
        } else {
            self.site.code.follow(&opened, printer).await?;
            return Ok(None);
        };
        let next = Self::of(opened, self.asked, printer).await?;
        printer.note(why);
        Ok(Some(next))
    }
}

fn is_queue(trigger: &Trigger) -> bool {
    matches!(trigger.kind, TriggerKind::Queue(_))
}

/// The ports that the engine listens on here, each beside what it is in a pod. Webhooks arrive at the port after the
/// one that was asked for, as in a pod.
fn ports(workflow: &Workflow, port: u16) -> Vec<(Listener, u16)> {
    let listeners = network::listeners(workflow, None).into_iter();
    listeners.zip(port..=u16::MAX).collect()
}

fn require_free(workflow: &Workflow, port: u16) -> Result<()> {
    let ports = ports(workflow, port);
    if ports.len() < network::listeners(workflow, None).len() {
        let problem = format!("no port is left for the webhooks after {port}");
        return Err(Error::usage(problem).hint("choose a lower port with -p"));
    }
    ports
        .into_iter()
        .try_for_each(|(_, port)| port::require_free(port))
}

/// The pod's own flags, but for what may be read and where the engine listens.
fn flags(site: &Site, workflow: &Workflow, port: u16) -> Result<Vec<String>> {
    let ports = ports(workflow, port).into_iter();
    let own: Vec<_> = ports.map(|(_, port)| format!("127.0.0.1:{port}")).collect();
    site.flags(workflow, &own)
}

/// Passes lines on as they come, each with the colour of its node.
async fn follow(from: impl AsyncRead + Unpin, names: Names, color: bool) {
    let styled = |line: &str| {
        if color {
            colored(line)
        } else {
            line.to_owned()
        }
    };
    local::pass_on(from, &names, styled).await;
}

/// Colours that are readable on dark and on light: all but black, white, red and yellow.
const COLORS: [AnsiColor; 8] = [
    AnsiColor::Green,
    AnsiColor::Blue,
    AnsiColor::Magenta,
    AnsiColor::Cyan,
    AnsiColor::BrightGreen,
    AnsiColor::BrightBlue,
    AnsiColor::BrightMagenta,
    AnsiColor::BrightCyan,
];

/// The name in brackets that a line begins with has always the same colour; the engine's own lines are dim.
fn colored(line: &str) -> String {
    let parts = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let Some((source, rest)) = parts else {
        return line.to_owned();
    };
    if source == "engine" {
        let dimmed = Style::new().dimmed();
        return format!("{dimmed}{line}{dimmed:#}");
    }
    let sum: usize = source.bytes().map(usize::from).sum();
    let style = COLORS[sum % COLORS.len()].on_default();
    format!("{style}[{source}]{style:#}{rest}")
}

/// How an engine came to its end.
enum Stopped {
    /// After the runs under way, or after as long as they were given.
    InTime,
    /// At once, by another Ctrl-C.
    By(Raised),
}

/// Lets runs under way finish, but not for ever, and not after a second Ctrl-C.
async fn stop(engine: &mut Child, interrupt: &mut Interrupt) -> Stopped {
    let process = engine
        .id()
        .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    // Whatever keeps the signal from it, it is killed when its time is over.
    let _ = process.map(|process| kill_process(process, Signal::INT));
    let stopped = tokio::select! {
        _ = engine.wait() => return Stopped::InTime,
        signal = interrupt.raised() => Stopped::By(signal),
        () = sleep(PATIENCE) => Stopped::InTime,
    };
    // A process that is gone already needs no end.
    drop(engine.kill().await);
    stopped
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
