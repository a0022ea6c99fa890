//! Local secrets: from the text of their files to what the cluster's Secret holds.
//!
//! Nothing here ever puts a value into an error or a description; only services, keys and places are named.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use crate::contract::SecretRef;

/// How a reference to the shared pool begins.
const SHARED: &str = "$shared.";

/// What one service's secrets are, before references to the shared pool are resolved.
#[derive(Clone, PartialEq)]
pub enum Entry {
    /// Values by key.
    Values(Map<String, Value>),
    /// A text, or bytes, as they are; the engine sees the key `value`.
    Raw(Vec<u8>),
    /// The entry of this name in the repository's shared pool.
    Shared(String),
}

/// Never shows a value.
impl fmt::Debug for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values(values) => write!(out, "Values({:?})", values.keys().collect::<Vec<_>>()),
            Self::Raw(_) => out.write_str("Raw"),
            Self::Shared(name) => write!(out, "Shared({name})"),
        }
    }
}

/// Why local secrets cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// The file is no YAML.
    #[error("line {line}, column {column}: this is not valid YAML")]
    NotYaml {
        /// 1-based line.
        line: u64,
        /// 1-based column.
        column: u64,
    },
    /// The file is no map of services.
    #[error("the file must be a map from service names to their secrets")]
    NotAMap,
    /// A service is given as a list, a number or another thing that holds no secrets.
    #[error("`{service}` must be a map of keys, a text, or `$shared.<name>`")]
    NotSecrets {
        /// The service.
        service: String,
    },
    /// A name that cannot be a key of a Kubernetes Secret.
    #[error(
        "`{service}` cannot be a key of a Kubernetes Secret: use letters, digits, `-`, `_` and `.`"
    )]
    BadService {
        /// The service.
        service: String,
    },
    /// The name would lead out of the shared pool.
    #[error("`{service}`: `$shared.{name}` does not name a file of the shared pool")]
    BadShared {
        /// The service that refers to it.
        service: String,
        /// The name.
        name: String,
    },
}

/// Services by name, as a YAML file of secrets gives them.
///
/// # Errors
/// The text is no YAML, no map, or names a service that cannot be provisioned.
pub fn parse(text: &str) -> Result<BTreeMap<String, Entry>, SecretsError> {
    let value: Value = serde_saphyr::from_str(text).map_err(|error| not_yaml(&error))?;
    let services = match value {
        Value::Null => Map::new(),
        Value::Object(services) => services,
        _ => return Err(SecretsError::NotAMap),
    };
    services
        .into_iter()
        .map(|(service, value)| {
            require_service(&service)?;
            let entry = entry(&service, value)?;
            Ok((service, entry))
        })
        .collect()
}

/// The parser's own message quotes the source, which holds secrets: only the place is kept.
fn not_yaml(error: &serde_saphyr::Error) -> SecretsError {
    let (line, column) = error
        .location()
        .map_or((1, 1), |place| (place.line(), place.column()));
    SecretsError::NotYaml { line, column }
}

fn entry(service: &str, value: Value) -> Result<Entry, SecretsError> {
    match value {
        Value::Object(values) => Ok(Entry::Values(values)),
        Value::String(text) => match text.strip_prefix(SHARED) {
            Some(name) if is_file_name(name) => Ok(Entry::Shared(name.to_owned())),
            Some(name) => Err(SecretsError::BadShared {
                service: service.to_owned(),
                name: name.to_owned(),
            }),
            None => Ok(Entry::Raw(text.into_bytes())),
        },
        _ => Err(SecretsError::NotSecrets {
            service: service.to_owned(),
        }),
    }
}

/// The entry that a file of a secrets directory gives: a JSON object is values, anything else is itself.
#[must_use]
pub fn of_file(content: Vec<u8>) -> Entry {
    match serde_json::from_slice(&content) {
        Ok(Value::Object(values)) => Entry::Values(values),
        _ => Entry::Raw(content),
    }
}

/// Two entries of one service, of which `over` wins key by key; a text has the key `value`, as in the engine.
#[must_use]
pub fn merged(under: Entry, over: Entry) -> Entry {
    match (values(under), values(over.clone())) {
        (Some(mut under), Some(over)) => {
            under.extend(over);
            Entry::Values(under)
        }
        _ => over,
    }
}

/// Nothing for bytes that are no text, which cannot be merged with anything.
fn values(entry: Entry) -> Option<Map<String, Value>> {
    match entry {
        Entry::Values(values) => Some(values),
        Entry::Raw(content) => {
            let text = String::from_utf8(content).ok()?;
            let line = text.strip_suffix("\r\n").or(text.strip_suffix('\n'));
            let text = line.unwrap_or(&text);
            Some(Map::from_iter([("value".to_owned(), text.into())]))
        }
        Entry::Shared(_) => None,
    }
}

/// Requires a name that a Kubernetes Secret can have as a key.
///
/// # Errors
/// `BadService` with the name.
pub fn require_service(service: &str) -> Result<(), SecretsError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=253).contains(&service.len()) && service.bytes().all(fits) && !service.starts_with('.')
    {
        return Ok(());
    }
    Err(SecretsError::BadService {
        service: service.to_owned(),
    })
}

/// A plain name: no separator and no way up.
fn is_file_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

