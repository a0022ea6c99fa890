//! Workflow files as nobody would write them, all of them valid.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Strings that a careless writer of YAML gets wrong.
const AWKWARD: [&str; 50] = [
    "",
    "~",
    "null",
    "true",
    "yes",
    "on",
    "1",
    "1.10",
    "0x1f",
    "1e3",
    ".inf",
    "-",
    "- a",
    "a: b",
    "#",
    "a #b",
    "|",
    ">",
    "\t",
    "\ta",
    " a",
    "a ",
    "a\n",
    "\na",
    "a\nb\n\n",
    "\"",
    "'",
    "&a",
    "*a",
    "!a",
    "%a",
    "@a",
    "`a",
    "{",
    "[",
    "?",
    ":",
    "---",
    "...",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{1b}[0m",
    "\u{0}",
    "\r",
    "\r\n",
    "2001-12-14",
    "1:30",
    "=",
    "<<",
];

/// Any JSON, with strings that YAML would like to read as something else.
fn json_value() -> impl Strategy<Value = Value> {
    let awkward = prop::sample::select(&AWKWARD[..]).prop_map(Value::from);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[ -~\n\t]{0,40}".prop_map(Value::from),
        awkward,
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![9 => ".{0,8}".boxed(), 1 => prop::sample::select(&AWKWARD[..]).prop_map(str::to_owned).boxed()]
}

/// What the file says about whose the workflow is.
fn metadata() -> impl Strategy<Value = Value> {
    let tag = prop_oneof!["[a-z][a-z0-9.-]{0,8}", ".{0,8}"];
    (
        prop::option::of(".{0,12}"),
        prop::collection::vec(tag, 0..3),
        extensions(),
    )
        .prop_map(|(owner, tags, more)| {
            let mut metadata = json!({"team": "a", "tags": tags});
            if let Some(owner) = owner {
                metadata["owner"] = owner.into();
            }
            merged(metadata, more)
        })
}

fn extensions() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((prop_oneof!["x-[a-z]{1,4}", "x-<<"], json_value()), 0..2)
        .prop_map(|pairs| pairs.into_iter().collect())
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,5}([-_][a-z0-9]{1,4}){0,2}"
}

fn duration() -> impl Strategy<Value = String> {
    (1_u32..1000, prop::sample::select(vec!["ms", "s", "m"]))
        .prop_map(|(number, unit)| format!("{number}{unit}"))
}

fn merged(mut base: Value, more: Map<String, Value>) -> Value {
    if let Value::Object(base) = &mut base {
        base.extend(more);
    }
    base
}

fn trigger() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![
        Just(json!({"type": "manual"})),
        Just(json!({"type": "cron", "schedule": "*/5 0 * * mon", "timezone": "Europe/Berlin"})),
        Just(json!({"type": "cron", "schedule": "@every 1h"})),
        (any::<bool>(), 1..9).prop_map(|(durable, count)| {
            json!({"type": "queue", "subject": "a.*.>", "durable": durable, "max_deliver": count, "concurrency": count, "dlq": "x.y", "deliver": "new", "reply_prefix": "r"})
        }),
        "/[a-z/]{0,8}".prop_map(|path| json!({"type": "webhook", "path": format!("/hooks{path}")})),
        ("/[a-z/]{0,8}", verification()).prop_map(
            |(path, verify)| json!({"type": "webhook", "path": format!("/hooks{path}"), "verify": verify})
        ),
        ".{0,6}".prop_map(|text| json!({"type": "webhook", "provider": "github", "event": text, "actions": ["a", text]})),
    ];
    (kind, extensions()).prop_map(|(kind, more)| merged(kind, more))
}

/// Every way to verify a webhook.
fn verification() -> impl Strategy<Value = Value> {
    let header = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,6}";
    let words = |words: &[&'static str]| prop::sample::select(words.to_vec());
    let hmac = (words(&["sha1", "sha256", "sha512"]), header, "([!-~][ -~]{0,5})?", words(&["hex", "base64"]))
        .prop_map(|(hmac, header, prefix, encoding)| json!({"hmac": hmac, "header": header, "prefix": prefix, "encoding": encoding}));
    let timed = (
        words(&["standard-webhooks", "stripe", "slack"]),
        prop::option::of(1..=60),
    )
        .prop_map(|(kind, minutes)| match minutes {
            Some(minutes) => json!({"type": kind, "tolerance": format!("{minutes}m")}),
            None => json!({"type": kind}),
        });
    let bearer = prop::option::of(header).prop_map(|header| match header {
        Some(header) => json!({"type": "bearer", "header": header}),
        None => json!({"type": "bearer"}),
    });
    (
        prop_oneof![hmac, timed, bearer],
        name(),
        name(),
        extensions(),
    )
        .prop_map(|(scheme, service, key, more)| {
            let secret = json!(format!("{service}.{key}"));
            let all = merged(scheme, Map::from_iter([("secret".to_owned(), secret)]));
            merged(all, more)
        })
}

