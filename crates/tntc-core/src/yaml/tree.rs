//! From parser events to the tree.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::{Entry, Node, Path, Scalar, Value};
use crate::diagnostic::{Invalid, Severity, Sink, shown};

/// Values that one file may hold. Ten thousand nodes with twenty thousand edges need about half of it, and a megabyte of
/// single characters stays within tens of megabytes of memory.
const MAX_VALUES: usize = 250_000;

/// Reads one YAML document; nothing when the text is no YAML at all, which is reported.
pub(crate) fn parse<'s>(text: &'s str, sink: &mut Sink<'_>) -> Option<Node<'s>> {
    let mut options = granit_parser::options! { strict_indentation: true, disallow_directives: true, emit_unresolved_aliases: true };
    options.set_emit_comments(false);
    let mut builder = Builder {
        text,
        sink,
        open: Vec::new(),
        root: None,
        documents: 0,
        values: 0,
    };
    for step in Parser::new_from_str_with_options(text, options) {
        let taken = match step {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => builder.no_yaml(&error),
        };
        if taken.is_err() {
            return None;
        }
    }
    builder.finish()
}

/// Reading cannot go on; the reason is in the sink.
struct Stop;

struct Builder<'s, 'k, 'd> {
    text: &'s str,
    sink: &'k mut Sink<'d>,
    open: Vec<Open<'s>>,
    root: Option<Node<'s>>,
    documents: usize,
    values: usize,
}

/// A collection whose end has not come yet.
enum Open<'s> {
    List {
        start: u32,
        items: Vec<Node<'s>>,
    },
    Map {
        start: u32,
        entries: Vec<Entry<'s>>,
        seen: HashSet<Cow<'s, str>>,
        key: Option<Key<'s>>,
    },
}

/// Where a builder stands, as a JSON pointer, and a key that was refused there.
struct Pointer<'p, 's>(&'p [Open<'s>], Option<&'p str>);

impl fmt::Display for Pointer<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|open| match open {
            Open::List { items, .. } => Path::Index(&Path::Root, items.len()).fmt(f),
            Open::Map {
                key: Some(Key {
                    text: Some(key), ..
                }),
                ..
            } => Path::Key(&Path::Root, key).fmt(f),
            Open::Map { .. } => Ok(()),
        })?;
        self.1
            .map_or(Ok(()), |key| Path::Key(&Path::Root, key).fmt(f))
    }
}

struct Key<'s> {
    span: (u32, u32),
    /// Nothing when the key was refused; its value is then dropped.
    text: Option<Cow<'s, str>>,
}

impl<'s> Builder<'s, '_, '_> {
    fn take(&mut self, event: Event<'s>, span: &Span) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(..) => self.document(span),
            Event::Scalar(text, style, _, tag) => {
                let scalar = self.scalar(text, style, tag.as_deref(), span);
                self.value(Node {
                    start: offset(span.start),
                    end: self.scalar_end(span, style),
                    value: scalar,
                })
            }
            Event::SequenceStart(_, _, tag) => {
                self.tag(tag.as_deref(), span);
                self.open.push(Open::List {
                    start: offset(span.start),
                    items: Vec::new(),
                });
                Ok(())
            }
            Event::MappingStart(_, _, tag) => {
                self.tag(tag.as_deref(), span);
                let (start, entries, seen) = (offset(span.start), Vec::new(), HashSet::new());
                self.open.push(Open::Map {
                    start,
                    entries,
                    seen,
                    key: None,
                });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(_) | Event::UnresolvedAlias(_) => self.alias(span),
            _ => Ok(()),
        }
    }

