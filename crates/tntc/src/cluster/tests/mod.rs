//! What is asked of a cluster, and what is made of its answers, against the fake API server: no cluster, no network, and
//! a clock that nobody waits for.

mod apply;
mod client;
mod deployed;
mod inventory;
mod logs;
mod preflight;
mod remove;
mod rollout;
mod run;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};
use tntc_core::derive::network::{Services, Surroundings};
use tntc_core::manifests::code::Code;
use tntc_core::manifests::{Inputs, Plan, PullPolicy};
use tntc_core::project::Project;
use tntc_core::workflow::parse;

use super::fake::{Answer, FakeServer};
use crate::outcome::Error;

const WORKFLOW: &str = r#"
name: report
version: "1.10"
triggers: [{type: manual}, {type: cron, schedule: "0 3 * * *"}]
nodes: {fetch: {path: nodes/fetch.ts}}
edges: []
contract:
  version: "1"
  dependencies:
    api: {protocol: https, host: api.backend.svc.cluster.local, auth: {type: bearer-token, secret: api.token}}
"#;

/// The plan of a workflow with a contract, a secret and a cron trigger, in the namespace `team`.
pub fn plan() -> Plan {
    plan_of(WORKFLOW)
}

/// The plan of this workflow.yaml, whose node is `nodes/fetch.ts`.
pub fn plan_of(workflow: &str) -> Plan {
    let node = "export default async function run() {}\n";
    let project = Project::from_files([("workflow.yaml", workflow), ("nodes/fetch.ts", node)]);
    let workflow = parse(&project).expect("a valid workflow").workflow;
    let secrets = BTreeMap::from([("api".to_owned(), b"{\"token\": \"hunter2\"}".to_vec())]);
    Plan::new(&Inputs {
        workflow: &workflow,
        namespace: &"team".parse().expect("a namespace"),
        image: &"reg.example.com/engine:v1".parse().expect("a reference"),
        image_id: None,
        runtime_class: Some("gvisor"),
        pull_policy: PullPolicy::Always,
        trigger_image: "curlimages/curl:latest",
        code: &Code::collect(&project, &workflow).expect("code that fits"),
        secrets: Some(&secrets),
        existing_secret: None,
        otel_endpoint: None,
        http_only: false,
        surroundings: Surroundings {
            services: &Services::default(),
            metrics_namespace: None,
            endpoints: &[],
        },
    })
}

/// An object of the workflow, as the API server has it.
pub fn object(version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": version, "kind": kind, "metadata": {
        "name": name,
        "namespace": "team",
        "creationTimestamp": "2026-01-02T03:04:05Z",
        "labels": {
            "app.kubernetes.io/name": "report",
            "app.kubernetes.io/version": "1.10",
            "app.kubernetes.io/managed-by": "tentacular",
        },
    }})
}

/// The same without the labels, as somebody else made it.
pub fn unmanaged(version: &str, kind: &str, name: &str) -> Value {
    let mut object = object(version, kind, name);
    object["metadata"]["labels"] = json!({});
    object
}

/// The workflow's Deployment with one replica, ready or not.
pub fn deployment(ready: bool) -> Value {
    let mut deployment = object("apps/v1", "Deployment", "report");
    deployment["metadata"]["generation"] = json!(1);
    deployment["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "1"});
    deployment["spec"] = json!({"replicas": 1, "selector": {}, "template": {"spec": {
        "containers": [{"name": "engine", "image": "reg.example.com/engine:v1"}],
    }}});
    let count = i32::from(ready);
    deployment["status"] = json!({"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1,
        "availableReplicas": count, "readyReplicas": count});
    deployment
}

/// The Deployment's newest ReplicaSet.
pub fn replica_set() -> Value {
    let mut set = object("apps/v1", "ReplicaSet", "report-1");
    set["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "1"});
    set["status"] = json!({"replicas": 1});
    set
}

/// A pod of that ReplicaSet whose container is in this state.
pub fn pod(name: &str, state: &Value) -> Value {
    let mut pod = object("v1", "Pod", name);
    pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "name": "report-1", "uid": "uid-report-1"}]);
    let ready = state.get("running").is_some();
    let condition = if ready { "True" } else { "False" };
    pod["status"] = json!({
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": condition}],
        "containerStatuses": [{"name": "engine", "image": "i", "imageID": "", "ready": ready,
            "restartCount": 0, "state": state}],
    });
    pod
}

/// A pod that serves.
pub fn running(name: &str) -> Value {
    pod(name, &json!({"running": {}}))
}

/// A pod whose container waits for this reason.
pub fn waiting(name: &str, reason: &str, message: &str) -> Value {
    pod(
        name,
        &json!({"waiting": {"reason": reason, "message": message}}),
    )
}

/// An error as a person reads it, with its exit status.
pub fn shown(error: &Error) -> String {
    let mut text = String::new();
    for line in error.details.iter().flat_map(|details| details.lines()) {
        writeln!(text, "| {line}").expect("text");
    }
    let status = error.kind.exit_status();
    writeln!(text, "{} (exit status {status})", error.message).expect("text");
    for hint in &error.hints {
        writeln!(text, "  -> {hint}").expect("text");
    }
    text
}

/// Does it to the server when that time has passed.
pub fn later(server: &FakeServer, seconds: u64, change: impl FnOnce(&FakeServer) + Send + 'static) {
    let server = server.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        change(&server);
    });
}
