//! The objects that the server keeps, and what it answers of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Answer, Sent};

/// Everything that the server knows.
#[derive(Default)]
pub struct Store {
    /// Counts changes, as the resource versions do.
    pub version: u64,
    /// By pod, and whether it is that of the container before.
    pub logs: BTreeMap<(String, bool), String>,
    /// The status of reviews, by plural.
    pub reviews: BTreeMap<String, Value>,
    /// The largest page.
    pub page_size: Option<usize>,
    /// By plural and name.
    objects: BTreeMap<(String, String), Value>,
    changes: Vec<(u64, &'static str, String, Value)>,
}

impl Store {
    /// Writes an object as it is given, with a version of its own.
    pub fn put(&mut self, mut object: Value) -> Value {
        let key = key_of(&object);
        self.version += 1;
        let known = self.objects.contains_key(&key);
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let uid = json!(format!("uid-{}", key.1));
        let meta = &mut object["metadata"];
        meta["uid"] = meta.get("uid").cloned().unwrap_or(uid);
        let change = if known { "MODIFIED" } else { "ADDED" };
        let changed = (self.version, change, key.0.clone(), object.clone());
        self.changes.push(changed);
        self.objects.insert(key, object.clone());
        object
    }

    /// Takes an object away.
    pub fn remove(&mut self, object: &str) {
        let removed = parted(object).and_then(|key| self.objects.remove(&key));
        if let (Some((plural, _)), Some(object)) = (parted(object), removed) {
            self.version += 1;
            let change = (self.version, "DELETED", plural, object);
            self.changes.push(change);
        }
    }

    /// An object such as `pods/one`.
    pub fn get(&self, object: &str) -> Option<&Value> {
        self.objects.get(&parted(object)?)
    }

    /// What has changed since that version of what a watch selects, as lines, and the version now.
    pub fn changes(&self, sent: &Sent, since: u64) -> (String, u64) {
        let later = self.changes.iter().filter(|change| change.0 > since);
        let own = later.filter(|change| change.2 == sent.resource && selects(sent, &change.3));
        let lines = own
            .map(|(_, kind, _, object)| format!("{}\n", json!({"type": kind, "object": object})));
        (lines.collect(), self.version)
    }

    /// What the server answers.
    pub fn answer(&mut self, sent: &Sent) -> Answer {
        let key = (sent.resource.clone(), sent.name.clone());
        match (sent.verb, sent.subresource.as_str()) {
            ("get", "log") => self.log(sent),
            ("get", _) if sent.resource == "version" => Answer::json(&version()),
            ("get", "") => self
                .objects
                .get(&key)
                .map_or_else(|| absent(sent), Answer::json),
            ("list", _) => self.list(sent),
            ("create", "") if sent.resource.ends_with("reviews") => self.review(sent),
            ("create", "") => self.create(sent),
            ("apply" | "dry-run", "") => self.apply(sent),
            ("merge", "") => self.merge(sent),
            ("delete", "") => self.delete(sent),
            _ => absent(sent),
        }
    }

    fn list(&self, sent: &Sent) -> Answer {
        let all = self
            .objects
            .iter()
            .filter(|(key, _)| key.0 == sent.resource);
        let items: Vec<_> = all
            .map(|(_, it)| it)
            .filter(|it| selects(sent, it))
            .collect();
        let start: usize = sent
            .query("continue")
            .map_or(0, |it| it.parse().unwrap_or(0));
        let asked = sent.query("limit").and_then(|it| it.parse().ok());
        let size = asked.map_or(usize::MAX, |asked: usize| {
            self.page_size.map_or(asked, |most| most.min(asked))
        });
        let end = start.saturating_add(size);
        let rest = if end < items.len() {
            end.to_string()
        } else {
            String::new()
        };
        let page: Vec<_> = items.into_iter().skip(start).take(size).collect();
        Answer::json(&json!({"apiVersion": "v1", "kind": "List", "items": page,
            "metadata": {"resourceVersion": self.version.to_string(), "continue": rest}}))
    }

