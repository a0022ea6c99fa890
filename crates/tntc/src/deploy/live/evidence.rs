//! What a failure in the cluster leaves to be looked at: the last log lines and the events of the workflow's pods.

use jiff::Timestamp;

use crate::cluster::rollout::events;
use crate::cluster::{Cluster, inventory, logs};
use crate::outcome::{Error, Event};

/// Lines of the log that a failure carries.
const LOG_LINES: i64 = 20;

/// Adds to the error what can be found of it; an API server that is gone takes nothing away from it.
pub async fn added(cluster: &Cluster, namespace: &str, name: &str, error: Error) -> Error {
    let (log, events) = futures::join!(
        log(cluster, namespace, name),
        events(cluster, namespace, name)
    );
    let mut details: Vec<String> = error.details.clone().into_iter().collect();
    details.extend(section("last lines of the log", &log));
    // For a person only what went wrong: a dozen lines of a pod's usual course would hide it.
    let warnings: Vec<_> = events.iter().filter(|event| event.is_warning()).collect();
    if !warnings.is_empty() {
        let table = events::table(warnings, Timestamp::now());
        let lines: Vec<_> = table.lines().map(str::to_owned).collect();
        details.extend(section("warnings", &lines));
    }
    let mut error = error;
    error.evidence.log = Some(log);
    error.evidence.events = Some(events);
    if details.is_empty() {
        error
    } else {
        error.details(details.join("\n"))
    }
}

fn section(title: &str, lines: &[String]) -> Option<String> {
    let indented = lines.iter().map(|line| format!("  {line}"));
    let indented: Vec<_> = indented.collect();
    (!lines.is_empty()).then(|| format!("{title}:\n{}", indented.join("\n")))
}

/// A container that crashed has more to say than the one that was started in its place.
async fn log(cluster: &Cluster, namespace: &str, name: &str) -> Vec<String> {
    let mut lines = logs::of_crash(cluster, namespace, name).await;
    if lines.is_empty() {
        let pods = logs::pods(cluster, namespace, name)
            .await
            .unwrap_or_default();
        let newest = logs::Selection::newest(LOG_LINES);
        let recent = logs::recent(cluster, namespace, &pods, newest).await;
        lines = recent.unwrap_or_default().lines;
    }
    lines.into_iter().map(|line| line.line).collect()
}

async fn events(cluster: &Cluster, namespace: &str, name: &str) -> Vec<Event> {
    let seen = inventory::observe(cluster, namespace, name).await;
    let seen = seen.unwrap_or_default();
    let deployment = seen.deployments.get(name);
    deployment
        .map(|deployment| events::recent(&seen, deployment))
        .unwrap_or_default()
}
