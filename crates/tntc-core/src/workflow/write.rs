//! A workflow as YAML again: everything that was read, in the same order, without comments.

use std::fmt::Display;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{
    Deliver, Edge, Encoding, Metadata, Node, Scheme, TransportPort, Trigger, TriggerKind,
    Verification, Webhook, Workflow, format_duration,
};
use crate::contract::{
    AdditionalEgress, Auth, CONTRACT_VERSION, Contract, Dependency, ListedPort, Target,
};

impl Workflow {
    /// The workflow as JSON with the keys of its file. Ports and other defaults that were filled in are written out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut out = Object::default();
        out.text("name", &self.name)
            .text("version", &self.version)
            .maybe("description", self.description.as_ref());
        out.section("metadata", metadata(&self.metadata));
        out.list("triggers", &self.triggers, trigger);
        let nodes = self
            .nodes
            .iter()
            .map(|node| (node.name.to_string(), self::node(node)));
        out.put("nodes", Value::Object(nodes.collect()));
        if !self.edges.is_empty() {
            out.list("edges", &self.edges, edge);
        }
        out.section("config", self.config.values.clone());
        out.section("deployment", deployment(self));
        if let Some(contract) = &self.contract {
            out.put("contract", self::contract(contract));
        }
        out.finish(&self.extensions)
    }

    /// The workflow as the text of a `workflow.yaml` that [`super::parse()`] reads as the same workflow.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        to_yaml(&self.to_json())
    }
}

impl Serialize for Workflow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

/// JSON as YAML. Strings that YAML would read as something else are quoted.
pub(crate) fn to_yaml(value: &Value) -> String {
    // JSON values have string keys and finite numbers, so the only errors there are cannot happen.
    serde_saphyr::to_string(value).unwrap_or_default()
}

/// A mapping under construction.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn put(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    fn text(&mut self, key: &str, value: &impl Display) -> &mut Self {
        self.put(key, value.to_string())
    }

    fn maybe<T: Display>(&mut self, key: &str, value: Option<T>) -> &mut Self {
        if let Some(value) = value {
            self.text(key, &value);
        }
        self
    }

    fn some(&mut self, key: &str, value: Option<impl Into<Value>>) -> &mut Self {
        if let Some(value) = value {
            self.put(key, value);
        }
        self
    }

    fn list<T>(&mut self, key: &str, items: &[T], write: impl Fn(&T) -> Value) -> &mut Self {
        self.put(key, items.iter().map(write).collect::<Vec<_>>())
    }

    fn section(&mut self, key: &str, values: Map<String, Value>) -> &mut Self {
        if !values.is_empty() {
            self.put(key, Value::Object(values));
        }
        self
    }

    fn finish(mut self, extensions: &Map<String, Value>) -> Value {
        self.0.extend(extensions.clone());
        Value::Object(self.0)
    }
}

fn metadata(metadata: &Metadata) -> Map<String, Value> {
    let mut out = Object::default();
    for (key, text) in metadata.texts() {
        out.text(key, &text);
    }
    if !metadata.tags.is_empty() {
        out.put("tags", metadata.tags.clone());
    }
    out.0.extend(metadata.extensions.clone());
    out.0
}

fn trigger(trigger: &Trigger) -> Value {
    let mut out = Object::default();
    out.text("type", &trigger.kind.name())
        .maybe("name", trigger.name.as_ref());
    match &trigger.kind {
        TriggerKind::Manual => {}
        TriggerKind::Cron { schedule, timezone } => {
            out.text("schedule", schedule)
                .maybe("timezone", timezone.as_ref());
        }
        TriggerKind::Queue(queue) => {
            out.text("subject", &queue.subject)
                .some("durable", queue.durable)
                .some("max_deliver", queue.max_deliver);
            out.some("concurrency", queue.concurrency)
                .maybe("dlq", queue.dlq.as_ref())
                .maybe("deliver", queue.deliver.map(Deliver::name).as_ref())
                .maybe("reply_prefix", queue.reply_prefix.as_ref());
        }
        TriggerKind::Webhook(Webhook::Path(path)) => {
            out.text("path", path);
        }
        TriggerKind::Webhook(Webhook::Verified(path, verification)) => {
            out.text("path", path)
                .put("verify", self::verification(verification));
        }
        TriggerKind::Webhook(Webhook::GitHub { event, actions }) => {
            out.put("provider", "github").maybe("event", event.as_ref());
            if !actions.is_empty() {
                out.put("actions", actions.clone());
            }
        }
    }
    out.finish(&trigger.extensions)
}

