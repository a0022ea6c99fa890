//! Whose fields an object's are, and how they become ours: `metadata.managedFields` as values.
//!
//! Server-side apply removes a field only when the manager that applies is its only owner. So what `kubectl apply` has
//! sent of our own manifests, and with `--force-conflicts` what anybody has added, is first made ours, as
//! `kubectl apply --server-side` does with what it sent before.

use serde_json::{Map, Value, json};

/// How `kubectl apply` books its fields, client-side and server-side. Edits by hand have other names.
const KUBECTL_APPLY: [(&str, &str); 2] = [
    ("kubectl-client-side-apply", "Update"),
    ("kubectl", "Apply"),
];

/// The fields that say what an object does. Labels and annotations of others are their own business.
const CONTENT: [&str; 3] = ["f:spec", "f:data", "f:binaryData"];

/// The `managedFields` in which the fields of `kubectl apply`, and with `forced` those of everybody, are `manager`'s;
/// nothing when there are none.
#[must_use]
pub fn adopted(live: &Value, manager: &str, forced: bool) -> Option<Value> {
    let entries = live.pointer("/metadata/managedFields")?.as_array()?;
    let version = live.get("apiVersion")?;
    let mut own = json!({"manager": manager, "operation": "Apply", "apiVersion": version,
        "fieldsType": "FieldsV1", "fieldsV1": {}});
    let mut others = Vec::new();
    let mut changed = false;
    for entry in entries {
        let mut entry = entry.clone();
        let taken = if is_own(&entry, manager) {
            Some(entry["fieldsV1"].take())
        } else {
            let taken = taken(&mut entry, manager, forced);
            changed |= taken.is_some();
            taken
        };
        merge(&mut own["fieldsV1"], taken.unwrap_or_default());
        if entry["fieldsV1"]
            .as_object()
            .is_some_and(|fields| !fields.is_empty())
        {
            others.push(entry);
        }
    }
    others.push(own);
    changed.then(|| json!(others))
}

/// Whether somebody owns a part of what the object does, who is neither `manager` nor `kubectl apply`.
#[must_use]
pub fn is_contested(live: &Value, manager: &str) -> bool {
    let entries = live.pointer("/metadata/managedFields");
    let mut entries = entries.and_then(Value::as_array).into_iter().flatten();
    entries.any(|entry| {
        let mut entry = entry.clone();
        entry["manager"] != manager
            && !is_of_kubectl_apply(&entry)
            && taken(&mut entry, manager, true).is_some()
    })
}

fn is_own(entry: &Value, manager: &str) -> bool {
    entry["manager"] == manager && entry["operation"] == "Apply" && is_of_the_object(entry)
}

fn is_of_the_object(entry: &Value) -> bool {
    entry.get("subresource").is_none_or(|name| name == "")
}

fn is_of_kubectl_apply(entry: &Value) -> bool {
    KUBECTL_APPLY.iter().any(|(manager, operation)| {
        entry["manager"] == *manager && entry["operation"] == *operation
    })
}

/// Takes fields out of an entry of somebody else.
fn taken(entry: &mut Value, manager: &str, forced: bool) -> Option<Value> {
    let owner = entry["manager"].as_str().unwrap_or_default();
    if !is_of_the_object(entry) || owner.ends_with("controller-manager") {
        return None;
    }
    if is_of_kubectl_apply(entry) || owner == manager {
        return Some(entry["fieldsV1"].take());
    }
    let fields = entry["fieldsV1"].as_object_mut().filter(|_| forced)?;
    let mut taken: Map<_, _> = CONTENT
        .iter()
        .filter_map(|name| fields.remove_entry(*name))
        .collect();
    // Who scales is open unless the workflow says a number.
    let spec = taken.get_mut("f:spec").and_then(Value::as_object_mut);
    if let Some((name, replicas)) = spec.and_then(|spec| spec.remove_entry("f:replicas")) {
        fields.insert("f:spec".to_owned(), json!({name: replicas}));
    }
    taken.retain(|_, fields| fields.as_object().is_none_or(|fields| !fields.is_empty()));
    (!taken.is_empty()).then_some(Value::Object(taken))
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert_with(|| json!({})), value);
            }
        }
        (_, Value::Null) => {}
        (into, from) => *into = from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(entries: &Value) -> Value {
        json!({"apiVersion": "apps/v1", "metadata": {"managedFields": entries}})
    }

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "apps/v1",
            "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    #[test]
    fn what_kubectl_apply_has_sent_becomes_ours() {
        let kubectl = entry(
            "kubectl-client-side-apply",
            "Update",
            &json!({"f:spec": {"f:a": {}}}),
        );
        let ours = entry("tntc", "Apply", &json!({"f:spec": {"f:b": {}}}));
        let both = json!({"f:spec": {"f:a": {}, "f:b": {}}});
        assert_eq!(
            adopted(&live(&json!([kubectl, ours])), "tntc", false),
            Some(json!([entry("tntc", "Apply", &both)]))
        );
        let alone = adopted(&live(&json!([kubectl])), "tntc", false).expect("ours now");
        assert_eq!(alone[0]["manager"], "tntc");
        assert_eq!(alone[0]["operation"], "Apply");
        assert!(!is_contested(&live(&json!([kubectl])), "tntc"));
    }

    #[test]
    fn edits_by_hand_stay_a_conflict_until_they_are_taken_back() {
        let fields = json!({"f:metadata": {"f:labels": {"f:x": {}}}, "f:data": {"f:added": {}}});
        let edit = entry("kubectl-edit", "Update", &fields);
        let ours = entry("tntc", "Apply", &json!({"f:data": {"f:own": {}}}));
        let live = live(&json!([edit, ours]));
        assert_eq!(adopted(&live, "tntc", false), None);
        assert!(is_contested(&live, "tntc"));
        let labels = entry(
            "kubectl-edit",
            "Update",
            &json!({"f:metadata": {"f:labels": {"f:x": {}}}}),
        );
        let data = json!({"f:data": {"f:added": {}, "f:own": {}}});
        assert_eq!(
            adopted(&live, "tntc", true),
            Some(json!([labels, entry("tntc", "Apply", &data)]))
        );
    }

    #[test]
    fn status_scale_replicas_and_controllers_stay_whose_they_are() {
        let mut scale = entry("kubectl", "Update", &json!({"f:spec": {"f:replicas": {}}}));
        scale["subresource"] = json!("scale");
        let edited = entry(
            "kubectl-edit",
            "Update",
            &json!({"f:spec": {"f:replicas": {}}}),
        );
        let controller = entry(
            "kube-controller-manager",
            "Update",
            &json!({"f:spec": {"f:x": {}}}),
        );
        let live = live(&json!([scale, edited, controller]));
        assert_eq!(adopted(&live, "tntc", true), None);
        assert!(!is_contested(&live, "tntc"));
    }
}