/// Triggers without the same path twice, each with a name of its own.
fn triggers() -> impl Strategy<Value = Value> {
    prop::collection::vec(trigger(), 1..4).prop_map(|triggers| {
        let mut paths = std::collections::HashSet::new();
        let mut fresh = move |trigger: &Value| {
            let path = trigger.get("path").map(Value::to_string);
            path.is_none_or(|path| paths.insert(path))
        };
        let named = triggers
            .into_iter()
            .filter(move |trigger| fresh(trigger))
            .enumerate();
        named
            .map(|(index, trigger)| {
                merged(
                    trigger,
                    Map::from_iter([("name".into(), format!("t{index}").into())]),
                )
            })
            .collect()
    })
}

fn nodes_and_edges() -> impl Strategy<Value = (Value, Value)> {
    let node = (
        prop::sample::select(vec!["nodes/a.ts", "./b.mjs"]),
        prop::option::of(duration()),
        prop::option::of(0..=10),
        prop::option::of(".{0,12}"),
        extensions(),
    );
    prop::collection::vec(node, 1..6).prop_flat_map(|nodes| {
        let count = nodes.len();
        let pairs: Vec<(usize, usize)> = (0..count)
            .flat_map(|to| (0..to).map(move |from| (from, to)))
            .collect();
        let edges = prop::sample::subsequence(pairs.clone(), 0..=pairs.len());
        (Just(nodes), edges).prop_map(|(nodes, edges)| {
            let node = |(path, timeout, retries, description, more): (
                &str,
                Option<String>,
                Option<i32>,
                Option<String>,
                _,
            )| {
                let given = [
                    ("description", description.map(Value::from)),
                    ("timeout", timeout.map(Value::from)),
                    ("retries", retries.map(Value::from)),
                ];
                let given = given
                    .into_iter()
                    .filter_map(|(key, value)| Some((key.to_owned(), value?)));
                merged(merged(json!({"path": path}), given.collect()), more)
            };
            let nodes: Map<_, _> = nodes
                .into_iter()
                .enumerate()
                .map(|(index, it)| (format!("n{index}"), node(it)))
                .collect();
            let edges = edges
                .iter()
                .map(|(from, to)| json!({"from": format!("n{from}"), "to": format!("n{to}")}));
            (Value::Object(nodes), edges.collect())
        })
    })
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "db",
            "db.data.svc",
            "db-0.db.data.svc.cluster.local",
            "10.1.2.3",
            "2001:db8::1",
            "::1",
            "localhost"
        ])
        .prop_map(str::to_owned),
        "[a-z]{1,6}\\.example\\.(com|org)",
    ]
}

