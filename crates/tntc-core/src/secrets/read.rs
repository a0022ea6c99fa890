//! `.secrets.yaml` as text: every scalar is what was written, character by character.
//!
//! YAML would read `0123` as a number, `yes` as true and `1.10` as 1.1; none of them is the password that somebody wrote.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{Entry, Held, Problem, SHARED, SecretsError, is_file_name, json, require_service};
use crate::diagnostic::{Diagnostic, Severity, Source};
use crate::yaml::{self, Node, Sink, Value};

/// What a file of secrets holds.
#[derive(Debug, Default, PartialEq)]
pub struct Parsed {
    /// Entries by service.
    pub services: BTreeMap<String, Entry>,
    /// What is questionable, with the place of each.
    pub warnings: Vec<String>,
}

/// Services by name, as a YAML file of secrets gives them. What is `null`, `~`, empty or not there at all is no value.
///
/// # Errors
/// The first place where the text is no YAML, no map of services, or nothing that can be provisioned. No error ever
/// holds any of the text but the names of services and keys.
pub fn parse(text: &str) -> Result<Parsed, SecretsError> {
    let source = Source::new(text);
    let mut sink = Sink::new(&source);
    let root = yaml::parse(text, &mut sink);
    let report = sink.finish();
    if let Some(error) = report.iter().find(|it| it.severity == Severity::Error) {
        return if error.code == "empty" {
            Ok(Parsed::default())
        } else {
            Err(not_readable(error))
        };
    }
    let mut reader = Reader {
        source: &source,
        parsed: Parsed::default(),
    };
    if let Some(root) = root {
        reader.file(&root)?;
    }
    Ok(reader.parsed)
}

/// What a file of secrets has a place for, as `service.key`, filled in or not; for a service that is a text, whatever it
/// may be asked for.
///
/// # Errors
/// As [`parse`].
pub fn names(text: &str) -> Result<BTreeSet<String>, SecretsError> {
    parse(text)?;
    let source = Source::new(text);
    let root = yaml::parse(text, &mut Sink::new(&source));
    let Some(Value::Map(services)) = root.map(|root| root.value) else {
        return Ok(BTreeSet::new());
    };
    let keys = |service: yaml::Entry<'_>| match service.node.value {
        Value::Map(keys) => {
            let keys = keys.iter().map(|it| format!("{}.{}", service.key, it.key));
            keys.collect()
        }
        _ => vec![format!("{}.value", service.key)],
    };
    Ok(services.into_iter().flat_map(keys).collect())
}

/// The reader's own messages quote the text here and there.
fn not_readable(found: &Diagnostic) -> SecretsError {
    let why = match found.code {
        "yaml" => {
            let why = found.message.split(": ").nth(1).unwrap_or_default();
            format!("this is not valid YAML: {}", in_words(why))
        }
        "duplicate-key" => "the key stands twice in its map; keep one of the two".to_owned(),
        "key" => "the key is not a plain text; put it in quotes".to_owned(),
        "tag" => "a tag is not supported here; put the value in quotes".to_owned(),
        "several-documents" => "the file holds more than one document".to_owned(),
        code => format!("this is not supported here ({code})"),
    };
    let (line, column) = (found.line, found.column);
    SecretsError {
        line,
        column,
        problem: Problem::NotReadable(why),
    }
}

/// Everybody's slips, in other words than the parser's.
fn in_words(why: &str) -> &str {
    if why.contains("tab") {
        "a tab stands here; indent with spaces"
    } else if why.contains("multiline quoted scalar") {
        "the quoted text before this is not closed"
    } else if why.contains("indent") || why.contains("did not find expected key") {
        "the line is not indented like those around it"
    } else {
        why
    }
}

struct Reader<'s> {
    source: &'s Source<'s>,
    parsed: Parsed,
}

