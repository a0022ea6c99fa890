//! Waiting for a rollout.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Answer, FakeServer, deployment, later, object, pod, replica_set, running, shown, waiting,
};
use crate::cluster::rollout;
use crate::outcome::Result;

/// A Deployment that is rolling out, with these objects beside it.
fn rolling(objects: impl IntoIterator<Item = Value>) -> FakeServer {
    let server = FakeServer::with([deployment(false), replica_set()]);
    objects.into_iter().for_each(|object| server.put(object));
    server
}

async fn waited(server: &FakeServer) -> Result<()> {
    let applied = serde_json::from_value(deployment(false)).expect("a Deployment");
    rollout::wait(&server.cluster(), &applied, Duration::from_mins(2)).await
}

async fn failure(objects: impl IntoIterator<Item = Value>) -> String {
    shown(&waited(&rolling(objects)).await.expect_err("a failure"))
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_every_replica_is_available() {
    let server = rolling([waiting("one", "ContainerCreating", "")]);
    later(&server, 30, |server| server.put(running("one")));
    later(&server, 31, |server| server.put(deployment(true)));
    waited(&server).await.expect("a rollout");
}

#[tokio::test(start_paused = true)]
async fn the_state_before_the_change_was_observed_does_not_count() {
    let server = rolling([]);
    let mut stale = deployment(true);
    stale["status"]["observedGeneration"] = json!(0);
    server.put(stale);
    let error = waited(&server).await.expect_err("a timeout");
    assert_eq!(
        error.message,
        "rollout of report in namespace team is not complete after 120s: the pods are not ready"
    );
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_pulled_ends_it() {
    let broken = waiting(
        "one",
        "ErrImagePull",
        "reg.example.com/engine:v1: not found",
    );
    insta::assert_snapshot!(failure([broken]).await);
}

#[tokio::test(start_paused = true)]
async fn a_crash_ends_it() {
    let mut broken = waiting(
        "one",
        "CrashLoopBackOff",
        "back-off 10s restarting failed container",
    );
    broken["status"]["containerStatuses"][0]["restartCount"] = json!(3);
    insta::assert_snapshot!(failure([broken]).await);
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_used_up_ends_it() {
    let mut refused = replica_set();
    refused["status"]["conditions"] = json!([{"type": "ReplicaFailure", "status": "True",
        "reason": "FailedCreate", "message": "pods \"report\" is forbidden: exceeded quota: small"}]);
    insta::assert_snapshot!(failure([refused]).await);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_no_node_takes_is_waited_for_and_then_named() {
    let mut pending = pod("one", &json!({}));
    pending["status"] = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled",
        "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}]});
    insta::assert_snapshot!(failure([pending]).await);
}

#[tokio::test(start_paused = true)]
async fn a_missing_volume_shows_in_an_event() {
    let mut event = object("v1", "Event", "one.1");
    event["type"] = json!("Warning");
    event["reason"] = json!("FailedMount");
    event["message"] = json!("configmap \"report-code\" not found");
    event["involvedObject"] = json!({"kind": "Pod", "name": "one", "namespace": "team"});
    let creating = waiting("one", "ContainerCreating", "");
    insta::assert_snapshot!(failure([creating, event]).await);
}

#[tokio::test(start_paused = true)]
async fn pods_of_an_older_replica_set_do_not_count() {
    let mut old = waiting("old", "ErrImagePull", "gone");
    old["metadata"]["ownerReferences"][0]["uid"] = json!("uid-older");
    let server = rolling([old]);
    later(&server, 5, |server| server.put(deployment(true)));
    waited(&server).await.expect("a rollout");
}

#[tokio::test(start_paused = true)]
async fn watches_that_expire_or_break_are_begun_again() {
    let server = rolling([]);
    server.next("watch deployments", [Answer::expired_watch(), Answer::Cut]);
    server.next("list deployments", [Answer::internal_error()]);
    later(&server, 60, |server| server.put(deployment(true)));
    waited(&server).await.expect("a rollout");
    assert!(server.asked("list deployments").len() >= 3);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_comes_in_pages_is_read_to_its_end() {
    let broken = waiting("two", "ErrImagePull", "not found");
    let server = rolling([running("one"), broken]);
    server.page_size(1);
    let error = waited(&server).await.expect_err("a failure");
    assert!(
        error.message.ends_with("failed: ErrImagePull: not found"),
        "{error}"
    );
    assert_eq!(server.asked("list pods").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_changed_by_waiting() {
    let server = rolling([]);
    server.put(deployment(true));
    waited(&server).await.expect("a rollout");
    assert_eq!(server.writes(), Vec::<String>::new());
}
