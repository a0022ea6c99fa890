//! The difference between two objects as JSON values.

use serde_json::{Map, Value, json};

use super::{Finding, Kind};
use crate::manifests::labels;

/// Fields that the server fills in, whatever is in them.
const SERVERS_OWN: [&str; 5] = [
    "clusterIP",
    "clusterIPs",
    "ipFamilies",
    "ipFamilyPolicy",
    "podReplacementPolicy",
];

/// Fields whose lists have no order.
const SETS: [&str; 4] = ["drop", "add", "values", "accessModes"];

/// What identifies an item of a list of objects, by the list's field.
const KEYS: [(&str, &str); 7] = [
    ("containers", "name"),
    ("initContainers", "name"),
    ("volumes", "name"),
    ("env", "name"),
    ("volumeMounts", "mountPath"),
    ("items", "path"),
    ("imagePullSecrets", "name"),
];

/// Compares what is planned with what is there.
pub(super) struct Differ {
    additions_count: bool,
}

impl Differ {
    /// What was added is a difference, unless the server adds it to everything.
    pub(super) fn strict() -> Self {
        Self {
            additions_count: true,
        }
    }

    /// What was added is somebody else's business.
    pub(super) fn subset() -> Self {
        Self {
            additions_count: false,
        }
    }

    /// Everything that differs, at its path.
    pub(super) fn compare(&self, path: &str, expected: &Value, actual: &Value) -> Vec<Finding> {
        match (expected, actual) {
            (Value::Object(expected), Value::Object(actual)) => {
                self.objects(path, expected, actual)
            }
            (Value::Array(expected), Value::Array(actual)) => self.lists(path, expected, actual),
            _ if expected == actual => Vec::new(),
            _ => vec![Finding::new(
                Kind::Changed,
                path,
                expected.clone(),
                actual.clone(),
            )],
        }
    }

    fn objects(
        &self,
        path: &str,
        expected: &Map<String, Value>,
        actual: &Map<String, Value>,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (key, wanted) in expected {
            let at = format!("{path}.{key}");
            match actual.get(key) {
                Some(found) => findings.extend(self.compare(&at, wanted, found)),
                None if is_default(key, wanted) => {}
                None => findings.push(Finding::missing(at, wanted.clone())),
            }
        }
        if !self.additions_count || key(path) == "annotations" {
            return findings;
        }
        for (key, found) in actual
            .iter()
            .filter(|(key, _)| !expected.contains_key(*key))
        {
            let mirrored =
                key == "serviceAccount" && expected.get("serviceAccountName") == Some(found);
            if !mirrored && !is_default(key, found) && !is_anybodys(path, key) {
                findings.push(Finding::extra(format!("{path}.{key}"), found.clone()));
            }
        }
        findings
    }

    fn lists(&self, path: &str, expected: &[Value], actual: &[Value]) -> Vec<Finding> {
        let field = key(path);
        if let Some((_, id)) = KEYS.iter().find(|(list, _)| *list == field) {
            return self.keyed(path, id, expected, actual);
        }
        if SETS.contains(&field) || matches!(field, "args" | "command") {
            return members(path, expected, actual);
        }
        if expected.len() != actual.len() {
            return members(path, expected, actual);
        }
        let pairs = expected.iter().zip(actual).enumerate();
        pairs
            .flat_map(|(index, (wanted, found))| {
                self.compare(&format!("{path}[{index}]"), wanted, found)
            })
            .collect()
    }

    fn keyed(&self, path: &str, id: &str, expected: &[Value], actual: &[Value]) -> Vec<Finding> {
        let named = |items: &[Value], wanted: &Value| {
            items.iter().find(|item| item[id] == wanted[id]).cloned()
        };
        let at = |item: &Value| format!("{path}[{}]", item[id].as_str().unwrap_or_default());
        let mut findings = Vec::new();
        for wanted in expected {
            match named(actual, wanted) {
                Some(found) => findings.extend(self.compare(&at(wanted), wanted, &found)),
                None => findings.push(Finding::missing(at(wanted), wanted.clone())),
            }
        }
        let added = actual.iter().filter(|item| named(expected, item).is_none());
        findings.extend(added.map(|item| Finding::extra(at(item), item.clone())));
        findings
    }
}

/// Items that only one side has; when both have the same ones, an order that differs counts where there is one.
fn members(path: &str, expected: &[Value], actual: &[Value]) -> Vec<Finding> {
    let missing = left_over(expected, actual)
        .into_iter()
        .map(|item| Finding::missing(path, item));
    let extra = left_over(actual, expected)
        .into_iter()
        .map(|item| Finding::extra(path, item));
    let findings: Vec<_> = missing.chain(extra).collect();
    if findings.is_empty() && expected != actual && !SETS.contains(&key(path)) {
        return vec![Finding::new(
            Kind::Changed,
            path,
            json!(expected),
            json!(actual),
        )];
    }
    findings
}

/// What is left of one list once every item of the other has taken one like itself away.
fn left_over(from: &[Value], taken: &[Value]) -> Vec<Value> {
    let mut taken = taken.to_vec();
    let mut left = Vec::new();
    for item in from {
        match taken.iter().position(|other| other == item) {
            Some(index) => drop(taken.swap_remove(index)),
            None => left.push(item.clone()),
        }
    }
    left
}

/// The last field of a path, without the index of an item.
fn key(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}

/// Who scales a Deployment is open unless the workflow says a number.
fn is_anybodys(path: &str, key: &str) -> bool {
    SERVERS_OWN.contains(&key) || (path == "spec" && key == "replicas")
}

/// The server's defaults of the fields that our objects leave open (Kubernetes API reference: apps/v1, batch/v1, core/v1).
fn is_default(key: &str, value: &Value) -> bool {
    let default = match key {
        "terminationMessagePath" => json!("/dev/termination-log"),
        "terminationMessagePolicy" => json!("File"),
        "dnsPolicy" => json!("ClusterFirst"),
        "restartPolicy" => json!("Always"),
        "schedulerName" => json!("default-scheduler"),
        "progressDeadlineSeconds" => json!(600),
        "revisionHistoryLimit" | "periodSeconds" => json!(10),
        "terminationGracePeriodSeconds" => json!(30),
        "strategy" => {
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}})
        }
        "scheme" => json!("HTTP"),
        "successThreshold" | "timeoutSeconds" | "parallelism" | "completions" => json!(1),
        "failureThreshold" => json!(3),
        "defaultMode" => json!(420),
        "internalTrafficPolicy" => json!("Cluster"),
        "sessionAffinity" => json!("None"),
        "protocol" => json!("TCP"),
        "type" => json!("ClusterIP"),
        "suspend" => json!(false),
        "completionMode" => json!("NonIndexed"),
        labels::SECRETS_HASH | labels::RESTARTED_AT | labels::IMAGE_ID => return true,
        _ => return is_nothing(value),
    };
    default == *value
}

/// What says the same as an absent field. `false` and 0 do not: `runAsUser: 0` is root.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
