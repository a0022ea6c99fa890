//! `tntc cluster check` and what it says.

use serde_json::Value;

use super::{Answer, tntc};

/// Runs it for this namespace.
pub fn check(namespace: &str, more: &[&str]) -> Answer {
    let arguments = ["cluster", "check", "-n", namespace]
        .into_iter()
        .chain(more.iter().copied());
    tntc(arguments).run()
}

/// The check of this name in an envelope.
pub fn found<'a>(envelope: &'a Value, name: &str) -> &'a Value {
    let checks = envelope["checks"].as_array().expect("checks");
    checks
        .iter()
        .find(|check| check["check"] == name)
        .unwrap_or(&Value::Null)
}