fn dependency() -> impl Strategy<Value = Value> {
    let ports = prop::sample::subsequence(vec!["53/UDP", "443/TCP", "9/SCTP"], 1..=3);
    let target = prop_oneof![
        (prop::sample::select(vec!["https", "http"]), host()).prop_map(|(protocol, host)| json!({"protocol": protocol, "host": host})),
        (host(), ".{1,6}").prop_map(|(host, text)| json!({"protocol": "postgresql", "host": host, "database": text, "user": text})),
        host().prop_map(|host| json!({"protocol": "nats", "host": host, "subject": "a.>"})),
        host().prop_map(|host| json!({"protocol": "blob", "host": host, "container": "c", "port": 8443})),
        (host(), prop::option::of(".{1,6}")).prop_map(|(host, bucket)| match bucket {
            Some(bucket) => json!({"protocol": "s3", "host": host, "container": bucket}),
            None => json!({"protocol": "s3", "host": host}),
        }),
        (host(), ".{1,6}").prop_map(|(host, text)| json!({"protocol": "postgres", "host": host, "database": text, "user": text})),
        (prop::sample::select(vec!["npm", "jsr"]), ".{0,6}", ".{0,6}")
            .prop_map(|(name, host, version)| json!({"protocol": name, "host": host, "version": version})),
        (prop::sample::select(vec!["https", "http", "ldap", ""]), prop::sample::select(vec!["10.0.0.0/8", "::/0"]))
            .prop_map(|(name, cidr)| json!({"type": "dynamic-target", "protocol": name, "cidr": cidr, "dynPorts": ["1/TCP"]})),
        (host(), "[a-z]{3}x").prop_map(|(host, name)| json!({"protocol": name, "host": host, "port": 1, "database": "d"})),
        (prop::sample::select(vec!["10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "10.1.2.3/8"]), ports)
            .prop_map(|(cidr, ports)| json!({"type": "dynamic-target", "cidr": cidr, "dynPorts": ports, "reason": "because", "allowAllHosts": true})),
    ];
    let auth = prop::option::of(
        (name(), name())
            .prop_map(|(service, key)| json!({"type": "t", "secret": format!("{service}.{key}")})),
    );
    (target, auth, extensions()).prop_map(|(target, auth, more)| {
        let auth = auth
            .map(|auth| ("auth".to_owned(), auth))
            .into_iter()
            .collect();
        merged(merged(target, auth), more)
    })
}

fn contract() -> impl Strategy<Value = Value> {
    let egress = prop_oneof![
        Just(json!({"toCIDR": "10.0.0.0/8"})),
        Just(
            json!({"toCIDR": "fd00::/8", "ports": ["80/TCP", {"port": 53, "protocol": "UDP", "x-p": [1]}], "reason": "why: not"})
        ),
    ];
    let dependencies = prop::collection::vec(dependency(), 0..5);
    (dependencies, prop::collection::vec(egress, 0..3), extensions()).prop_map(|(dependencies, egress, more)| {
        let dependencies: Map<_, _> = dependencies.into_iter().enumerate().map(|(i, it)| (format!("d{i}"), it)).collect();
        merged(json!({"version": "1", "dependencies": dependencies, "networkPolicy": {"additionalEgress": egress}}), more)
    })
}

/// Gives each second node the uses of the dependencies that there are, the first of them none.
fn narrow(file: &mut Value, contract: &Value) {
    let Some(dependencies) = contract["dependencies"].as_object() else {
        return;
    };
    let nodes = file["nodes"].as_object_mut().into_iter().flatten();
    for (index, (_, node)) in nodes.enumerate().step_by(2) {
        node["uses"] = dependencies.keys().take(index).cloned().collect();
    }
}

pub fn workflow_file() -> impl Strategy<Value = Value> {
    let config = prop::collection::vec(("[a-z]{1,4}[^tr\u{0}]{0,3}", json_value()), 0..4);
    let head = (
        "[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,4}){0,2}",
        "[0-9]{1,3}\\.[0-9]{1,3}(\\.[0-9]{1,3})?",
        prop::option::of(".{0,20}"),
        prop::option::of(metadata()),
    );
    (head, triggers(), nodes_and_edges(), config, prop::option::of(contract()), extensions()).prop_map(
        |((name, version, description, metadata), triggers, (nodes, edges), config, contract, more)| {
            let mut config: Map<_, _> = config.into_iter().filter(|(key, _)| key != "nats_url").collect();
            config.insert("timeout".into(), "45s".into());
            config.insert("retries".into(), 2.into());
            let mut file = json!({
                "name": name, "version": version, "triggers": triggers, "nodes": nodes, "edges": edges, "config": config,
                "deployment": {"namespace": "a-b", "serviceAccount": "c.d", "replicas": 2},
            });
            if let Some(description) = description {
                file["description"] = description.into();
            }
            if let Some(metadata) = metadata {
                file["metadata"] = metadata;
            }
            if let Some(contract) = contract {
                narrow(&mut file, &contract);
                file["contract"] = contract;
            }
            merged(file, more)
        },
    )
}

/// The file as JSON, which is YAML once the control characters that JSON leaves alone are escaped.
pub fn text(file: &Value) -> String {
    let escaped = |c: char| match c {
        '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
            format!("\\u{:04x}", u32::from(c))
        }
        c => c.to_string(),
    };
    file.to_string().chars().map(escaped).collect()
}
