//! Local secrets: from the text of their files to what the cluster's Secret holds.
//!
//! Nothing here ever puts a value into an error or a description; only services, keys and places are named.

mod json;
mod read;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::contract::SecretRef;

pub use read::{Parsed, names, parse};

/// How a reference to the shared pool begins.
const SHARED: &str = "$shared.";

/// What one service's secrets are.
#[derive(Clone, PartialEq)]
pub enum Entry {
    /// Values by key, in the order of the file.
    Values(Vec<(String, Held)>),
    /// A text, or bytes, as they are: a JSON object is values, anything else has the key `value`.
    Raw(Vec<u8>),
    /// The entry of this name in the repository's shared pool.
    Shared(String),
}

/// What stands at one key of a service. It has no debug output, which would show the value.
#[derive(Clone, PartialEq)]
pub enum Held {
    /// JSON text.
    Json(String),
    /// The text of the file of this name in the repository's shared pool.
    Shared(String),
}

/// Never shows a value.
impl fmt::Debug for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values(values) => {
                let keys: Vec<_> = values.iter().map(|(key, _)| key).collect();
                write!(out, "Values({keys:?})")
            }
            Self::Raw(_) => out.write_str("Raw"),
            Self::Shared(name) => write!(out, "Shared({name})"),
        }
    }
}

/// Why a file of secrets cannot be used, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct SecretsError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with local secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file is no YAML; the text says why, and nothing of the file.
    #[error("{0}")]
    NotReadable(String),
    /// The file is no map of services.
    #[error("the file must be a map from service names to their secrets")]
    NotAMap,
    /// A service is given as a list.
    #[error("`{0}` must be a map of keys, a text, or `$shared.<name>`")]
    NotSecrets(String),
    /// A name that cannot be a key of a Kubernetes Secret.
    #[error("`{0}` cannot be a key of a Kubernetes Secret: use letters, digits, `-`, `_` and `.`")]
    BadService(String),
    /// The name would lead out of the shared pool.
    #[error("`{0}`: `$shared.` is followed by the name of a file of the shared pool, without `/`")]
    BadShared(String),
    /// Too deep to be found.
    #[error(
        "`{0}`: `$shared.<name>` can be a service or a key of a service, and nothing within it"
    )]
    DeepShared(String),
    /// A reference where none is resolved.
    #[error(
        "`$shared.<name>` is resolved in `.secrets.yaml` only; a file of secrets holds them itself"
    )]
    SharedInFile,
    /// Several values where one is needed.
    #[error(
        "it holds a JSON object of keys, and one key needs a text: refer to it as a whole service"
    )]
    ObjectAtKey,
    /// Bytes where a text is needed.
    #[error("it is not UTF-8 text, and a key needs a text")]
    BytesAtKey,
}

/// The entry that a file of a secrets directory gives: a JSON object is values, anything else is itself. A byte-order
/// mark is no part of either.
///
/// # Errors
/// A reference to the shared pool, which would be taken for the secret.
pub fn of_file(content: Vec<u8>) -> Result<Entry, Problem> {
    let content = match content.strip_prefix("\u{feff}".as_bytes()) {
        Some(rest) => rest.to_vec(),
        None => content,
    };
    let refers = |(_, value): (String, String)| value.starts_with(&format!("\"{SHARED}"));
    let members = std::str::from_utf8(&content).ok().and_then(json::members);
    if content.starts_with(SHARED.as_bytes()) || members.into_iter().flatten().any(refers) {
        return Err(Problem::SharedInFile);
    }
    Ok(Entry::Raw(content))
}

/// The text at one key, as a file of the shared pool has it.
///
/// # Errors
/// The file holds something else.
pub fn held_of_file(content: Vec<u8>) -> Result<Held, Problem> {
    let Entry::Raw(content) = of_file(content)? else {
        return Err(Problem::SharedInFile);
    };
    let text = String::from_utf8(content).map_err(|_| Problem::BytesAtKey)?;
    if json::members(&text).is_some() {
        return Err(Problem::ObjectAtKey);
    }
    Ok(Held::Json(Value::from(line(&text)).to_string()))
}

