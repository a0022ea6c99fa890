//! `tntc logs`: what the workflow's pods print.

use serde_json::json;

use crate::cli::Logs;
use crate::cluster::logs::{self, Line};
use crate::cluster::{Cluster, inventory};
use crate::context::{self, Context};
use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::output::Outcome;

/// Shows recent lines of every replica, or follows them until interrupted.
pub async fn run(arguments: &Logs, context: &Context) -> Result<Outcome> {
    let settings = context.settings()?;
    let namespace = context::namespace(&settings)?;
    let cluster = context.connect(&settings).await?;
    inventory::deployment(&cluster, namespace.as_str(), &arguments.name).await?;
    let pods = logs::pods(&cluster, namespace.as_str(), &arguments.name).await?;
    if arguments.follow {
        return follow(arguments, &cluster, namespace.as_str(), &pods, context).await;
    }
    let lines = logs::recent(&cluster, namespace.as_str(), &pods, arguments.tail).await?;
    let text: Vec<_> = lines.iter().map(|line| shown(line, pods.len())).collect();
    let summary = format!(
        "{} lines of {} pods of {}",
        lines.len(),
        pods.len(),
        arguments.name
    );
    Ok(Outcome::new(summary)
        .text(text.join("\n"))
        .field("lines", json!(lines)))
}

async fn follow(
    arguments: &Logs,
    cluster: &Cluster,
    namespace: &str,
    pods: &[String],
    context: &Context,
) -> Result<Outcome> {
    let mut interrupt = Interrupt::listen()?;
    let mut lines = logs::follow(cluster, namespace, pods, arguments.tail);
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            () = interrupt.raised() => None,
        };
        let Some(line) = line else { break };
        if !context
            .printer
            .stream(&streamed(&line?, pods.len(), context.printer.json()))
        {
            break;
        }
    }
    Ok(Outcome::silent())
}

fn streamed(line: &Line, pods: usize, as_json: bool) -> String {
    if as_json {
        json!(line).to_string()
    } else {
        shown(line, pods)
    }
}

/// With more than one pod, each line says whose it is.
fn shown(line: &Line, pods: usize) -> String {
    if pods > 1 {
        format!("{} {}", line.pod, line.line)
    } else {
        line.line.clone()
    }
}
