//! From parser events to the tree.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag, YamlVersion};

use super::anchors::{Anchors, MAX_EXPANDED, Target};
use super::key::{Key, Name};
use super::problems::{self, bytes, offset, offset_of};
use super::{Entry, Node, Path, Scalar, Sink, Value};
use crate::diagnostic::{Invalid, Severity, shown};

/// Values that one file may hold. Ten thousand nodes with twenty thousand edges need about half of it, and a megabyte of
/// single characters stays within tens of megabytes of memory.
const MAX_VALUES: usize = 250_000;

/// Lists and mappings within each other, those that aliases put there included. The engine's reader has the same limit;
/// it keeps whoever walks the tree far from the end of the stack.
const MAX_DEPTH: usize = 256;

/// Reads one YAML document; nothing when the text is no YAML at all, which is reported.
pub(crate) fn parse<'s>(text: &'s str, sink: &mut Sink<'_>) -> Option<Node<'s>> {
    let mut options =
        granit_parser::options! { strict_indentation: true, emit_unresolved_aliases: true };
    options.set_emit_comments(false);
    let mut builder = Builder {
        text,
        sink,
        open: Vec::new(),
        root: None,
        documents: 0,
        values: 0,
        anchors: Anchors::default(),
        aliases: Vec::new(),
        merged: 0,
    };
    for step in Parser::new_from_str_with_options(text, options) {
        let taken = match step {
            Ok((event, span)) => {
                builder.anchors.record(&event, span);
                builder.take(event, &span)
            }
            Err(error) => builder.no_yaml(&error),
        };
        if taken.is_err() {
            return None;
        }
    }
    builder.finish()
}

/// Whether some value of the text stands elsewhere, so that a piece of it cannot be edited alone.
pub(crate) fn uses_aliases(text: &str) -> bool {
    Parser::new_from_str(text)
        .map_while(Result::ok)
        .any(|(event, _)| event.is_alias())
}

/// Reading cannot go on; the reason is in the sink.
pub(super) struct Stop;

pub(super) struct Builder<'s, 'k, 'd> {
    text: &'s str,
    pub(super) sink: &'k mut Sink<'d>,
    pub(super) open: Vec<Open<'s>>,
    root: Option<Node<'s>>,
    documents: usize,
    values: usize,
    anchors: Anchors<'s>,
    /// Aliases whose values are being read: how many collections were open, and where the alias stands.
    aliases: Vec<(usize, (u32, u32))>,
    /// Keys that `<<` has looked at.
    pub(super) merged: usize,
}

/// A collection whose end has not come yet.
pub(super) enum Open<'s> {
    List {
        start: u32,
        items: Vec<Node<'s>>,
    },
    Map {
        start: u32,
        entries: Vec<Entry<'s>>,
        seen: HashSet<Cow<'s, str>>,
        /// Keys that `<<` has brought, with their places among the entries; the mapping's own keys replace them.
        merged: HashMap<Cow<'s, str>, usize>,
        key: Option<Key<'s>>,
    },
}

/// Where a builder stands, as a JSON pointer, and a key that was refused there.
pub(super) struct Pointer<'p, 's>(pub(super) &'p [Open<'s>], pub(super) Option<&'p str>);

impl fmt::Display for Pointer<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|open| match open {
            Open::List { items, .. } => Path::Index(&Path::Root, items.len()).fmt(f),
            Open::Map {
                key:
                    Some(Key {
                        name: Name::Text(key),
                        ..
                    }),
                ..
            } => Path::Key(&Path::Root, key).fmt(f),
            Open::Map { .. } => Ok(()),
        })?;
        self.1
            .map_or(Ok(()), |key| Path::Key(&Path::Root, key).fmt(f))
    }
}