fn verification(verification: &Verification) -> Value {
    let mut out = Object::default();
    let (key, name) = verification.named();
    out.put(key, name);
    match &verification.scheme {
        Scheme::Hmac {
            header,
            prefix,
            encoding,
            ..
        } => {
            out.text("header", header)
                .maybe("prefix", prefix.as_ref())
                .some("encoding", encoding.map(Encoding::name));
        }
        Scheme::Timed { tolerance, .. } => {
            out.maybe("tolerance", tolerance.map(format_duration));
        }
        Scheme::Bearer { header } => {
            out.maybe("header", header.as_ref());
        }
    }
    out.text("secret", &verification.secret);
    out.finish(&verification.extensions)
}

fn node(node: &Node) -> Value {
    let mut out = Object::default();
    out.text("path", &node.path)
        .maybe("description", node.description.as_ref())
        .some("capabilities", node.capabilities.clone());
    out.maybe("timeout", node.timeout.map(format_duration))
        .some("retries", node.retries);
    if let Some(uses) = &node.uses {
        out.list("uses", uses, |name| name.as_str().into());
    }
    out.finish(&node.extensions)
}

fn edge(edge: &Edge) -> Value {
    let mut out = Object::default();
    out.text("from", &edge.from).text("to", &edge.to);
    out.finish(&edge.extensions)
}

fn deployment(workflow: &Workflow) -> Map<String, Value> {
    let deployment = &workflow.deployment;
    let mut out = Object::default();
    out.maybe("namespace", deployment.namespace.as_ref());
    out.maybe("serviceAccount", deployment.service_account.as_ref())
        .some("replicas", deployment.replicas);
    out.0.extend(deployment.extensions.clone());
    out.0
}

fn contract(contract: &Contract) -> Value {
    let mut out = Object::default();
    out.put("version", CONTRACT_VERSION);
    let dependencies = contract
        .dependencies
        .iter()
        .map(|it| (it.name.to_string(), dependency(it)));
    out.section("dependencies", dependencies.collect());
    let mut policy = Object::default();
    if !contract.network_policy.additional_egress.is_empty() {
        policy.list(
            "additionalEgress",
            &contract.network_policy.additional_egress,
            egress,
        );
    }
    policy.0.extend(contract.network_policy.extensions.clone());
    out.section("networkPolicy", policy.0);
    out.finish(&contract.extensions)
}

fn dependency(dependency: &Dependency) -> Value {
    let mut out = Object::default();
    match &dependency.target {
        Target::Host {
            protocol,
            host,
            port,
        } => {
            out.text("protocol", &protocol.name())
                .text("host", host)
                .put("port", port.get());
            for (key, value) in protocol.metadata() {
                out.text(key, &value);
            }
        }
        Target::Modules {
            registry,
            host,
            version,
        } => {
            out.text("protocol", &registry.name());
            out.maybe("host", host.as_ref())
                .maybe("version", version.as_ref());
        }
        Target::Dynamic {
            protocol,
            cidr,
            ports,
            reason,
            allow_all_hosts,
        } => {
            out.put("type", "dynamic-target");
            out.maybe("protocol", protocol.as_ref()).text("cidr", cidr);
            out.list("dynPorts", ports, listed_port)
                .maybe("reason", reason.as_ref());
            if *allow_all_hosts {
                out.put("allowAllHosts", true);
            }
        }
    }
    out.some("auth", dependency.auth.as_ref().map(auth));
    out.finish(&dependency.extensions)
}

fn auth(auth: &Auth) -> Value {
    let mut out = Object::default();
    out.text("type", &auth.kind).text("secret", &auth.secret);
    out.finish(&auth.extensions)
}

/// As a text, unless there is something to it that a text cannot say.
fn listed_port(listed: &ListedPort) -> Value {
    let TransportPort { port, transport } = listed.port;
    if listed.extensions.is_empty() {
        return listed.to_string().into();
    }
    let mut out = Object::default();
    out.put("port", port.get())
        .put("protocol", transport.as_str());
    out.finish(&listed.extensions)
}

fn egress(egress: &AdditionalEgress) -> Value {
    let mut out = Object::default();
    out.text("toCIDR", &egress.to);
    if let Some(ports) = &egress.ports {
        out.list("ports", ports, listed_port);
    }
    out.maybe("reason", egress.reason.as_ref());
    out.finish(&egress.extensions)
}
