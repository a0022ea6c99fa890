//! Editing YAML files that people wrote: one top-level key changes, everything else stays as it is, comments included.

use std::ops::Range;

use serde_json::{Map, Value};

use crate::diagnostic::Source;
use crate::yaml::{self, Entry, Sink};

/// A top-level key and its new text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit<'a> {
    /// The key.
    pub key: &'a str,
    /// Its value.
    pub value: &'a str,
}

/// Why a file cannot be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The file is no YAML; the text says where and why.
    #[error("{0}")]
    NotYaml(String),
    /// The file is not a map with one key a line.
    #[error("the file is not a map with each key on a line of its own")]
    NotBlock,
}

/// Sets top-level keys to texts, keeping the comment behind a value.
///
/// # Errors
/// The file is no YAML, or no map in block style.
pub fn edit(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    edits.iter().try_fold(text.to_owned(), |text, edit| {
        replace(&text, edit.key, &scalar(edit.value))
    })
}

/// Sets a top-level key to a map; comments within its old value go with it.
///
/// # Errors
/// The file is no YAML, or no map in block style.
pub fn set_map(text: &str, key: &str, map: &Map<String, Value>) -> Result<String, EditError> {
    if map.is_empty() {
        return replace(text, key, "{}");
    }
    // JSON is YAML, and quoting everything keeps every text a text.
    let lines = map
        .iter()
        .map(|(name, value)| format!("  {}: {value}", Value::from(name.as_str())));
    replace(
        text,
        key,
        &format!("\n{}", lines.collect::<Vec<_>>().join("\n")),
    )
}

/// Sets a top-level key to a list of texts; comments within its old value go with it.
///
/// # Errors
/// The file is no YAML, or no map in block style.
pub fn set_list(text: &str, key: &str, items: &[String]) -> Result<String, EditError> {
    if items.is_empty() {
        return replace(text, key, "[]");
    }
    // JSON is YAML, and quoting everything keeps every text a text.
    let lines = items
        .iter()
        .map(|item| format!("\n  - {}", Value::from(item.as_str())));
    replace(text, key, &lines.collect::<String>())
}

fn replace(text: &str, key: &str, value: &str) -> Result<String, EditError> {
    let separator = if value.starts_with('\n') { "" } else { " " };
    if let Some(range) = find(text, key)? {
        let (before, after) = (&text[..range.start], &text[range.end..]);
        return Ok(format!("{before}:{separator}{value}{after}"));
    }
    let newline = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    Ok(format!("{text}{newline}{key}:{separator}{value}\n"))
}

/// From the end of the key to the end of its value, so without a comment behind or below it.
fn find(text: &str, key: &str) -> Result<Option<Range<usize>>, EditError> {
    if text
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    {
        return Ok(None);
    }
    let source = Source::new(text);
    let mut sink = Sink::new(&source);
    let root = yaml::parse(text, &mut sink);
    if sink.failed() {
        return Err(EditError::NotYaml(
            sink.finish().to_string().trim_end().to_owned(),
        ));
    }
    let entries = match root.map(|node| node.value) {
        None => return Ok(None),
        Some(yaml::Value::Map(entries)) => entries,
        Some(yaml::Value::Scalar(scalar)) if scalar.kind() == yaml::Kind::Null => return Ok(None),
        Some(_) => return Err(EditError::NotBlock),
    };
    if !entries.iter().all(|entry| begins_a_line(text, entry)) {
        return Err(EditError::NotBlock);
    }
    let found = entries.iter().find(|entry| entry.key == key);
    Ok(found.map(|entry| entry.key_span().end..value_end(text, entry)))
}

fn begins_a_line(text: &str, entry: &Entry<'_>) -> bool {
    let start = entry.key_span().start;
    let before = text[..start].trim_end_matches(['"', '\'', '\u{feff}']);
    before.is_empty() || before.ends_with(['\n', '\r'])
}

/// A block's span runs up to the next token; what is only space and comments there belongs to what follows.
fn value_end(text: &str, entry: &Entry<'_>) -> usize {
    let key_end = entry.key_span().end;
    let span = entry.node.span();
    if matches!(entry.node.value, yaml::Value::Scalar(_)) && span.start < span.end {
        return span.end;
    }
    let colon = text[key_end..]
        .find(':')
        .map_or(key_end, |at| key_end + at + 1);
    let mut end = colon;
    let mut at = key_end;
    for line in text[key_end..span.end.max(colon)].split_inclusive('\n') {
        at += line.len();
        let content = line.trim();
        if !content.is_empty() && !content.starts_with('#') {
            end = at - (line.len() - line.trim_end().len());
        }
    }
    end
}

