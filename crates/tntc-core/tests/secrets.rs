//! Secrets are text, exactly as written: the table that the engine's tests and the end-to-end tests read, too.

#![allow(missing_docs, clippy::expect_used)]

use std::collections::BTreeMap;

use serde_json::Value;
use tntc_core::secrets::{content, keys, of_file, parse};

fn table() -> Value {
    let text = include_str!("../../../tests/conformance/secrets.json");
    serde_json::from_str(text).expect("a table")
}

fn cases(part: &str) -> Vec<Value> {
    table()[part].as_array().expect("cases").clone()
}

/// The value of a key as text, as the content of a Secret's key has it for the engine.
fn look_up(content: &[u8], key: &str) -> Option<String> {
    if !keys(content).contains(key) {
        return None;
    }
    let text = String::from_utf8(content.to_vec()).expect("a text");
    let Ok(Value::Object(values)) = serde_json::from_str(&text) else {
        let line = text.strip_suffix("\r\n").or(text.strip_suffix('\n'));
        return Some(line.unwrap_or(&text).to_owned());
    };
    match &values[key] {
        Value::String(text) => Some(text.clone()),
        // Numbers and the like stay as they were written: the object has this one key.
        _ => text
            .split_once(':')
            .map(|(_, value)| value.trim().trim_end_matches('}').to_owned()),
    }
}

fn provisioned(yaml: &str, key: &str) -> Option<String> {
    let services = parse(yaml).expect("secrets").services;
    let content: BTreeMap<_, _> = services
        .iter()
        .map(|(name, it)| (name, content(it)))
        .collect();
    look_up(content.get(&"api".to_owned())?, key)
}

#[test]
fn a_scalar_of_the_file_is_provisioned_as_it_was_written() {
    for case in cases("yaml") {
        let written = case["written"].as_str().expect("a text");
        let expected = case["text"].as_str().map(str::to_owned);
        let at_key = format!("api:\n  token: {written}\n");
        assert_eq!(provisioned(&at_key, "token"), expected, "{at_key}");
        let at_service = format!("api: {written}\n");
        assert_eq!(provisioned(&at_service, "value"), expected, "{at_service}");
    }
}

#[test]
fn a_file_of_the_directory_is_provisioned_as_it_is() {
    for case in cases("files") {
        let file = case["content"].as_str().expect("a text");
        let content = content(&of_file(file.as_bytes().to_vec()).expect("an entry"));
        let key = case["key"].as_str().expect("a key");
        assert_eq!(
            look_up(&content, key).as_deref(),
            case["text"].as_str(),
            "{file:?}"
        );
    }
}

#[test]
fn the_table_has_sixty_values_and_more() {
    assert!(cases("yaml").len() >= 60);
}
