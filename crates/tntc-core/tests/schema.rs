//! The schema of workflow.yaml says what the parser says, as far as a schema can.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::LazyLock;

use serde_json::{Value, json};
use tntc_core::project::Project;
use tntc_core::schema;
use tntc_core::workflow::parse;

static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&schema::workflow()).unwrap());

fn base() -> Value {
    json!({
        "name": "a", "version": "1.0", "triggers": [{"type": "manual"}], "nodes": {"a": {"path": "a.ts"}},
        "contract": {"version": "1"},
    })
}

/// The base with the value at a pointer set.
fn with(pointer: &str, value: Value) -> Value {
    let mut file = base();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    file.pointer_mut(parent).unwrap()[key] = value;
    file
}

/// The base with a webhook that is verified so.
fn verify(verify: &Value) -> Value {
    with(
        "/triggers",
        json!([{"type": "webhook", "path": "/a", "verify": verify}]),
    )
}

/// The base with a dependency, and a node that uses this.
fn uses(uses: Value) -> Value {
    let mut file = with("/nodes/a/uses", uses);
    file["contract"]["dependencies"] = json!({"d": {"protocol": "https", "host": "a.b"}});
    file
}

fn accepted(file: &Value) -> (bool, bool) {
    let project =
        Project::from_files([("workflow.yaml", file.to_string()), ("a.ts", String::new())]);
    let answer = parse(&project);
    let clean = answer
        .as_ref()
        .is_ok_and(|checked| checked.warnings().all(|it| it.code != "unknown-key"));
    (clean, SCHEMA.is_valid(file))
}

#[test]
fn the_schema_is_reviewed() {
    insta::assert_json_snapshot!(schema::workflow());
}

#[test]
fn schema_and_parser_accept_the_same_values() {
    let dependency = |value| with("/contract/dependencies", json!({"d": value}));
    let files = [
        base(),
        with("/x-mine", json!([1])),
        with("/version", json!(1.5)),
        with("/description", Value::Null),
        with(
            "/triggers",
            json!([{"type": "cron", "name": "t", "schedule": "@hourly", "timezone": "UTC", "x-a": 1}]),
        ),
        with(
            "/triggers",
            json!([{"type": "queue", "subject": "a", "durable": true, "max_deliver": 1, "concurrency": 2, "dlq": "b", "deliver": "all", "reply_prefix": "r"}]),
        ),
        with(
            "/triggers",
            json!([{"type": "webhook", "path": "/a"}, {"type": "webhook", "provider": "github", "event": "push", "actions": ["a"]}]),
        ),
        with(
            "/triggers",
            json!([
                {"type": "webhook", "path": "/a", "verify": {"hmac": "sha256", "header": "X-S", "prefix": "s=", "encoding": "base64", "secret": "a.b", "x-a": 1}},
                {"type": "webhook", "path": "/b", "verify": {"hmac": "sha1", "header": "X-S", "prefix": "", "encoding": null, "secret": "a.b"}},
                {"type": "webhook", "path": "/c", "verify": {"type": "standard-webhooks", "secret": "a.b", "tolerance": "1h"}},
                {"type": "webhook", "path": "/d", "verify": {"type": "bearer", "secret": "a.b", "header": "X-Token"}},
                {"type": "webhook", "path": "/e", "verify": null},
            ]),
        ),
        uses(json!(["d"])),
        uses(json!([])),
        with(
            "/nodes",
            json!({"a": {"path": "./a.ts", "timeout": "30s", "retries": 10, "capabilities": {"a": 1}, "x-a": 1}}),
        ),
        with(
            "/config",
            json!({"timeout": "1m", "retries": 0, "anything": {"goes": null}}),
        ),
        with(
            "/deployment",
            json!({"namespace": "a-b", "serviceAccount": "a.b", "replicas": 0, "x-a": 1}),
        ),
        with(
            "/contract/networkPolicy",
            json!({"additionalEgress": [{"toCIDR": "10.0.0.0/8", "ports": ["1/TCP", {"port": 2, "protocol": "UDP"}], "reason": "r"}]}),
        ),
        dependency(
            json!({"protocol": "https", "host": "a.b", "port": 1, "auth": {"type": "t", "secret": "a.b"}}),
        ),
        dependency(json!({"protocol": "postgresql", "host": "a.b", "database": "d", "user": "u"})),
        dependency(
            json!({"type": "dynamic-target", "cidr": "::/0", "dynPorts": ["1/TCP"], "reason": "r", "allowAllHosts": true}),
        ),
    ];
    for file in files {
        assert_eq!(accepted(&file), (true, true), "{file:#}");
    }
}