/// Plain where that cannot be read as anything but this text, else quoted.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_lowercase().as_str());
    if plain {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(text: &str, key: &str, value: &str) -> String {
        edit(text, &[Edit { key, value }]).expect("an edited file")
    }

    #[test]
    fn a_value_changes_and_its_comment_stays() {
        let before = "# mine\nregistry: old.example.com # ours\n\nnamespace: a\n";
        let after = set(before, "registry", "new.example.com");
        assert_eq!(
            after,
            "# mine\nregistry: new.example.com # ours\n\nnamespace: a\n"
        );
    }

    #[test]
    fn a_new_key_goes_to_the_end() {
        assert_eq!(set("", "namespace", "dev"), "namespace: dev\n");
        assert_eq!(
            set("# nothing yet\n", "namespace", "dev"),
            "# nothing yet\nnamespace: dev\n"
        );
        assert_eq!(
            set("registry: a", "namespace", "dev"),
            "registry: a\nnamespace: dev\n"
        );
    }

    #[test]
    fn a_text_that_yaml_would_read_as_something_else_is_quoted() {
        assert_eq!(set("", "runtime_class", ""), "runtime_class: \"\"\n");
        assert_eq!(set("", "namespace", "true"), "namespace: \"true\"\n");
        assert_eq!(set("", "namespace", "1e3"), "namespace: \"1e3\"\n");
        assert_eq!(
            set("", "registry", "localhost:5000"),
            "registry: \"localhost:5000\"\n"
        );
    }

    #[test]
    fn an_empty_value_is_filled() {
        assert_eq!(
            set("namespace:\nregistry: a\n", "namespace", "dev"),
            "namespace: dev\nregistry: a\n"
        );
    }

    #[test]
    fn a_map_is_replaced_and_what_surrounds_it_stays() {
        let before = "name: a\nconfig: # settings\n  timeout: 30s # short\n  b: 1\n\n# the contract\ncontract: {}\n";
        let map = json!({"timeout": "60s", "nested": {"a": [1]}});
        let after =
            set_map(before, "config", map.as_object().expect("a map")).expect("an edited file");
        assert_eq!(
            after,
            "name: a\nconfig:\n  \"timeout\": \"60s\"\n  \"nested\": {\"a\":[1]}\n\n# the contract\ncontract: {}\n"
        );
    }

    #[test]
    fn a_flow_map_and_the_last_key_are_replaced_too() {
        let map = json!({"b": 2});
        let map = map.as_object().expect("a map");
        assert_eq!(
            set_map("config: {a: 1} # c\nx: 1\n", "config", map),
            Ok("config:\n  \"b\": 2 # c\nx: 1\n".to_owned())
        );
        assert_eq!(
            set_map("x: 1\nconfig:\n  a: 1\n", "config", map),
            Ok("x: 1\nconfig:\n  \"b\": 2\n".to_owned())
        );
    }

    #[test]
    fn a_list_is_added_changed_and_emptied() {
        let set = |text: &str, items: &[&str]| {
            let items: Vec<_> = items.iter().map(|&item| item.to_owned()).collect();
            set_list(text, "list", &items).expect("an edited file")
        };
        let one = set("a: 1 # kept\n", &["/x: y"]);
        assert_eq!(one, "a: 1 # kept\nlist:\n  - \"/x: y\"\n");
        let two = set(&format!("{one}b: 2\n"), &["/x", "/y"]);
        assert_eq!(two, "a: 1 # kept\nlist:\n  - \"/x\"\n  - \"/y\"\nb: 2\n");
        assert_eq!(set(&two, &[]), "a: 1 # kept\nlist: []\nb: 2\n");
    }

    #[test]
    fn a_file_that_is_no_yaml_or_no_block_map_is_refused() {
        assert!(matches!(
            edit(
                "a: [",
                &[Edit {
                    key: "a",
                    value: "b"
                }]
            ),
            Err(EditError::NotYaml(_))
        ));
        assert_eq!(
            edit(
                "{a: 1}",
                &[Edit {
                    key: "a",
                    value: "b"
                }]
            ),
            Err(EditError::NotBlock)
        );
        assert_eq!(
            edit(
                "- a\n",
                &[Edit {
                    key: "a",
                    value: "b"
                }]
            ),
            Err(EditError::NotBlock)
        );
    }
}