/// Two entries of one service, of which `over` wins key by key; a text has the key `value`, as in the engine. What has
/// no value wins over nothing.
#[must_use]
pub fn merged(under: &Entry, over: Entry) -> Entry {
    let (Some(mut values), Some(more)) = (values(under), values(&over)) else {
        return over;
    };
    for (key, value) in more.into_iter().filter(|(_, value)| !is_empty(value)) {
        match values.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = value,
            None => values.push((key, value)),
        }
    }
    let held = |(key, value)| (key, Held::Json(value));
    Entry::Values(values.into_iter().map(held).collect())
}

/// Keys with the JSON text of their values; nothing for bytes that are no text, which cannot be merged with anything.
fn values(entry: &Entry) -> Option<Vec<(String, String)>> {
    match entry {
        Entry::Values(values) => {
            let json = values.iter().map(|(key, held)| match held {
                Held::Json(json) => Some((key.clone(), json.clone())),
                Held::Shared(_) => None,
            });
            json.collect()
        }
        Entry::Raw(content) => {
            let text = std::str::from_utf8(content).ok()?;
            let value = || vec![("value".to_owned(), Value::from(line(text)).to_string())];
            Some(json::members(text).unwrap_or_else(value))
        }
        Entry::Shared(_) => None,
    }
}

/// Without the line break that editors put behind the last line.
fn line(text: &str) -> &str {
    let line = text.strip_suffix("\r\n").or(text.strip_suffix('\n'));
    line.unwrap_or(text)
}

/// Requires a name that a Kubernetes Secret can have as a key.
///
/// # Errors
/// `BadService` with the name.
pub fn require_service(service: &str) -> Result<(), Problem> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=253).contains(&service.len()) && service.bytes().all(fits) && !service.starts_with('.')
    {
        return Ok(());
    }
    Err(Problem::BadService(service.to_owned()))
}

/// Whether a file's name is one that editors and merge tools give to copies of it.
#[must_use]
pub fn is_backup(name: &str) -> bool {
    const ENDINGS: [&str; 6] = ["~", ".swp", ".swo", ".bak", ".orig", ".rej"];
    ENDINGS.iter().any(|ending| name.ends_with(ending))
        || (name.starts_with('#') && name.ends_with('#'))
}

/// A plain name: no separator and no way up.
fn is_file_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

/// Content of the Secret's key for a service, as the engine reads it back; references must be resolved before.
#[must_use]
pub fn content(entry: &Entry) -> Vec<u8> {
    match entry {
        Entry::Values(_) => json::object(&values(entry).unwrap_or_default()).into_bytes(),
        Entry::Raw(content) => content.clone(),
        Entry::Shared(_) => Vec::new(),
    }
}

/// Keys of a service that have a value, as `ctx.secrets` has them. Used for local entries and for what a cluster's
/// Secret holds.
#[must_use]
pub fn keys(content: &[u8]) -> BTreeSet<String> {
    let members = std::str::from_utf8(content).ok().and_then(json::members);
    match members {
        Some(members) => members
            .into_iter()
            .filter(|(_, value)| !is_empty(value))
            .map(|(key, _)| key)
            .collect(),
        None if matches!(content, b"" | b"\n" | b"\r\n") => BTreeSet::new(),
        None => BTreeSet::from(["value".to_owned()]),
    }
}

