//! The formats that answers are written in, and envelopes in them.

use serde::Serialize;
use tntc_core::terminal;

/// How the answer is written. Not every command has every format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For people, with more columns.
    Wide,
    /// One JSON envelope on stdout, also on failure.
    Json,
    /// The same envelope as YAML.
    Yaml,
    /// Only the names of what the answer is about, a line each.
    Name,
}

impl Format {
    const ALL: [Self; 5] = [Self::Text, Self::Wide, Self::Json, Self::Yaml, Self::Name];

    /// The value of `--output` that asks for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Wide => "wide",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Name => "name",
        }
    }

    /// The format of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// An envelope as JSON, or as YAML.
pub fn written(format: Format, envelope: &impl Serialize) -> Result<String, String> {
    let as_json = || {
        let text = serde_json::to_string_pretty(envelope).map_err(|cause| cause.to_string())?;
        Ok(terminal::shown_json(&text).into_owned())
    };
    if format != Format::Yaml {
        return as_json();
    }
    let text = serde_saphyr::to_string(envelope).map_err(|cause| cause.to_string())?;
    // What a terminal would obey is escaped in JSON without another meaning, and JSON is YAML.
    if text.contains(terminal::is_active) {
        as_json()
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn yaml_says_what_json_says_also_of_what_a_terminal_would_obey() {
        for text in [
            "plain",
            "two\nlines",
            "a: b # c",
            "\u{1b}]0;owned\u{7}",
            "\u{202e}back",
        ] {
            let envelope = json!({"summary": text, "n": 1, "none": null, "list": ["1.10", "yes"]});
            let yaml = written(Format::Yaml, &envelope).expect("YAML");
            assert!(!yaml.contains(terminal::is_active), "{yaml:?}");
            let read: Value = serde_saphyr::from_str(&yaml).expect("YAML");
            assert_eq!(read, envelope, "{yaml}");
        }
    }
}
