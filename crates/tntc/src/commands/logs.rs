//! `tntc logs`: what the workflow's pods print.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::cli::duration;
use crate::cluster::logs::follow::{self, News};
use crate::cluster::logs::{self, Selection};
use crate::cluster::{Cluster, inventory};
use crate::context::{self, Context};
use crate::outcome::{LogLine, Outcome, Result};
use crate::process::interrupt::Interrupt;
use crate::terminal::progress::Phase;

/// Show the logs of a deployed workflow
#[derive(Debug, Args)]
pub struct Logs {
    /// Name of the deployed workflow
    pub name: String,
    /// Follow until interrupted
    #[arg(short, long)]
    pub follow: bool,
    /// How many recent lines of each pod; -1 for all
    #[arg(long, value_name = "LINES", default_value_t = 100, value_parser = clap::value_parser!(i64).range(-1..), allow_negative_numbers = true)]
    pub tail: i64,
    /// Only lines that are newer than this, such as 5m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub since: Option<std::time::Duration>,
    /// Show the containers before the last restart, such as those that crashed
    #[arg(short, long, conflicts_with = "follow")]
    pub previous: bool,
    /// Begin each line with its timestamp
    #[arg(long)]
    pub timestamps: bool,
    /// Begin each line with the name of its pod
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub prefix: bool,
}

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// Pod by pod.
    lines: Vec<LogLine>,
}

/// Shows recent lines of every replica, or follows them until interrupted.
pub async fn run(arguments: &Logs, context: &Context) -> Result<Outcome> {
    let settings = context.settings()?;
    let namespace = context::namespace(&settings)?;
    let namespace = namespace.as_str();
    let cluster = context.connect(&settings).await?;
    let (deployed, pods) = futures::join!(
        inventory::deployment(&cluster, namespace, &arguments.name),
        logs::pods(&cluster, namespace, &arguments.name),
    );
    deployed?;
    let (pods, selection) = (pods?, selection(arguments));
    if arguments.follow {
        return follow(arguments, &cluster, namespace, context).await;
    }
    let recent = logs::recent(&cluster, namespace, &pods, selection).await?;
    for silent in &recent.silent {
        context.printer.warn(silent);
    }
    let lines = recent.lines;
    let text: Vec<_> = lines
        .iter()
        .map(|line| shown(line, arguments.prefix))
        .collect();
    let summary = format!(
        "{} lines of {} pods of {}",
        lines.len(),
        pods.len(),
        arguments.name
    );
    Ok(Outcome::new(summary)
        .text(text.join("\n"))
        .own(Answer { lines }))
}

fn selection(arguments: &Logs) -> Selection {
    Selection {
        tail: arguments.tail,
        since: arguments.since,
        previous: arguments.previous,
        timestamps: arguments.timestamps,
    }
}

async fn follow(
    arguments: &Logs,
    cluster: &Cluster,
    namespace: &str,
    context: &Context,
) -> Result<Outcome> {
    let mut interrupt = Interrupt::listen()?;
    // Shown until there is something to read.
    let waiting = format!("waiting for lines of {}", arguments.name);
    let mut waiting = Some(Phase::begin_quietly(&waiting, &context.printer));
    let mut news = follow::follow(cluster, namespace, &arguments.name, selection(arguments));
    loop {
        let next = tokio::select! {
            next = news.recv() => next,
            signal = interrupt.raised() => return Ok(Outcome::interrupted(signal.kind())),
        };
        drop(waiting.take());
        match next.transpose()? {
            None => break,
            Some(News::Note(note)) => context.printer.note(note),
            Some(News::Line(line)) => {
                let text = streamed(&line, arguments.prefix, context.printer.has_envelope());
                if !context.printer.stream(&text) {
                    break;
                }
            }
        }
    }
    Ok(Outcome::silent())
}

fn streamed(line: &LogLine, prefix: bool, as_json: bool) -> String {
    if as_json {
        json!(line).to_string()
    } else {
        shown(line, prefix)
    }
}

/// Each line says whose it is, however many pods there are, so that a rollout or another replica changes nothing of how
/// they are read.
fn shown(line: &LogLine, prefix: bool) -> String {
    if prefix {
        format!("{} {}", line.pod, line.line)
    } else {
        line.line.clone()
    }
}