    fn log(&self, sent: &Sent) -> Answer {
        if self.get(&format!("pods/{}", sent.name)).is_none() {
            return absent(sent);
        }
        let previous = sent.query("previous") == Some("true");
        match self.logs.get(&(sent.name.clone(), previous)) {
            Some(text) => Answer::Text(200, "text/plain", text.clone()),
            None if previous => Answer::status(
                400,
                "BadRequest",
                "previous terminated container \"engine\" in pod not found",
            ),
            None => Answer::Text(200, "text/plain", String::new()),
        }
    }

    fn review(&self, sent: &Sent) -> Answer {
        let mut review = sent.body.clone();
        let status = self.reviews.get(&sent.resource).cloned();
        review["status"] = status.unwrap_or_else(|| match sent.resource.as_str() {
            "selfsubjectrulesreviews" => json!({"incomplete": false, "nonResourceRules": [],
                "resourceRules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
            "selfsubjectreviews" => json!({"userInfo": {"username": "ada"}}),
            _ => json!({"allowed": false}),
        });
        Answer::json(&review)
    }

    fn create(&mut self, sent: &Sent) -> Answer {
        if self.objects.contains_key(&key_of(&sent.body)) {
            let (_, name) = key_of(&sent.body);
            let message = format!("{} \"{name}\" already exists", sent.resource);
            return Answer::status(409, "AlreadyExists", &message);
        }
        Answer::json(&self.put(sent.body.clone()))
    }

    /// Server-side apply: fields that the manager no longer sends go, the others are as sent.
    fn apply(&mut self, sent: &Sent) -> Answer {
        let key = (sent.resource.clone(), sent.name.clone());
        let live = self.objects.get(&key).cloned();
        if is_outdated(sent, live.as_ref()) {
            return outdated(sent);
        }
        let manager = sent.query("fieldManager").unwrap_or_default();
        let mut after = live.unwrap_or_else(|| json!({}));
        let mut entries = after
            .pointer("/metadata/managedFields")
            .cloned()
            .unwrap_or_else(|| json!([]));
        if let Some(entries) = entries.as_array_mut() {
            let own = entries
                .iter()
                .position(|it| it["manager"] == manager && it["operation"] == "Apply");
            if let Some(before) = own.map(|index| entries.remove(index)) {
                prune(&mut after, &before["fieldsV1"], &sent.body);
            }
            entries.push(
                json!({"manager": manager, "operation": "Apply", "fieldsType": "FieldsV1",
                "apiVersion": sent.body["apiVersion"], "fieldsV1": owned(&sent.body)}),
            );
        }
        merge(&mut after, &sent.body);
        after["metadata"]["managedFields"] = entries;
        if sent.verb == "dry-run" {
            return Answer::json(&after);
        }
        Answer::json(&self.put(after))
    }

    fn merge(&mut self, sent: &Sent) -> Answer {
        let key = (sent.resource.clone(), sent.name.clone());
        let Some(mut live) = self.objects.get(&key).cloned() else {
            return absent(sent);
        };
        if is_outdated(sent, Some(&live)) {
            return outdated(sent);
        }
        merge(&mut live, &sent.body);
        Answer::json(&self.put(live))
    }

    /// With finalizers, the object stays until somebody takes it away.
    fn delete(&mut self, sent: &Sent) -> Answer {
        let object = format!("{}/{}", sent.resource, sent.name);
        let Some(mut live) = self.get(&object).cloned() else {
            return absent(sent);
        };
        if live.pointer("/metadata/finalizers").is_some() {
            live["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
            return Answer::json(&self.put(live));
        }
        self.remove(&object);
        Answer::json(
            &json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Success"}),
        )
    }
}

fn key_of(object: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (
        plural(&text(&object["kind"])),
        text(&object["metadata"]["name"]),
    )
}

fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind.ends_with('s') => format!("{kind}es"),
        None => format!("{kind}s"),
    }
}

fn parted(object: &str) -> Option<(String, String)> {
    let (plural, name) = object.split_once('/')?;
    Some((plural.to_owned(), name.to_owned()))
}

fn absent(sent: &Sent) -> Answer {
    let message = format!("{} \"{}\" not found", sent.resource, sent.name);
    Answer::detailed(
        404,
        "NotFound",
        &message,
        &json!({"kind": sent.resource, "name": sent.name}),
    )
}

fn outdated(sent: &Sent) -> Answer {
    let message = format!(
        "{} \"{}\": the object has been modified",
        sent.resource, sent.name
    );
    Answer::status(409, "Conflict", &message)
}

fn is_outdated(sent: &Sent, live: Option<&Value>) -> bool {
    let version = sent.body.pointer("/metadata/resourceVersion");
    version.is_some_and(|version| {
        live.is_none_or(|live| live["metadata"]["resourceVersion"] != *version)
    })
}

fn version() -> Value {
    json!({"major": "1", "minor": "34", "gitVersion": "v1.34.1", "gitCommit": "", "gitTreeState": "",
        "buildDate": "", "goVersion": "", "compiler": "", "platform": ""})
}

/// Whether the namespace and the selectors of a list or a watch take in this object.
fn selects(sent: &Sent, object: &Value) -> bool {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let labels = &object["metadata"]["labels"];
    let label = |key: &str| labels.get(key).map(text);
    let field = |key: &str| {
        object
            .pointer(&format!("/{}", key.replace('.', "/")))
            .map(text)
    };
    let namespace = text(&object["metadata"]["namespace"]);
    (sent.namespace.is_empty() || sent.namespace == namespace)
        && matches(sent.query("labelSelector"), label)
        && matches(sent.query("fieldSelector"), field)
}

fn matches(selector: Option<&str>, value: impl Fn(&str) -> Option<String>) -> bool {
    let terms = selector.into_iter().flat_map(|it| it.split(','));
    terms.filter(|term| !term.is_empty()).all(|term| {
        if let Some((key, wanted)) = term.split_once("!=") {
            return value(key).as_deref() != Some(wanted);
        }
        match term.split_once('=') {
            Some((key, wanted)) => value(key).as_deref() == Some(wanted),
            None => value(term).is_some(),
        }
    })
}

/// JSON merge patch (RFC 7396).
fn merge(into: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            into.as_object_mut().map(|into| into.remove(key));
        } else {
            merge(&mut into[key], value);
        }
    }
}

/// The `fieldsV1` of what was sent; lists are owned as a whole.
fn owned(sent: &Value) -> Value {
    let skipped = ["apiVersion", "kind", "name", "namespace", "resourceVersion"];
    fields(sent, &skipped)
}

fn fields(sent: &Value, skipped: &[&str]) -> Value {
    let members = sent.as_object().into_iter().flatten();
    let members = members.filter(|(key, _)| !skipped.contains(&key.as_str()));
    let below = |key: &str| if key == "metadata" { skipped } else { &[] };
    let fields = members.map(|(key, value)| (format!("f:{key}"), fields(value, below(key))));
    Value::Object(fields.collect::<Map<_, _>>())
}

/// Takes away what was owned and is sent no longer.
fn prune(live: &mut Value, owned: &Value, sent: &Value) {
    for (key, inner) in owned.as_object().into_iter().flatten() {
        let Some(name) = key.strip_prefix("f:") else {
            continue;
        };
        match sent.get(name) {
            None => drop(live.as_object_mut().and_then(|live| live.remove(name))),
            Some(sent) if live.get(name).is_some_and(Value::is_object) => {
                prune(&mut live[name], inner, sent);
            }
            Some(_) => {}
        }
    }
}
