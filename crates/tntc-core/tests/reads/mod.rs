//! What the engine reads from a workflow file, said by the parser.

use serde_json::{Map, Value, json};
use tntc_core::contract::{Dependency, Target};
use tntc_core::workflow::{
    DEFAULT_TOLERANCE, DependencyName, Encoding, Scheme, Trigger, TriggerKind, Verification,
    Webhook, Workflow,
};

/// The workflow in the engine's terms (`engine/core/workflow.ts`), its defaults filled in.
pub fn as_the_engine_has_it(workflow: &Workflow) -> Value {
    let nodes = workflow.nodes.iter().map(|node| {
        let timeout = workflow.timeout_of(node).as_millis();
        let mut out = json!({"name": node.name.as_str(), "path": node.path, "timeoutMs": u64::try_from(timeout).unwrap_or(u64::MAX), "retries": workflow.retries_of(node)});
        let uses = node.uses.as_ref();
        let uses = uses.map(|uses| uses.iter().map(DependencyName::as_str).collect());
        set(&mut out, "uses", uses);
        out
    });
    let edges = workflow.edges.iter();
    let edges = edges.map(|edge| json!({"from": edge.from.as_str(), "to": edge.to.as_str()}));
    let contract = workflow.contract.iter();
    let dependencies = contract.flat_map(|contract| &contract.dependencies);
    let dependencies = dependencies.map(|it| (it.name.to_string(), dependency(it)));
    json!({
        "name": workflow.name.as_str(),
        "nodes": nodes.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
        "triggers": workflow.triggers.iter().map(trigger).collect::<Vec<_>>(),
        "config": workflow.config.values,
        "sealed": workflow.contract.is_some(),
        "dependencies": dependencies.collect::<Map<_, _>>(),
    })
}

fn trigger(trigger: &Trigger) -> Value {
    let mut out = json!({"type": trigger.kind.name()});
    match &trigger.kind {
        TriggerKind::Manual | TriggerKind::Cron { .. } => {}
        TriggerKind::Queue(queue) => {
            out["subject"] = queue.subject.as_str().into();
            out["durable"] = queue.durable.unwrap_or_default().into();
            out["maxDeliver"] = queue.max_deliver.unwrap_or(5).into();
            out["dlq"] = queue.dlq.as_ref().map_or("dlq", |dlq| dlq.as_str()).into();
            let deliver = queue.deliver.map(|it| it.name().into());
            set(&mut out, "deliver", deliver);
            let replies = queue.reply_prefix.as_ref();
            set(
                &mut out,
                "replyPrefix",
                replies.map(|it| it.as_str().into()),
            );
            set(&mut out, "concurrency", queue.concurrency.map(Value::from));
        }
        TriggerKind::Webhook(Webhook::Path(path)) => out["path"] = path.as_str().into(),
        TriggerKind::Webhook(Webhook::Verified(path, verification)) => {
            out["path"] = path.as_str().into();
            out["verify"] = self::verification(verification);
        }
        TriggerKind::Webhook(Webhook::GitHub { event, actions }) => {
            out["path"] = "/webhook/github".into();
            out["provider"] = "github".into();
            set(&mut out, "event", event.clone().map(Value::from));
            let actions = (!actions.is_empty()).then(|| actions.clone().into());
            set(&mut out, "actions", actions);
        }
    }
    set(
        &mut out,
        "name",
        trigger.name.as_ref().map(|name| name.as_str().into()),
    );
    out
}

fn verification(verification: &Verification) -> Value {
    let mut out = match &verification.scheme {
        Scheme::Hmac {
            algorithm,
            header,
            prefix,
            encoding,
        } => {
            let prefix = prefix.as_ref().map_or("", |prefix| prefix.as_str());
            let encoding = encoding.unwrap_or(Encoding::Hex).name();
            json!({"type": "hmac", "algorithm": algorithm.name(), "header": header.as_str(), "prefix": prefix, "encoding": encoding})
        }
        Scheme::Timed {
            convention,
            tolerance,
        } => {
            let tolerance = tolerance.unwrap_or(DEFAULT_TOLERANCE).as_millis();
            json!({"type": convention.name(), "toleranceMs": u64::try_from(tolerance).unwrap_or(u64::MAX)})
        }
        Scheme::Bearer { header } => {
            let mut out = json!({"type": "bearer"});
            let header = header.as_ref().map(|header| header.as_str().into());
            set(&mut out, "header", header);
            out
        }
    };
    let secret = &verification.secret;
    out["secret"] = json!({"service": secret.service(), "key": secret.key()});
    out
}

fn dependency(dependency: &Dependency) -> Value {
    let mut out = match &dependency.target {
        Target::Host {
            protocol,
            host,
            port,
        } => {
            let mut out =
                json!({"protocol": protocol.name(), "host": host.to_string(), "port": port.get()});
            for (key, value) in protocol.metadata() {
                out[key] = value.into();
            }
            out
        }
        Target::Modules { registry, host, .. } => {
            json!({"protocol": registry.name(), "host": host.clone().unwrap_or_default(), "port": 0, "kind": "modules"})
        }
        Target::Dynamic {
            protocol,
            cidr,
            ports,
            ..
        } => {
            let spoken = protocol
                .as_deref()
                .filter(|it| matches!(*it, "http" | "https"));
            let (spoken, port) = (spoken.unwrap_or("dynamic-target"), ports[0].port.port.get());
            json!({"protocol": spoken, "host": cidr.to_string(), "port": port, "kind": "dynamic-target"})
        }
    };
    let auth = dependency.auth.as_ref();
    let auth = auth.map(|auth| json!({"type": auth.kind, "service": auth.secret.service(), "key": auth.secret.key()}));
    set(&mut out, "auth", auth);
    out
}

fn set(object: &mut Value, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        object[key] = value;
    }
}
