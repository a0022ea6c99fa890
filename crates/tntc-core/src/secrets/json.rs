//! The top-level members of a JSON object, each value as it was written: a number that is read and written again may be
//! another one (`1.10`, twenty digits).

use serde_json::{Map, Value};

/// Keys with the JSON text of their values, in the order of the file; nothing for what is no JSON object. The last of
/// several equal keys wins, as in every reader of JSON.
pub(super) fn members(text: &str) -> Option<Vec<(String, String)>> {
    let Ok(Value::Object(values)) = serde_json::from_str(text) else {
        return None;
    };
    let mut members: Vec<_> = Map::into_iter(values)
        .map(|(key, value)| (key, value.to_string()))
        .collect();
    for (key, value) in spans(text) {
        let key: String = serde_json::from_str(key.trim()).ok()?;
        let member = members.iter_mut().find(|(name, _)| *name == key)?;
        value.trim().clone_into(&mut member.1);
    }
    Some(members)
}

/// Text of each key and value of an object that is known to be valid JSON.
fn spans(text: &str) -> Vec<(&str, &str)> {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    let (mut start, mut key, mut found) = (0, "", Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => {
                depth += 1;
                if depth == 1 {
                    start = at + 1;
                }
            }
            b':' if depth == 1 => {
                key = &text[start..at];
                start = at + 1;
            }
            b',' | b'}' | b']' if depth == 1 => {
                found.push((key, &text[start..at]));
                (key, start) = ("", at + 1);
                depth -= i32::from(byte != b',');
            }
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    found.retain(|(key, _)| !key.is_empty());
    found
}

/// The object that [`members`] takes apart.
pub(super) fn object(members: &[(String, String)]) -> String {
    let members = members
        .iter()
        .map(|(key, value)| format!("{}:{value}", Value::from(key.as_str())));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
        pairs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec()
    }

    #[test]
    fn values_are_what_was_written() {
        for (text, expected) in [
            ("{}", pairs([])),
            (" { } ", pairs([])),
            (r#"{"a":1.10}"#, pairs([("a", "1.10")])),
            (
                "{\n\t\"a\" : 12345678901234567890123 ,\n\"b\":1e5}\n",
                pairs([("a", "12345678901234567890123"), ("b", "1e5")]),
            ),
            (
                r#"{"a": {"b": [1.0, "}"]}, "c": "x,\"y\":\\"}"#,
                pairs([("a", r#"{"b": [1.0, "}"]}"#), ("c", r#""x,\"y\":\\""#)]),
            ),
            (r#"{"a": 1.0, "a": 2.0}"#, pairs([("a", "2.0")])),
            (r#"{"k\u0065y:": -0.0}"#, pairs([("key:", "-0.0")])),
            (r#"{"": [], "ü": "é"}"#, pairs([("", "[]"), ("ü", "\"é\"")])),
        ] {
            assert_eq!(members(text), Some(expected), "{text}");
        }
        for text in ["", "1", "[1]", "\"{}\"", "{a: 1}", "{\"a\": 0123}", "{} x"] {
            assert_eq!(members(text), None, "{text}");
        }
    }

    #[test]
    fn an_object_is_put_together_again() {
        let text = r#"{"a":1.10,"b\"":{"c":[1.0]}}"#;
        assert_eq!(members(text).map(|it| object(&it)).as_deref(), Some(text));
    }
}
