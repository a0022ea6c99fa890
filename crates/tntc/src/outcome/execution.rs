//! The engine's answer to one run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What the engine answers to `POST /run`; what an older engine does not say is absent.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    /// Whether no node failed.
    pub success: bool,
    /// What each node returned, by name.
    #[serde(default)]
    pub outputs: Map<String, Value>,
    /// Why nodes failed, one line each.
    #[serde(default)]
    pub errors: Vec<String>,
    /// When it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timing: Option<RunTiming>,
    /// Names this run in logs and traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run_id: Option<String>,
    /// Hash of the code that ran; null outside a cluster.
    pub revision: Option<String>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RunTiming {
    /// RFC 3339, in UTC.
    started_at: String,
    /// In whole milliseconds.
    duration_ms: u64,
    /// Of each node that started, by name.
    nodes: BTreeMap<String, NodeTiming>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NodeTiming {
    /// RFC 3339, in UTC.
    started_at: String,
    /// In whole milliseconds, with all attempts.
    duration_ms: u64,
    /// How often the node was tried.
    attempts: u32,
}

impl Execution {
    /// The first of its errors.
    pub fn first_error(&self) -> &str {
        self.errors
            .first()
            .map_or("no error was given", String::as_str)
    }

    /// What may be behind the first of its errors.
    pub fn hint(&self) -> Option<&'static str> {
        hint(self.first_error())
    }
}

/// What Deno says when its permission flags keep a node from a host, in the answer of an engine that does not explain it.
const NOT_PERMITTED: &str = "Requires net access";

/// How errors of nodes begin or end that reached nobody: Deno's own, and the engine's about a node's timeout.
const NOT_REACHED: [&str; 5] = [
    "timed out",
    "timeout",
    "error sending request",
    "tcp connect error",
    "Connection refused",
];

/// What may be behind the error of a node in a sealed pod.
fn hint(error: &str) -> Option<&'static str> {
    if error.contains(NOT_PERMITTED) {
        return Some(
            "the pod may reach only what the contract declares: add the host under contract.dependencies",
        );
    }
    let unreached = NOT_REACHED.iter().any(|text| error.contains(text));
    unreached.then_some(
        "the NetworkPolicy opens only what the contract declares, as tntc validate shows it: a host with a private address needs a line under contract.networkPolicy.additionalEgress",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_reached_nobody_is_led_to_the_contract() {
        let denied = "node a threw: Requires net access to \"x.example.com:443\", run again with the --allow-net flag";
        assert!(hint(denied).is_some_and(|hint| hint.contains("contract.dependencies")));
        let refused = "node a threw: error sending request for url (https://x.example.com/)";
        assert!(hint(refused).is_some_and(|hint| hint.contains("NetworkPolicy")));
        assert_eq!(hint("node a threw: made to fail"), None);
    }
}