#[test]
fn schema_and_parser_refuse_the_same_mistakes() {
    let dependency = |value| with("/contract/dependencies", json!({"d": value}));
    let files = [
        json!([]),
        json!({}),
        with("/nmae", json!("a")),
        with("/name", json!("A")),
        with("/version", json!("1")),
        with("/triggers", json!([])),
        with("/triggers", json!([{"type": "manuel"}])),
        with("/triggers", json!([{"type": "manual", "name": "T"}])),
        with("/triggers", json!([{"type": "cron"}])),
        with(
            "/triggers",
            json!([{"type": "manual", "schedule": "@hourly"}]),
        ),
        with(
            "/triggers",
            json!([{"type": "queue", "subject": "a", "durable": "yes"}]),
        ),
        with("/triggers", json!([{"type": "webhook", "path": "a"}])),
        with(
            "/triggers",
            json!([{"type": "webhook", "path": "/a", "event": "push"}]),
        ),
        with("/nodes", json!({})),
        with("/nodes", json!({"A": {"path": "a.ts"}})),
        with("/nodes", json!({"a": {"path": "a.py"}})),
        with("/nodes", json!({"a": {"path": "a.ts", "retries": 11}})),
        with("/nodes", json!({"a": {"path": "a.ts", "timeout": 30}})),
        with(
            "/nodes",
            json!({"a": {"path": "a.ts", "capabilities": "a"}}),
        ),
        with("/edges", json!([{"from": "a"}])),
        with("/config", json!([])),
        with("/config", json!({"timeout": "1 h"})),
        with("/deployment", json!({"namespace": "a.b"})),
        with("/deployment", json!({"replicas": -1})),
        with("/contract/version", json!(1)),
        with(
            "/contract/networkPolicy",
            json!({"additionalEgress": [{"toCIDR": "10.0.0.0/8", "ports": []}]}),
        ),
        dependency(json!({"protocol": "https"})),
        dependency(json!({"protocol": "https", "host": "a.b", "port": 0})),
        dependency(
            json!({"protocol": "https", "host": "a.b", "auth": {"type": "t", "secret": "a"}}),
        ),
        dependency(json!({"type": "dynamic-target", "cidr": "::/0", "dynPorts": []})),
        dependency(
            json!({"type": "dynamic-target", "cidr": "::/0", "dynPorts": ["1"], "protocol": "https"}),
        ),
        dependency(
            json!({"type": "dynamic-target", "cidr": "10.0.0.0/8", "dynPorts": ["1/TCP"], "allowAllHosts": "yes"}),
        ),
    ];
    for file in files {
        assert_eq!(accepted(&file), (false, false), "{file:#}");
    }
}

#[test]
fn schema_and_parser_refuse_the_same_mistakes_in_verify_and_uses() {
    let files = [
        verify(&json!("stripe")),
        verify(&json!({"secret": "a.b"})),
        verify(&json!({"type": "stripe"})),
        verify(&json!({"type": "strip", "secret": "a.b"})),
        verify(&json!({"type": "stripe", "secret": "a"})),
        verify(&json!({"type": "stripe", "secret": "a.b", "tolerance": 300})),
        verify(&json!({"type": "stripe", "secret": "a.b", "header": "X-S"})),
        verify(&json!({"type": "bearer", "secret": "a.b", "tolerance": "5m"})),
        verify(&json!({"type": "hmac", "header": "X-S", "secret": "a.b"})),
        verify(&json!({"hmac": "sha256", "type": "stripe", "header": "X-S", "secret": "a.b"})),
        verify(&json!({"hmac": "md5", "header": "X-S", "secret": "a.b"})),
        verify(&json!({"hmac": "sha256", "secret": "a.b"})),
        verify(&json!({"hmac": "sha256", "header": "X S", "secret": "a.b"})),
        verify(&json!({"hmac": "sha256", "header": "X-S", "prefix": " s", "secret": "a.b"})),
        verify(&json!({"hmac": "sha256", "header": "X-S", "encoding": "utf8", "secret": "a.b"})),
        with(
            "/triggers",
            json!([{"type": "webhook", "provider": "github", "verify": {"type": "stripe", "secret": "a.b"}}]),
        ),
        uses(json!("d")),
        uses(json!([1])),
        uses(json!(["D"])),
        uses(json!(["d", "d"])),
    ];
    for file in files {
        assert_eq!(accepted(&file), (false, false), "{file:#}");
    }
}
