//! What Kubernetes tells of a workflow's objects in its events.

use std::fmt;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Event;
use kube::ResourceExt;
use schemars::JsonSchema;
use serde::Serialize;

use super::watch::Observed;

/// Most events that are shown at once.
const MOST: usize = 10;

/// One event, as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Line {
    /// When it was last seen, RFC 3339.
    at: Option<String>,
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    kind: Option<String>,
    reason: Option<String>,
    /// `Kind/name` of what it is about.
    object: String,
    message: Option<String>,
    /// How often it was seen.
    count: i32,
}

impl Line {
    /// Whether it tells of something that went wrong.
    pub fn is_warning(&self) -> bool {
        self.kind.as_deref() == Some("Warning")
    }
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        write!(
            out,
            "{} {} {}: {}",
            text(&self.kind),
            text(&self.reason),
            self.object,
            text(&self.message).trim()
        )
    }
}

/// The newest events about the Deployment, its `ReplicaSet`s and its pods, the oldest of them first.
pub fn recent(seen: &Observed, deployment: &Deployment) -> Vec<Line> {
    let mut events: Vec<_> = seen
        .events
        .values()
        .filter(|event| concerns(event, deployment, seen))
        .collect();
    events.sort_by_key(|event| when(event));
    let skipped = events.len().saturating_sub(MOST);
    events.into_iter().skip(skipped).map(shown).collect()
}

fn concerns(event: &Event, deployment: &Deployment, seen: &Observed) -> bool {
    let Some(name) = event.involved_object.name.as_deref() else {
        return false;
    };
    name == deployment.name_any()
        || seen.pods.contains_key(name)
        || seen.replica_sets.contains_key(name)
}

fn when(event: &Event) -> Option<Timestamp> {
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    last.or_else(|| event.event_time.as_ref().map(|time| time.0))
}

fn shown(event: &Event) -> Line {
    let about = &event.involved_object;
    Line {
        at: when(event).map(|time| time.to_string()),
        kind: event.type_.clone(),
        reason: event.reason.clone(),
        object: format!(
            "{}/{}",
            about.kind.as_deref().unwrap_or_default(),
            about.name.as_deref().unwrap_or_default()
        ),
        message: event.message.clone(),
        count: event.count.unwrap_or(1),
    }
}
