//! The body of a server-side apply.
//!
//! API servers take it as YAML only, and what is valid JSON is not always valid YAML: their parser (go-yaml) refuses the
//! control characters above ASCII, and reads U+0085, U+2028 and U+2029 as line breaks, which it folds together with the
//! spaces around them. Escaped, both languages read them alike.

use std::fmt::Write as _;

use serde_json::Value;
use serde_json::value::RawValue;

/// The object as JSON that a YAML parser reads as the same value.
///
/// # Errors
///
/// None that is known: what is escaped is still JSON.
pub fn apply_body(object: &Value) -> serde_json::Result<Box<RawValue>> {
    let json = serde_json::to_string(object)?;
    if !json.contains(reads_otherwise_as_yaml) {
        return RawValue::from_string(json);
    }
    let mut escaped = String::with_capacity(json.len() + 64);
    for it in json.chars() {
        if reads_otherwise_as_yaml(it) {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(it));
        } else {
            escaped.push(it);
        }
    }
    RawValue::from_string(escaped)
}

/// Outside of ASCII, JSON has such characters in strings only. All of them need four digits, and no pair of surrogates, which
/// go-yaml would refuse.
fn reads_otherwise_as_yaml(it: char) -> bool {
    matches!(
        it,
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}'
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_character_is_the_same_in_json_and_nothing_that_yaml_reads_otherwise_is_left() {
        let all: String = (1..=0x2100)
            .chain(0xfff0..=0x1_0010)
            .filter_map(char::from_u32)
            .collect();
        let object = json!({"data": {"a": all, "\u{80}key": ["b \u{2028} b"]}});
        let body = apply_body(&object).expect("JSON");
        assert!(!body.get().contains(reads_otherwise_as_yaml));
        assert_eq!(
            serde_json::from_str::<Value>(body.get()).expect("JSON"),
            object
        );
    }

    #[test]
    fn what_yaml_reads_alike_is_not_made_longer() {
        let object = json!({"data": "ä 日本 🙂 \n\t"});
        assert_eq!(apply_body(&object).expect("JSON").get(), object.to_string());
    }
}