/// Content of the Secret's key for a service, as the engine reads it back; references must be resolved before.
#[must_use]
pub fn content(entry: &Entry) -> Vec<u8> {
    match entry {
        Entry::Values(values) => Value::Object(values.clone()).to_string().into_bytes(),
        Entry::Raw(content) => content.clone(),
        Entry::Shared(_) => Vec::new(),
    }
}

/// Keys of a service, as `ctx.secrets` has them. Used for local entries and for what a cluster's Secret holds.
#[must_use]
pub fn keys(content: &[u8]) -> BTreeSet<String> {
    match serde_json::from_slice(content) {
        Ok(Value::Object(values)) => values
            .into_iter()
            .filter(|(_, value)| !is_empty(value))
            .map(|(key, _)| key)
            .collect(),
        _ if content.is_empty() => BTreeSet::new(),
        _ => BTreeSet::from(["value".to_owned()]),
    }
}

/// An empty text is a template that nobody filled in.
fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

/// A template with an empty value for each reference, for `.secrets.yaml`.
#[must_use]
pub fn template(required: &BTreeSet<SecretRef>) -> String {
    let mut lines =
        vec!["# Secrets of this workflow. Keep this file out of version control.".to_owned()];
    let mut service = "";
    for secret in required {
        if secret.service() != service {
            service = secret.service();
            lines.push(format!("{service}:"));
        }
        lines.push(format!("  {}: \"\"", secret.key()));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refs<const N: usize>(refs: [&str; N]) -> BTreeSet<SecretRef> {
        refs.iter()
            .map(|text| text.parse().expect("a reference"))
            .collect()
    }

    #[test]
    fn nested_maps_become_json_a_service() {
        let services = parse("github:\n  token: abc\n  nested: {a: [1]}\n").expect("secrets");
        assert_eq!(
            content(&services["github"]),
            br#"{"token":"abc","nested":{"a":[1]}}"#
        );
    }

    #[test]
    fn a_reference_to_the_shared_pool_is_kept_for_the_caller() {
        let services = parse("slack: $shared.slack\n").expect("secrets");
        assert_eq!(services["slack"], Entry::Shared("slack".to_owned()));
    }

    #[test]
    fn a_reference_cannot_leave_the_shared_pool() {
        for name in ["../etc/passwd", "a/b", "..", ".hidden", ""] {
            let error = parse(&format!("slack: $shared.{name}\n")).expect_err("an error");
            assert_eq!(
                error,
                SecretsError::BadShared {
                    service: "slack".to_owned(),
                    name: name.to_owned()
                }
            );
        }
    }

    #[test]
    fn an_error_names_the_place_and_never_the_text() {
        let error = parse("github:\n  token: \"ghp_hidden\n").expect_err("an error");
        assert!(matches!(error, SecretsError::NotYaml { .. }), "{error:?}");
        assert!(!format!("{error:?} {error}").contains("ghp_hidden"));
    }

    #[test]
    fn an_entry_never_shows_its_values() {
        let services = parse("github: {token: ghp_hidden}\nplain: ghp_hidden\n").expect("secrets");
        assert!(!format!("{services:?}").contains("ghp_hidden"));
    }

    #[test]
    fn a_service_that_holds_no_secrets_is_told() {
        assert_eq!(
            parse("github: [1]\n"),
            Err(SecretsError::NotSecrets {
                service: "github".to_owned()
            })
        );
        assert_eq!(parse("- github\n"), Err(SecretsError::NotAMap));
        assert!(matches!(
            parse("a/b: {c: d}\n"),
            Err(SecretsError::BadService { .. })
        ));
    }

    #[test]
    fn an_empty_file_holds_nothing() {
        assert_eq!(parse(""), Ok(BTreeMap::new()));
        assert_eq!(parse("# nothing yet\n"), Ok(BTreeMap::new()));
    }

    #[test]
    fn a_file_that_is_no_json_object_is_one_value() {
        assert_eq!(
            keys(&content(&of_file(b"plain".to_vec()))),
            BTreeSet::from(["value".to_owned()])
        );
        assert_eq!(
            keys(&content(&of_file(br#"{"token": "t"}"#.to_vec()))),
            BTreeSet::from(["token".to_owned()])
        );
    }

    #[test]
    fn the_later_of_two_entries_wins_key_by_key() {
        let entry = |text: &str| of_file(text.as_bytes().to_vec());
        let both = merged(
            entry(r#"{"token": "old", "user": "u"}"#),
            entry(r#"{"token": "new"}"#),
        );
        assert_eq!(both, entry(r#"{"token": "new", "user": "u"}"#));
        let text = merged(entry(r#"{"token": "t"}"#), entry("plain\r\n"));
        assert_eq!(text, entry(r#"{"token": "t", "value": "plain"}"#));
        let bytes = Entry::Raw(vec![0xff]);
        assert_eq!(merged(entry("plain"), bytes.clone()), bytes);
    }

    #[test]
    fn an_empty_value_is_no_value() {
        assert!(keys(br#"{"token": "", "user": null}"#).is_empty());
        assert!(keys(b"").is_empty());
    }

    #[test]
    fn the_template_has_an_empty_value_for_each_reference() {
        let template = template(&refs([
            "github.token",
            "slack.api_key",
            "slack.webhook_url",
        ]));
        assert!(
            template.ends_with(
                "github:\n  token: \"\"\nslack:\n  api_key: \"\"\n  webhook_url: \"\"\n"
            ),
            "{template}"
        );
        assert_eq!(parse(&template).expect("secrets").len(), 2);
    }
}