impl<'s> Builder<'s, '_, '_> {
    fn take(&mut self, event: Event<'s>, span: &Span) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(_, version) => self.document(version, span),
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
                let (start, items) = (offset(span.start), Vec::new());
                self.open(Open::List { start, items }, span)
            }
            Event::MappingStart(_, _, tag) => {
                self.tag(tag.as_deref(), span);
                let map = Open::Map {
                    start: offset(span.start),
                    entries: Vec::new(),
                    seen: HashSet::new(),
                    merged: HashMap::new(),
                    key: None,
                };
                self.open(map, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => self.alias(id, span),
            Event::UnresolvedAlias(name) => {
                let problem = problems::unknown_alias(&name);
                self.no_alias(span, problem)
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, collection: Open<'s>, span: &Span) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            return self.stop(bytes(span), problems::too_deep(MAX_DEPTH));
        }
        self.open.push(collection);
        Ok(())
    }

    fn document(&mut self, version: Option<YamlVersion>, span: &Span) -> Result<(), Stop> {
        self.documents += 1;
        if self.documents == 1 {
            return self.version(version, span);
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

    /// `%YAML 1.2` is what every file is read as; another version is worth a word.
    fn version(&mut self, version: Option<YamlVersion>, span: &Span) -> Result<(), Stop> {
        let place = bytes(span);
        match version {
            None | Some(YamlVersion { major: 1, minor: 2 }) => Ok(()),
            Some(YamlVersion { major: 1, minor }) => {
                let (path, problem) = (Path::Root, problems::other_version(minor));
                self.sink.add(Severity::Warning, place, path, problem);
                Ok(())
            }
            Some(YamlVersion { major, .. }) => self.stop(place, problems::no_version(major)),
        }
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
        let scalar = Scalar {
            text: if absent { Cow::Borrowed("") } else { text },
            plain,
        };
        if !scalar.is_exact() {
            let (path, problem) = (Pointer(&self.open, None), problems::inexact(&scalar.text));
            self.sink.add(Severity::Warning, bytes(span), path, problem);
        }
        Value::Scalar(scalar)
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

    /// Reads what the anchor stands at once more, as if it were written here.
    fn alias(&mut self, id: usize, span: &Span) -> Result<(), Stop> {
        let events = match self.anchors.target(id) {
            Target::Events(events) => events,
            Target::Itself => return self.no_alias(span, problems::recursive()),
            Target::Looped => return self.broken(span),
        };
        let place = (offset(span.start), offset(span.end));
        self.aliases.push((self.open.len(), place));
        for index in events {
            let Some((event, at)) = self.anchors.repeat(index) else {
                return self.stop(bytes(span), problems::too_many_expanded(MAX_EXPANDED));
            };
            self.take(event, &at)?;
        }
        self.aliases.pop();
        Ok(())
    }

    fn no_alias(&mut self, span: &Span, problem: Invalid) -> Result<(), Stop> {
        let start = bytes(span).start;
        // Of `*/5` and `*,5`, and not at each of a hundred thousand aliases.
        let may_be_schedule = self
            .text
            .get(start + 1..)
            .is_some_and(|rest| rest.starts_with(['/', ',']));
        let unquoted = may_be_schedule
            .then(|| problems::unquoted_schedule(self.text, start))
            .flatten();
        let (place, problem) = unquoted.unwrap_or((bytes(span), problem));
        self.report(place, problem);
        self.broken(span)
    }

    fn broken(&mut self, span: &Span) -> Result<(), Stop> {
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
    fn value(&mut self, mut node: Node<'s>) -> Result<(), Stop> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return self.stop(node.span(), problems::too_many(MAX_VALUES));
        }
        // What an alias stands for stands where the alias does; what is within it stays at the anchor.
        if let Some((depth, (start, end))) = self.aliases.last()
            && *depth == self.open.len()
        {
            (node.start, node.end) = (*start, *end);
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { key, .. }) => match key.take() {
                Some(key) => return self.entry(key, node),
                None => self.key(node),
            },
        }
        Ok(())
    }

    pub(super) fn report(&mut self, place: Range<usize>, problem: Invalid) {
        let pointer = Pointer(&self.open, None);
        self.sink.add(Severity::Error, place, pointer, problem);
    }

    fn no_yaml(&mut self, error: &granit_parser::ScanError) -> Result<(), Stop> {
        let at = error.marker().byte_offset().unwrap_or(self.text.len());
        let (place, problem) = problems::no_yaml(self.text, at, &error.info());
        self.stop(place, problem)
    }

    pub(super) fn stop(&mut self, place: Range<usize>, problem: Invalid) -> Result<(), Stop> {
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