    fn document(&mut self, span: &Span) -> Result<(), Stop> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        let problem = Invalid::new(
            "several-documents",
            "the file holds more than one YAML document",
        );
        self.stop(
            bytes(span),
            problem.help("keep one document and remove the `---` line"),
        )
    }

    fn scalar(
        &mut self,
        text: Cow<'s, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: &Span,
    ) -> Value<'s> {
        let is_string = tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
        if !is_string && self.tag(tag, span) {
            return Value::Broken;
        }
        let plain = style == ScalarStyle::Plain && !is_string;
        // The parser writes `~` for a value that is not there at all.
        let absent = plain && bytes(span).is_empty();
        Value::Scalar(Scalar {
            text: if absent { Cow::Borrowed("") } else { text },
            plain,
        })
    }

    /// Parsers put the end of a block scalar behind the blank lines that follow; a caret wants only its first line.
    fn scalar_end(&self, span: &Span, style: ScalarStyle) -> u32 {
        let range = bytes(span);
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let text = self.text.get(range.clone()).unwrap_or_default();
                offset_of(range.start + text.trim_end().len())
            }
            _ => offset_of(range.end),
        }
    }

    /// Reports a tag, and whether there was one to report.
    fn tag(&mut self, tag: Option<&Tag>, span: &Span) -> bool {
        let Some(tag) = tag else { return false };
        let problem = Invalid::new(
            "tag",
            format!(
                "the YAML tag `{}` is not supported here",
                shown(&tag.original())
            ),
        )
        .help("remove the tag; quote the value when it is to be a string");
        let place = span
            .tag_span()
            .map_or_else(|| bytes(span), |tag| bytes(&tag));
        self.report(place, problem);
        true
    }

    fn alias(&mut self, span: &Span) -> Result<(), Stop> {
        let problem = Invalid::new("alias", "YAML aliases are not supported")
            .help("write the value out where it is used");
        self.report(bytes(span), problem);
        self.value(Node {
            start: offset(span.start),
            end: offset(span.end),
            value: Value::Broken,
        })
    }

    fn close(&mut self, span: &Span) -> Result<(), Stop> {
        let node = match self.open.pop() {
            Some(Open::List { start, items }) => Node {
                start,
                end: offset(span.end),
                value: Value::List(items),
            },
            Some(Open::Map { start, entries, .. }) => Node {
                start,
                end: offset(span.end),
                value: Value::Map(entries),
            },
            None => return Ok(()),
        };
        self.value(node)
    }

    /// Puts a finished value where it belongs: into the file, a list, or a map as its next key or value.
    fn value(&mut self, node: Node<'s>) -> Result<(), Stop> {
        self.values += 1;
        if self.values > MAX_VALUES {
            let problem = Invalid::new(
                "too-large",
                format!("the file holds more than {MAX_VALUES} values"),
            );
            return self.stop(node.span(), problem.help("split the workflow"));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) if key.is_some() => {
                if let Some(Key {
                    span: (start, end),
                    text: Some(key),
                }) = key.take()
                {
                    entries.push(Entry {
                        start,
                        end,
                        key,
                        node,
                    });
                }
            }
            Some(Open::Map { .. }) => self.key(node),
        }
        Ok(())
    }

    fn key(&mut self, node: Node<'s>) {
        let (span, place) = ((node.start, node.end), node.span());
        let Some(Open::Map { seen, .. }) = self.open.last_mut() else {
            return;
        };
        let text = match node.value {
            Value::Scalar(scalar) if !scalar.is_key() => {
                self.report(place, ambiguous(&scalar.text));
                None
            }
            Value::Scalar(scalar) if seen.insert(scalar.text.clone()) => Some(scalar.text),
            Value::Scalar(scalar) => {
                let path = Pointer(&self.open, Some(&scalar.text));
                self.sink
                    .add(Severity::Error, place, path, duplicate(&scalar.text));
                None
            }
            Value::Broken => None,
            Value::List(_) | Value::Map(_) => {
                self.report(
                    place,
                    Invalid::new("key", "a key must be a plain string").help("write `key: value`"),
                );
                None
            }
        };
        if let Some(Open::Map { key, .. }) = self.open.last_mut() {
            *key = Some(Key { span, text });
        }
    }

    fn report(&mut self, place: Range<usize>, problem: Invalid) {
        let pointer = Pointer(&self.open, None);
        self.sink.add(Severity::Error, place, pointer, problem);
    }

    fn no_yaml(&mut self, error: &granit_parser::ScanError) -> Result<(), Stop> {
        let info = error.info();
        let problem = Invalid::new(
            "yaml",
            format!("the file is not valid YAML: {}", shown(&info)),
        );
        let at = error.marker().byte_offset().unwrap_or(self.text.len());
        // The parser blames the scalar that a tab ends; what has to go is the tab.
        let tab = self
            .text
            .get(at..)
            .filter(|_| info.contains("tab"))
            .and_then(|rest| rest.find('\t'));
        match tab {
            Some(tab) => self.stop(at + tab..at + tab + 1, problem.help("indent with spaces")),
            None => self.stop(at..at + 1, problem.help("correct it here or right before; quote values that hold `: `, ` #` or begin with a special character")),
        }
    }

    fn stop(&mut self, place: Range<usize>, problem: Invalid) -> Result<(), Stop> {
        self.report(place, problem);
        Err(Stop)
    }

    fn finish(mut self) -> Option<Node<'s>> {
        match self.root.take() {
            Some(root) if !root.is_null() => Some(root),
            _ => {
                let problem = Invalid::new("empty", "the file is empty")
                    .help("`tntc init` writes a workflow to start from");
                self.report(0..0, problem);
                None
            }
        }
    }
}

fn ambiguous(key: &str) -> Invalid {
    let key = shown(key);
    Invalid::new(
        "key",
        format!("parsers of YAML disagree about the name of the key `{key}`"),
    )
    .help(format!("put it in quotes: \"{key}\""))
}

fn duplicate(key: &str) -> Invalid {
    Invalid::new(
        "duplicate-key",
        format!("the key `{}` stands twice in this mapping", shown(key)),
    )
    .help("keep one of the two")
}

fn bytes(span: &Span) -> Range<usize> {
    offset(span.start) as usize..offset(span.end) as usize
}

fn offset(marker: granit_parser::Marker) -> u32 {
    offset_of(marker.byte_offset().unwrap_or_default())
}

fn offset_of(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
