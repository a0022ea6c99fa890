//! Entries of a mapping while it is read: keys, and what `<<` brings.

use std::ops::Range;

use super::anchors::MAX_EXPANDED;
use super::key::{Key, Name};
use super::tree::{Builder, Open, Pointer, Stop};
use super::{Entry, Node, Value, problems};
use crate::diagnostic::Severity;

/// Mappings that one `<<` can merge: as many as the engine's reader takes.
const MAX_MERGED: usize = 100;

/// The key, without quotes, whose value's entries become the mapping's own (YAML's "merge" type).
const MERGE: &str = "<<";

impl<'s> Builder<'s, '_, '_> {
    pub(super) fn entry(&mut self, key: Key<'s>, node: Node<'s>) -> Result<(), Stop> {
        let (start, end) = key.span;
        match key.name {
            Name::Refused => Ok(()),
            Name::Merge => self.merge(node),
            Name::Text(key) => {
                if let Some(Open::Map {
                    entries, merged, ..
                }) = self.open.last_mut()
                {
                    let place = merged.remove(&key);
                    let entry = Entry {
                        start,
                        end,
                        key,
                        node,
                    };
                    match place.and_then(|place| entries.get_mut(place)) {
                        Some(merged) => *merged = entry,
                        None => entries.push(entry),
                    }
                }
                Ok(())
            }
        }
    }

    /// The value of `<<`: a mapping, or a list of them, of which the earlier wins.
    fn merge(&mut self, source: Node<'s>) -> Result<(), Stop> {
        let place = source.span();
        match source.value {
            Value::Map(entries) => self.merge_entries(entries, place),
            Value::List(sources) if sources.len() <= MAX_MERGED => {
                for source in sources {
                    let place = source.span();
                    match source.value {
                        Value::Map(entries) => self.merge_entries(entries, place)?,
                        Value::Broken => {}
                        _ => self.report(place, problems::no_merge()),
                    }
                }
                Ok(())
            }
            Value::List(_) => {
                self.report(place, problems::too_many_merged(MAX_MERGED));
                Ok(())
            }
            Value::Broken => Ok(()),
            Value::Scalar(_) => {
                self.report(place, problems::no_merge());
                Ok(())
            }
        }
    }

    fn merge_entries(&mut self, more: Vec<Entry<'s>>, place: Range<usize>) -> Result<(), Stop> {
        self.merged += 1 + more.len();
        if self.merged > MAX_EXPANDED {
            return self.stop(place, problems::too_many_expanded(MAX_EXPANDED));
        }
        if let Some(Open::Map {
            entries,
            seen,
            merged,
            ..
        }) = self.open.last_mut()
        {
            for entry in more {
                if !seen.contains(&entry.key) && !merged.contains_key(&entry.key) {
                    merged.insert(entry.key.clone(), entries.len());
                    entries.push(entry);
                }
            }
        }
        Ok(())
    }

    pub(super) fn key(&mut self, node: Node<'s>) {
        let (span, place) = ((node.start, node.end), node.span());
        let Some(Open::Map { seen, .. }) = self.open.last_mut() else {
            return;
        };
        let name = match node.value {
            Value::Scalar(scalar) if !scalar.is_key() => {
                self.report(place, problems::ambiguous(&scalar.text));
                Name::Refused
            }
            Value::Scalar(scalar) if seen.insert(scalar.text.clone()) => {
                if scalar.plain && scalar.text == MERGE {
                    Name::Merge
                } else {
                    Name::Text(scalar.text)
                }
            }
            Value::Scalar(scalar) => {
                let path = Pointer(&self.open, Some(&scalar.text));
                let problem = problems::duplicate(&scalar.text, scalar.text == MERGE);
                self.sink.add(Severity::Error, place, path, problem);
                Name::Refused
            }
            Value::Broken => Name::Refused,
            Value::List(_) | Value::Map(_) => {
                self.report(place, problems::no_key());
                Name::Refused
            }
        };
        if let Some(Open::Map { key, .. }) = self.open.last_mut() {
            *key = Some(Key { span, name });
        }
    }
}