impl Reader<'_> {
    fn file(&mut self, root: &Node<'_>) -> Result<(), SecretsError> {
        let Value::Map(services) = &root.value else {
            return Err(self.error(root, Problem::NotAMap));
        };
        for service in services {
            let name = service.key.as_ref();
            require_service(name)
                .map_err(|problem| self.error_at(service.key_span().start, problem))?;
            if let Some(entry) = self.entry(name, &service.node)? {
                self.parsed.services.insert(name.to_owned(), entry);
            }
        }
        Ok(())
    }

    fn entry(&mut self, service: &str, node: &Node<'_>) -> Result<Option<Entry>, SecretsError> {
        match &node.value {
            Value::Map(keys) => {
                let mut values = Vec::new();
                for key in keys {
                    let name = format!("{service}.{}", key.key);
                    if let Some(held) = self.held(&name, &key.node)? {
                        values.push((key.key.clone().into_owned(), held));
                    }
                }
                Ok(Some(Entry::Values(values)))
            }
            Value::Scalar(_) => Ok(match self.scalar(service, node)? {
                Some(Scalar::Shared(name)) => Some(Entry::Shared(name)),
                Some(Scalar::Text(text)) => Some(Entry::text(text)),
                None => None,
            }),
            _ => Err(self.error(node, Problem::NotSecrets(service.to_owned()))),
        }
    }

    fn held(&mut self, name: &str, node: &Node<'_>) -> Result<Option<Held>, SecretsError> {
        if !matches!(node.value, Value::Scalar(_)) {
            return Ok(Some(Held::Json(self.nested(name, node)?.to_string())));
        }
        Ok(self.scalar(name, node)?.map(|scalar| match scalar {
            Scalar::Shared(name) => Held::Shared(name),
            Scalar::Text(text) => Held::Json(Json::from(text).to_string()),
        }))
    }

    /// A map or a list within a service; nobody asks for a part of it by name.
    fn nested(&self, name: &str, node: &Node<'_>) -> Result<Json, SecretsError> {
        Ok(match &node.value {
            Value::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|it| Ok((it.key.clone().into_owned(), self.nested(name, &it.node)?)));
                Json::Object(entries.collect::<Result<_, _>>()?)
            }
            Value::List(items) => {
                let items = items.iter().map(|it| self.nested(name, it));
                Json::Array(items.collect::<Result<_, _>>()?)
            }
            Value::Scalar(_) if node.is_null() => Json::Null,
            Value::Scalar(scalar) if scalar.text.starts_with(SHARED) => {
                return Err(self.error(node, Problem::DeepShared(name.to_owned())));
            }
            Value::Scalar(scalar) => Json::from(scalar.text.as_ref()),
            Value::Broken => Json::Null,
        })
    }

    fn scalar(&mut self, name: &str, node: &Node<'_>) -> Result<Option<Scalar>, SecretsError> {
        let Value::Scalar(scalar) = &node.value else {
            return Ok(None);
        };
        if node.is_null() {
            if !scalar.text.is_empty() {
                let (line, column) = self.source.position(node.span().start);
                self.parsed.warnings.push(format!(
                    "line {line}, column {column}: `{name}` is null and so has no value; put it in quotes where it is the secret itself"
                ));
            }
            return Ok(None);
        }
        match scalar.text.strip_prefix(SHARED) {
            Some(shared) if is_file_name(shared) => Ok(Some(Scalar::Shared(shared.to_owned()))),
            Some(_) => Err(self.error(node, Problem::BadShared(name.to_owned()))),
            None if scalar.text.is_empty() => Ok(None),
            None => Ok(Some(Scalar::Text(scalar.text.clone().into_owned()))),
        }
    }

    fn error(&self, node: &Node<'_>, problem: Problem) -> SecretsError {
        self.error_at(node.span().start, problem)
    }

    fn error_at(&self, offset: usize, problem: Problem) -> SecretsError {
        let (line, column) = self.source.position(offset);
        SecretsError {
            line,
            column,
            problem,
        }
    }
}

enum Scalar {
    Text(String),
    Shared(String),
}

impl Entry {
    /// A service's text. A file loses its last line break when it is read; a text that ends in one is therefore written
    /// as the object that means the same.
    fn text(text: String) -> Self {
        if text.ends_with('\n') && json::members(&text).is_none() {
            let value = Json::from(text).to_string();
            return Self::Values(vec![("value".to_owned(), Held::Json(value))]);
        }
        Self::Raw(text.into_bytes())
    }
}
