//! A workflow that attacks, and the real servers that it goes for, on the address of the test cluster's node.

use std::net::UdpSocket;

use serde_json::{Value, json};

use super::listener::{Listener, http};
use crate::support::{Answer, NODE_ADDRESS, Namespace, Workflow, deploying, tntc};

/// Its name.
pub const NAME: &str = "fortress";
/// A secret that the workflow's dependency has.
pub const CANARY: &str = "CANARY-5f1e8a";
/// A host of the contract that no name server knows.
const UNKNOWN: &str = "declared.example.com";

pub struct Scene {
    pub workflow: Workflow,
    declared: Listener,
    undeclared: Listener,
    /// Where UDP to the declared port would arrive.
    datagrams: UdpSocket,
}

impl Scene {
    /// The workflow of `attacks/deno.ts` with its two hosts. The declared server redirects to the other one.
    pub fn new() -> Self {
        let undeclared = Listener::at(NODE_ADDRESS, http("200 OK", "", "reached"));
        let location = format!("location: http://{NODE_ADDRESS}:{}/\r\n", undeclared.port);
        let redirect = http("307 Temporary Redirect", &location, "");
        let declared = Listener::at(NODE_ADDRESS, redirect);
        let datagrams = UdpSocket::bind((NODE_ADDRESS, declared.port)).expect("a port");
        datagrams.set_nonblocking(true).expect("a socket");
        let workflow = Workflow::of_one_node(NAME, "");
        workflow.write("nodes/only.ts", include_str!("attacks/deno.ts"));
        workflow.write(".secrets.yaml", &format!("vault: {{token: {CANARY}}}\n"));
        workflow.replace(
            "workflow.yaml",
            "version: \"1.0\"",
            "version: \"1.0\"\nconfig: {timeout: 2m}",
        );
        let port = declared.port;
        workflow.replace(
            "workflow.yaml",
            "dependencies: {}",
            &format!(
                "dependencies: {{declared: {{protocol: http, host: {NODE_ADDRESS}, port: {port}, \
                 auth: {{type: bearer-token, secret: vault.token}}}}, \
                 unknown: {{protocol: http, host: {UNKNOWN}, port: {port}}}}}"
            ),
        );
        Self {
            workflow,
            declared,
            undeclared,
            datagrams,
        }
    }

    fn places(&self) -> Value {
        json!({"host": NODE_ADDRESS, "declared": self.declared.port, "undeclared": self.undeclared.port,
            "name": UNKNOWN, "own": 8080})
    }

    /// The input of a run.
    pub fn input(&self) -> String {
        self.places().to_string()
    }

    /// Deploys it; what its code does that the contract does not say is the point.
    pub fn deploy(&self, namespace: &Namespace, more: &[&str]) -> Answer {
        let flags: Vec<_> = ["--wait", "--warn"].iter().chain(more).copied().collect();
        deploying(&self.workflow, namespace, &flags).run().exits(0)
    }

    /// What its node says in the cluster.
    pub fn in_a_pod(&self, namespace: &Namespace) -> Value {
        let run = [
            "run",
            NAME,
            "-n",
            &namespace.name,
            "--timeout",
            "120s",
            "--input",
            "-",
        ];
        let answer = tntc(run).stdin(&self.input()).run().exits(0);
        answer.json()["outputs"]["only"].clone()
    }

    /// What `attacks/pod.ts` says, run with all of Deno's permissions in the engine's container.
    pub fn in_the_container(&self, namespace: &Namespace, neighbour: &str, dns: &str) -> Value {
        let mut places = self.places();
        places["neighbour"] = json!(neighbour);
        places["dns"] = json!(dns);
        let places = places.to_string();
        let exec = ["exec", "-i", "deployment/fortress", "--", "deno", "run"];
        let flags = ["--allow-all", "--unstable-net", "--no-lock", "-", &places];
        let said = namespace.pipes(
            &[&exec[..], &flags].concat(),
            include_str!("attacks/pod.ts"),
        );
        let last = said.trim().lines().next_back().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|_| panic!("no answers: {said}"))
    }

    /// The servers themselves: neither was anything asked of the one, nor did UDP reach the other.
    #[track_caller]
    pub fn nothing_came_through(&self) {
        assert!(
            !self.declared.requests().is_empty(),
            "the declared host is out of reach"
        );
        assert!(
            self.undeclared.requests().is_empty(),
            "{:?}",
            self.undeclared.requests()
        );
        let mut datagram = [0; 64];
        let received = self.datagrams.recv(&mut datagram);
        assert!(received.is_err(), "a datagram arrived: {received:?}");
    }
}
