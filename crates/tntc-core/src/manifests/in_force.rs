//! Whether applying an object would change nothing, so that only what changed is sent.
//!
//! Server-side apply changes an object when a field that is sent has another value, or when the manager owns a field
//! that is no longer sent. What this module cannot judge counts as a change: sending too much is harmless.

use serde_json::Value;

/// Whether `live` is what applying `wanted` as `manager` would make of it; both are whole objects as JSON.
#[must_use]
pub fn is_in_force(wanted: &Value, live: &Value, manager: &str) -> bool {
    contains(live, wanted)
        && owned_fields(live, manager).is_some_and(|fields| covers(wanted, fields))
}

/// Lists must have the same items in the same order; a list that the server merged by its keys is judged to differ.
fn contains(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted.iter().all(|(name, value)| {
            live.get(name)
                .is_some_and(|present| contains(present, value))
        }),
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len()
                && live
                    .iter()
                    .zip(wanted)
                    .all(|(live, wanted)| contains(live, wanted))
        }
        _ => live == wanted,
    }
}

/// The `fieldsV1` of the one entry that server-side apply keeps for a manager.
fn owned_fields<'a>(live: &'a Value, manager: &str) -> Option<&'a Value> {
    let entries = live.pointer("/metadata/managedFields")?.as_array()?;
    let mut applied = entries.iter().filter(|entry| {
        entry["manager"] == manager
            && entry["operation"] == "Apply"
            && entry.get("subresource").is_none_or(|name| name == "")
    });
    let entry = applied.next()?;
    applied.next().is_none().then(|| &entry["fieldsV1"])
}

/// Whether every owned field is still wanted. Keys are written as in `metadata.managedFields`: `f:name` is a field,
/// `k:{…}` the item of a list with these fields, `v:…` an item of a set, and `.` the field or item itself.
fn covers(wanted: &Value, owned: &Value) -> bool {
    let Some(owned) = owned.as_object() else {
        return false;
    };
    owned.iter().all(|(key, inner)| {
        if key == "." {
            return true;
        }
        let is_leaf = inner.as_object().is_some_and(serde_json::Map::is_empty);
        find(wanted, key).is_some_and(|found| is_leaf || covers(found, inner))
    })
}

fn find<'a>(wanted: &'a Value, key: &str) -> Option<&'a Value> {
    match key.split_once(':')? {
        ("f", name) => wanted.get(name),
        ("k", fields) => {
            let fields: Value = serde_json::from_str(fields).ok()?;
            let mut items = wanted.as_array()?.iter();
            items.find(|item| contains(item, &fields))
        }
        ("v", value) => {
            let value: Value = serde_json::from_str(value).ok()?;
            wanted.as_array()?.iter().find(|item| **item == value)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wanted() -> Value {
        json!({
            "metadata": {"name": "n", "labels": {"a": "1"}},
            "spec": {"ports": [{"port": 8080, "protocol": "TCP"}], "finalizers": ["x"]},
        })
    }

    /// As the server has it: with defaults, and with what we own.
    fn live() -> Value {
        let mut live = wanted();
        live["spec"]["type"] = json!("ClusterIP");
        live["spec"]["ports"][0]["targetPort"] = json!(8080);
        live["metadata"]["resourceVersion"] = json!("7");
        live["metadata"]["managedFields"] = json!([
            {"manager": "tntc", "operation": "Apply", "fieldsV1": {
                "f:metadata": {"f:labels": {"f:a": {}}},
                "f:spec": {
                    "f:ports": {"k:{\"port\":8080,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}, "f:protocol": {}}},
                    "f:finalizers": {"v:\"x\"": {}},
                },
            }},
            {"manager": "controller", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}},
        ]);
        live
    }

    #[test]
    fn what_the_server_adds_is_no_change() {
        assert!(is_in_force(&wanted(), &live(), "tntc"));
    }

    #[test]
    fn another_value_is_a_change() {
        let mut edited = live();
        edited["metadata"]["labels"]["a"] = json!("2");
        assert!(!is_in_force(&wanted(), &edited, "tntc"));
    }

    #[test]
    fn a_field_or_item_that_is_no_longer_wanted_is_a_change() {
        let mut without_label = wanted();
        without_label["metadata"]["labels"] = json!({});
        assert!(!is_in_force(&without_label, &live(), "tntc"));
        let mut without_finalizer = wanted();
        without_finalizer["spec"]["finalizers"] = json!([]);
        assert!(!is_in_force(&without_finalizer, &live(), "tntc"));
    }

    #[test]
    fn an_item_that_somebody_added_to_a_list_is_judged_to_be_a_change() {
        let mut injected = live();
        injected["spec"]["ports"]
            .as_array_mut()
            .expect("ports")
            .push(json!({"port": 1, "protocol": "TCP"}));
        assert!(!is_in_force(&wanted(), &injected, "tntc"));
    }

    #[test]
    fn an_object_that_we_never_applied_is_to_be_applied() {
        assert!(!is_in_force(&wanted(), &live(), "somebody"));
        let mut twice = live();
        let entry = twice["metadata"]["managedFields"][0].clone();
        twice["metadata"]["managedFields"][1] = entry;
        assert!(!is_in_force(&wanted(), &twice, "tntc"));
    }
}
