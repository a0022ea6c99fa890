//! Reading maps and lists: every problem is reported, and what is sound is read on.

use std::fmt;
use std::str::FromStr;

use serde_json::Map;

use super::{Entry, Kind, Node, Path, Scalar, Sink, Spot, Value};
use crate::diagnostic::{Invalid, Severity, shown};

/// Keys that begin like this belong to the user.
pub(crate) const EXTENSION: &str = "x-";

/// A map whose known keys are read one by one.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub(crate) spot: Spot<'a>,
    pub(crate) entries: &'a [Entry<'a>],
}

impl<'a> Fields<'a> {
    pub(crate) fn open(sink: &mut Sink<'_>, spot: Spot<'a>) -> Option<Self> {
        Self::of(spot).or_else(|| wrong_type(sink, spot, "a mapping"))
    }

    /// The map, without a word when the value is none.
    pub(crate) fn of(spot: Spot<'a>) -> Option<Self> {
        match &spot.node.value {
            Value::Map(entries) => Some(Self { spot, entries }),
            _ => None,
        }
    }

    /// All entries as spots, in the order of the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, Spot<'_>)> {
        self.entries
            .iter()
            .map(|entry| (entry.key.as_ref(), self.at(entry)))
    }

    /// The value of a key; an explicit null counts as absent, so that a section may be commented out.
    pub(crate) fn get(&self, key: &str) -> Option<Spot<'_>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!entry.node.is_null()).then(|| self.at(entry))
    }

    pub(crate) fn optional<T>(
        &self,
        sink: &mut Sink<'_>,
        key: &str,
        read: impl FnOnce(&mut Sink<'_>, Spot<'_>) -> Option<T>,
    ) -> Option<T> {
        self.get(key).and_then(|spot| read(sink, spot))
    }

    /// Like [`Self::optional`], but reports the key when it is missing.
    pub(crate) fn required<T>(
        &self,
        sink: &mut Sink<'_>,
        key: &str,
        example: &str,
        read: impl FnOnce(&mut Sink<'_>, Spot<'_>) -> Option<T>,
    ) -> Option<T> {
        if let Some(spot) = self.get(key) {
            return read(sink, spot);
        }
        let problem = Invalid::new("missing-key", format!("the key `{key}` is missing"));
        self.complain(sink, problem.help(format!("add `{key}: {example}`")));
        None
    }

    /// An error about the map as a whole: it underlines the key that names the map, or its first line.
    pub(crate) fn complain(&self, sink: &mut Sink<'_>, problem: Invalid) {
        sink.error(self.spot, problem);
    }

    /// Warns about keys that nobody knows, and keeps those that are the user's own.
    pub(crate) fn extensions(
        &self,
        sink: &mut Sink<'_>,
        known: &[&str],
    ) -> Map<String, serde_json::Value> {
        let mut extensions = Map::new();
        for entry in self.entries {
            if entry.key.starts_with(EXTENSION) {
                let value = json(sink, self.at(entry)).unwrap_or_default();
                extensions.insert(entry.key.to_string(), value);
            } else if !known.contains(&entry.key.as_ref()) {
                self.unknown(sink, entry, known);
            }
        }
        extensions
    }

    fn unknown(&self, sink: &mut Sink<'_>, entry: &Entry<'_>, known: &[&str]) {
        let nearest = sink.suggester.nearest(&entry.key, known.iter().copied());
        let problem = Invalid::new(
            "unknown-key",
            format!(
                "the key `{}` is not known here and is ignored",
                shown(&entry.key)
            ),
        )
        .did_you_mean(
            nearest,
            "remove it, or begin its name with `x-` to keep it as an extension",
        );
        sink.add(
            Severity::Warning,
            entry.key_span(),
            Path::Key(&self.spot.path, &entry.key),
            problem,
        );
    }

    fn at<'f>(&'f self, entry: &'f Entry<'a>) -> Spot<'f> {
        Spot::entry(
            &entry.node,
            Path::Key(&self.spot.path, &entry.key),
            entry.key_span(),
        )
    }
}

/// A list whose items are read one by one.
#[derive(Clone, Copy)]
pub(crate) struct Items<'a> {
    pub(crate) spot: Spot<'a>,
    pub(crate) nodes: &'a [Node<'a>],
}