/// An empty text is a template that nobody filled in.
fn is_empty(json: &str) -> bool {
    matches!(json, "null" | "\"\"")
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

/// Whether a `.gitignore` surely keeps `.secrets.yaml` out. A line too many does no harm, one too few does: so only the
/// usual patterns count, and none where something is taken in again.
#[must_use]
pub fn is_ignored(gitignore: &str) -> bool {
    const PATTERNS: [&str; 5] = [
        ".secrets.yaml",
        "**/.secrets.yaml",
        ".secrets.*",
        ".secrets*",
        ".*",
    ];
    let lines = || gitignore.lines().map(str::trim_end);
    lines().any(|line| PATTERNS.contains(&line)) && !lines().any(|line| line.starts_with('!'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn refs<const N: usize>(refs: [&str; N]) -> BTreeSet<SecretRef> {
        refs.iter()
            .map(|text| text.parse().expect("a reference"))
            .collect()
    }

    fn services(text: &str) -> BTreeMap<String, Entry> {
        parse(text).expect("secrets").services
    }

    fn error(text: &str) -> (usize, usize, Problem) {
        let error = parse(text).expect_err("an error");
        (error.line, error.column, error.problem)
    }

    fn file(content: &[u8]) -> Entry {
        of_file(content.to_vec()).expect("an entry")
    }

    fn json(text: &str) -> Held {
        Held::Json(text.to_owned())
    }

    #[test]
    fn nested_maps_become_json_a_service() {
        let services = services("github:\n  token: abc\n  nested: {a: [1, ~]}\n");
        assert_eq!(
            content(&services["github"]),
            br#"{"token":"abc","nested":{"a":["1",null]}}"#
        );
    }

    #[test]
    fn a_reference_to_the_shared_pool_is_kept_for_the_caller() {
        let services = services("slack: $shared.slack\ngithub: {token: $shared.gh}\n");
        assert_eq!(services["slack"], Entry::Shared("slack".to_owned()));
        let held = Held::Shared("gh".to_owned());
        assert!(services["github"] == Entry::Values(vec![("token".to_owned(), held)]));
    }

    #[test]
    fn a_reference_cannot_leave_the_shared_pool() {
        for name in ["../etc/passwd", "a/b", "..", ".hidden", ""] {
            let found = error(&format!("slack: $shared.{name}\n"));
            assert_eq!(found, (1, 8, Problem::BadShared("slack".to_owned())));
            let found = error(&format!("slack:\n  key: $shared.{name}\n"));
            assert_eq!(found, (2, 8, Problem::BadShared("slack.key".to_owned())));
        }
    }

    #[test]
    fn a_reference_that_nobody_would_resolve_is_refused() {
        let found = error("slack:\n  key:\n    deep: [$shared.x]\n");
        assert_eq!(found, (3, 12, Problem::DeepShared("slack.key".to_owned())));
        for content in ["$shared.x\n", "{\"a\": \"$shared.x\"}"] {
            let found = of_file(content.as_bytes().to_vec());
            assert!(found == Err(Problem::SharedInFile), "{content}");
        }
    }

    #[test]
    fn one_key_takes_the_text_of_a_shared_file() {
        let held = |content: &[u8]| held_of_file(content.to_vec()).map(|it| it == json("\"0123\""));
        assert_eq!(held(b"0123\n"), Ok(true));
        assert_eq!(held("\u{feff}0123".as_bytes()), Ok(true));
        assert_eq!(held(b"{}"), Err(Problem::ObjectAtKey));
        assert_eq!(held(b"\xff"), Err(Problem::BytesAtKey));
    }

    #[test]
    fn an_error_says_where_and_why_and_never_shows_the_text() {
        for (text, place, why) in [
            (
                "hidden:\n  token: \"hidden\n",
                "line 3, column 1",
                "quoted text",
            ),
            ("hidden:\n\ttoken: hidden\n", "line 2", "indent with spaces"),
            (
                "a:\n  hidden: x\n  hidden: y\n",
                "line 3, column 3",
                "twice",
            ),
            ("hidden: {}\nhidden: {}\n", "line 2, column 1", "twice"),
            (
                "a:\n    x: hidden\n  y: hidden\n",
                "line 3",
                "not indented like",
            ),
            (
                "a:\n  x: hidden: y\n",
                "line 2",
                "mapping values are not allowed",
            ),
            ("a: !hidden x\n", "line 1, column 4", "tag"),
            ("a: {x: hidden\n", "line", "not valid YAML"),
            ("- hidden\n", "line 1, column 1", "must be a map"),
            ("hidden\n", "line 1, column 1", "must be a map"),
            ("a: b\n---\nhidden: c\n", "line 2", "more than one document"),
            ("a: \"\\hidden\"\n", "line 1", "escape"),
        ] {
            let error = parse(text).expect_err("an error");
            let said = error.to_string();
            assert!(said.starts_with(place) && said.contains(why), "{said}");
            assert!(!format!("{error:?} {said}").contains("hidden"), "{said}");
        }
    }

    #[test]
    fn an_entry_never_shows_its_values() {
        let services = services("github: {token: ghp_hidden}\nplain: ghp_hidden\n");
        assert!(!format!("{services:?}").contains("ghp_hidden"));
    }

    #[test]
    fn a_service_that_holds_no_secrets_is_told() {
        let list = Problem::NotSecrets("github".to_owned());
        assert_eq!(error("github: [1]\n"), (1, 9, list));
        let name = Problem::BadService("a/b".to_owned());
        assert_eq!(error("x: y\na/b: {c: d}\n"), (2, 1, name));
    }

    #[test]
    fn an_empty_file_holds_nothing() {
        for text in ["", "# nothing yet\n", "---\n", "github:\n"] {
            assert_eq!(parse(text), Ok(Parsed::default()), "{text:?}");
        }
    }

    #[test]
    fn null_is_no_value_and_is_told_where_it_was_written() {
        let parsed = parse("a: {b: ~, c: null, d: , e: \"\", f: \"~\"}\n").expect("secrets");
        assert_eq!(content(&parsed.services["a"]), br#"{"f":"~"}"#);
        assert_eq!(parsed.warnings.len(), 2, "{:?}", parsed.warnings);
        assert!(parsed.warnings[0].starts_with("line 1, column 8: `a.b` is null"));
    }

    #[test]
    fn what_an_editor_leaves_is_known() {
        for name in [
            "github~",
            "#github#",
            "github.swp",
            "github.bak",
            "github.orig",
        ] {
            assert!(is_backup(name), "{name}");
        }
        assert!(!is_backup("github") && !is_backup("bak") && !is_backup("a.json"));
    }

    #[test]
    fn a_file_that_is_no_json_object_is_one_value() {
        assert_eq!(
            keys(&content(&file(b"plain"))),
            BTreeSet::from(["value".to_owned()])
        );
        assert_eq!(
            keys(&content(&file(br#"{"token": "t"}"#))),
            BTreeSet::from(["token".to_owned()])
        );
    }

    #[test]
    fn the_later_of_two_entries_wins_key_by_key() {
        let both = |under: &[u8], over: &[u8]| {
            let merged = merged(&file(under), file(over));
            String::from_utf8(content(&merged)).expect("a text")
        };
        assert_eq!(
            both(br#"{"token": "old", "pin": 1.10}"#, br#"{"token": "new"}"#),
            r#"{"token":"new","pin":1.10}"#
        );
        assert_eq!(
            both(br#"{"token": "t"}"#, b"plain\r\n"),
            r#"{"token":"t","value":"plain"}"#
        );
        assert_eq!(
            both(br#"{"token": "t"}"#, br#"{"token": "", "x": null}"#),
            r#"{"token":"t"}"#
        );
        let bytes = Entry::Raw(vec![0xff]);
        assert_eq!(merged(&file(b"plain"), bytes.clone()), bytes);
    }

    #[test]
    fn an_empty_value_is_no_value() {
        assert!(keys(br#"{"token": "", "user": null}"#).is_empty());
        assert!(keys(b"").is_empty() && keys(b"\n").is_empty());
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
        assert_eq!(names(&template).expect("secrets").len(), 3);
    }

    #[test]
    fn only_a_gitignore_that_surely_ignores_the_file_counts() {
        for text in [".secrets.yaml", "a\n.secrets*\nb\n", "**/.secrets.yaml\r\n"] {
            assert!(is_ignored(text), "{text:?}");
        }
        for text in [
            "",
            "# .secrets.yaml",
            ".secrets.yaml.example",
            ".secrets",
            ".secrets*\n!.secrets.yaml",
            "other/.secrets.yaml",
        ] {
            assert!(!is_ignored(text), "{text:?}");
        }
    }
}
