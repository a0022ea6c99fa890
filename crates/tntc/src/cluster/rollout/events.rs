//! What Kubernetes tells of a workflow's objects in its events.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Event;
use kube::ResourceExt;
use tntc_core::observe::diagnosis;

use crate::outcome::Event as Record;
use crate::terminal::table;
use tntc_core::observe::Observed;

/// Most events that are shown at once.
const MOST: usize = 10;

/// How long after the start of a container failed probes belong to it: nobody answers before the engine listens.
const START: SignedDuration = SignedDuration::from_secs(30);

/// The table that `kubectl get events` prints.
pub fn table<'a>(events: impl IntoIterator<Item = &'a Record>, now: Timestamp) -> String {
    let header = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
    table::render(header, events.into_iter().map(|event| cells(event, now)))
}

fn cells(event: &Record, now: Timestamp) -> [String; 5] {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let age = event.last.map(|last| table::age(now, last));
    let age = age.unwrap_or_else(|| "<unknown>".to_owned());
    let seen = match event.count {
        ..=1 => age,
        count => format!("{age} (x{count})"),
    };
    let (kind, name) = event.object.split_once('/').unwrap_or(("", &event.object));
    [
        seen,
        text(&event.kind),
        text(&event.reason),
        format!("{}/{name}", kind.to_lowercase()),
        text(&event.message).trim().to_owned(),
    ]
}
/// The newest events about the Deployment, its `ReplicaSet`s and its pods, the oldest of them first.
pub fn recent(seen: &Observed, deployment: &Deployment) -> Vec<Record> {
    let mut events: Vec<_> = seen
        .events
        .values()
        .filter(|event| concerns(event, deployment, seen) && !is_of_a_start(event, seen))
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

/// Every start leaves a failed readiness probe behind, which is no failure once the pod is ready.
fn is_of_a_start(event: &Event, seen: &Observed) -> bool {
    let name = event.involved_object.name.as_deref().unwrap_or_default();
    let is_readiness = event.reason.as_deref() == Some("Unhealthy")
        && event
            .message
            .as_deref()
            .is_some_and(|message| message.starts_with("Readiness probe failed"));
    let Some(pod) = seen.pods.get(name).filter(|_| is_readiness) else {
        return false;
    };
    diagnosis::containers(pod).all(|container| {
        let running = container.state.as_ref().and_then(|it| it.running.as_ref());
        let started = running.and_then(|it| it.started_at.as_ref());
        let soon =
            |start: Timestamp| when(event).is_some_and(|at| at.duration_since(start) < START);
        container.ready && started.is_some_and(|start| soon(start.0))
    })
}

fn when(event: &Event) -> Option<Timestamp> {
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    last.or_else(|| event.event_time.as_ref().map(|time| time.0))
}

fn shown(event: &Event) -> Record {
    let about = &event.involved_object;
    Record {
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
        last: when(event),
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, json};

    use super::*;

    fn event(fields: &Value) -> Event {
        let mut event = json!({"metadata": {"name": "e"}, "type": "Warning", "reason": "BackOff",
            "involvedObject": {"kind": "Pod", "name": "greeter-1"}, "message": "Back-off pulling image\n"});
        let fields = fields.as_object().expect("fields");
        event
            .as_object_mut()
            .expect("an object")
            .extend(fields.clone());
        serde_json::from_value(event).expect("an event")
    }

    #[test]
    fn a_failed_probe_of_the_start_is_left_out_once_the_pod_is_ready() {
        let deployment = Deployment::default();
        let probe = |at: &str| {
            event(
                &json!({"reason": "Unhealthy", "message": "Readiness probe failed: dial tcp: connect: connection refused",
                "lastTimestamp": at}),
            )
        };
        let pod = |ready: bool| {
            let status = json!({"name": "engine", "ready": ready, "restartCount": 0, "image": "e", "imageID": "e",
                "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}});
            let pod = json!({"metadata": {"name": "greeter-1"}, "status": {"containerStatuses": [status]}});
            serde_json::from_value::<Pod>(pod).expect("a pod")
        };
        let shown = |ready: bool, at: &str| {
            let seen = Observed {
                pods: [("greeter-1".to_owned(), pod(ready))].into(),
                events: [("e".to_owned(), probe(at))].into(),
                ..Observed::default()
            };
            recent(&seen, &deployment).len()
        };
        assert_eq!(shown(true, "2026-01-01T00:00:02Z"), 0);
        assert_eq!(shown(false, "2026-01-01T00:00:02Z"), 1, "it is not ready");
        assert_eq!(
            shown(true, "2026-01-01T01:00:00Z"),
            1,
            "long after the start"
        );
    }

    #[test]
    fn events_are_shown_as_kubectl_shows_them() {
        let events = [
            event(&json!({"lastTimestamp": "2026-01-01T00:00:00Z", "count": 4})),
            event(
                &json!({"eventTime": "2026-01-01T00:04:30.000000Z", "type": "Normal", "reason": "Pulled"}),
            ),
            event(&json!({})),
        ];
        let lines = events.iter().map(shown).collect::<Vec<_>>();
        let now = "2026-01-01T00:05:00Z".parse().expect("a time");
        let expected = "\
LAST SEEN  TYPE     REASON   OBJECT         MESSAGE
5m (x4)    Warning  BackOff  pod/greeter-1  Back-off pulling image
30s        Normal   Pulled   pod/greeter-1  Back-off pulling image
<unknown>  Warning  BackOff  pod/greeter-1  Back-off pulling image";
        assert_eq!(table(&lines, now), expected);
    }
}