impl<'a> Items<'a> {
    pub(crate) fn open(sink: &mut Sink<'_>, spot: Spot<'a>) -> Option<Self> {
        match &spot.node.value {
            Value::List(nodes) => Some(Self { spot, nodes }),
            _ => wrong_type(sink, spot, "a list"),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Spot<'_>> {
        let path = &self.spot.path;
        self.nodes
            .iter()
            .enumerate()
            .map(move |(index, node)| Spot::item(node, Path::Index(path, index)))
    }
}

/// Reads every item of a list that can be read.
pub(crate) fn list<T>(
    sink: &mut Sink<'_>,
    spot: Spot<'_>,
    read: impl Fn(&mut Sink<'_>, Spot<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let items = Items::open(sink, spot)?;
    Some(items.iter().filter_map(|item| read(sink, item)).collect())
}

/// A string; other scalars are an error that shows the quotes to add.
pub(crate) fn string<'a>(sink: &mut Sink<'_>, spot: Spot<'a>) -> Option<&'a str> {
    match &spot.node.value {
        Value::Scalar(scalar) if scalar.kind() == Kind::String => Some(&scalar.text),
        Value::Scalar(scalar) => {
            let found = describe(&spot.node.value);
            let problem = Invalid::new("wrong-type", format!("expected a string, found {found}"));
            sink.error(
                spot,
                problem.help(format!("put it in quotes: \"{}\"", shown(&scalar.text))),
            );
            None
        }
        _ => wrong_type(sink, spot, "a string"),
    }
}

pub(crate) fn owned_string(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<String> {
    string(sink, spot).map(str::to_owned)
}

/// A string that a validated type accepts.
pub(crate) fn parsed<T: FromStr<Err = Invalid>>(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<T> {
    let text = string(sink, spot)?;
    accept(sink, spot, text.parse())
}

/// Unwraps a validation's answer, or reports it at this place.
pub(crate) fn accept<T>(
    sink: &mut Sink<'_>,
    spot: Spot<'_>,
    answer: Result<T, Invalid>,
) -> Option<T> {
    answer.map_err(|problem| sink.error(spot, problem)).ok()
}

pub(crate) fn boolean(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<bool> {
    match &spot.node.value {
        Value::Scalar(scalar) => match scalar.kind() {
            Kind::Bool(value) => Some(value),
            _ => wrong_type(sink, spot, "`true` or `false`"),
        },
        _ => wrong_type(sink, spot, "`true` or `false`"),
    }
}

/// A whole number within bounds, both included.
pub(crate) fn integer<T>(sink: &mut Sink<'_>, spot: Spot<'_>, least: T, most: T) -> Option<T>
where
    T: TryFrom<i64> + PartialOrd + fmt::Display + Copy,
{
    let value = match &spot.node.value {
        Value::Scalar(scalar) if scalar.kind() == Kind::Integer => scalar.to_json(),
        _ => return wrong_type(sink, spot, "a whole number"),
    };
    let number = value
        .and_then(|value| value.as_i64())
        .and_then(|value| T::try_from(value).ok());
    match number {
        Some(number) if least <= number && number <= most => Some(number),
        _ => {
            let problem = Invalid::new(
                "out-of-range",
                format!("the number must be between {least} and {most}"),
            )
            .help(format!("write a number from {least} to {most}"));
            sink.error(spot, problem);
            None
        }
    }
}

/// Any value as JSON.
pub(crate) fn json(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<serde_json::Value> {
    match &spot.node.value {
        Value::Broken => None,
        Value::Scalar(scalar) => scalar_json(sink, spot, scalar),
        Value::List(_) => list(sink, spot, json).map(serde_json::Value::Array),
        Value::Map(_) => json_map(sink, spot).map(serde_json::Value::Object),
    }
}

/// A map with string keys as JSON, in the order of the file.
pub(crate) fn json_map(
    sink: &mut Sink<'_>,
    spot: Spot<'_>,
) -> Option<Map<String, serde_json::Value>> {
    let fields = Fields::open(sink, spot)?;
    Some(
        fields
            .iter()
            .filter_map(|(key, spot)| Some((key.to_owned(), json(sink, spot)?)))
            .collect(),
    )
}

fn scalar_json(
    sink: &mut Sink<'_>,
    spot: Spot<'_>,
    scalar: &Scalar<'_>,
) -> Option<serde_json::Value> {
    let value = scalar.to_json();
    if value.is_none() {
        let problem = Invalid::new(
            "not-json",
            format!("`{}` cannot be written as JSON", shown(&scalar.text)),
        );
        sink.error(spot, problem.help("put it in quotes to make it a string"));
    }
    value
}

pub(crate) fn wrong_type<T>(sink: &mut Sink<'_>, spot: Spot<'_>, expected: &str) -> Option<T> {
    if spot.node.value != Value::Broken {
        let found = describe(&spot.node.value);
        sink.error(
            spot,
            Invalid::new("wrong-type", format!("expected {expected}, found {found}"))
                .help(how_to_write(expected)),
        );
    }
    None
}

fn how_to_write(expected: &str) -> String {
    let example = match expected {
        "a mapping" => "`key: value` lines below it, or `{key: value}`",
        "a list" => "`- item` lines below it, or `[item]`",
        "a whole number" => "digits without quotes",
        other => other,
    };
    format!("write {example}")
}

fn describe(value: &Value<'_>) -> String {
    let kind = match value {
        Value::List(_) => "a list",
        Value::Map(_) => "a mapping",
        Value::Broken => "nothing usable",
        Value::Scalar(scalar) => match scalar.kind() {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Integer | Kind::Float | Kind::NotFinite => "a number",
            Kind::String => "a string",
        },
    };
    kind.to_owned()
}
