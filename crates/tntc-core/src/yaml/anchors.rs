//! What anchors stand at, so that aliases can be read as if it were written out.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use granit_parser::{Event, Span};

/// Values that aliases may add to one file, and keys that merging may look at. People's files need dozens; a file that
/// doubles itself line by line needs any number.
pub(super) const MAX_EXPANDED: usize = 10_000;

/// Bytes of text that aliases may add: as many as a file may have. One long text could else be repeated at each value.
const MAX_EXPANDED_BYTES: usize = 1024 * 1024;

/// The events of every anchored value. They are kept rather than the values: an anchor without an alias costs no copy,
/// and aliases within aliases need no care of their own.
#[derive(Default)]
pub(super) struct Anchors<'s> {
    recorded: Vec<(Event<'s>, Span)>,
    /// Ranges of `recorded` by anchor.
    complete: HashMap<usize, Range<usize>>,
    unfinished: Vec<Unfinished>,
    /// Anchors whose value holds an alias of itself.
    looped: HashSet<usize>,
    /// Collections that are open, counted from the outermost unfinished anchor.
    depth: usize,
    /// Values that aliases have added so far.
    expanded: usize,
    /// Bytes of text that aliases have added so far.
    bytes: usize,
}

/// An anchored collection whose end has not come yet.
struct Unfinished {
    id: usize,
    start: usize,
    depth: usize,
}

/// What an alias stands for.
pub(super) enum Target {
    /// These events.
    Events(Range<usize>),
    /// The value that it stands within.
    Itself,
    /// A value that holds itself, which has been reported.
    Looped,
}

impl<'s> Anchors<'s> {
    /// Takes note of an event as the file has it, when it belongs to an anchored value.
    pub(super) fn record(&mut self, event: &Event<'s>, span: Span) {
        let id = event.anchor_id().filter(|id| *id > 0);
        if id.is_none() && self.unfinished.is_empty() {
            return;
        }
        let at = self.recorded.len();
        self.recorded.push((event.clone(), span));
        match event {
            Event::Scalar(..) => drop(id.map(|id| self.complete.insert(id, at..at + 1))),
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                self.depth += 1;
                let depth = self.depth;
                self.unfinished.extend(id.map(|id| Unfinished {
                    id,
                    start: at,
                    depth,
                }));
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at + 1),
            _ => {}
        }
    }

    fn close(&mut self, end: usize) {
        if let Some(Unfinished { id, start, .. }) =
            self.unfinished.pop_if(|open| open.depth == self.depth)
        {
            self.complete.insert(id, start..end);
        }
        self.depth -= 1;
    }

    pub(super) fn target(&mut self, id: usize) -> Target {
        match self.complete.get(&id) {
            Some(_) if self.looped.contains(&id) => Target::Looped,
            Some(events) => Target::Events(events.clone()),
            None => {
                self.looped.insert(id);
                Target::Itself
            }
        }
    }

    /// One recorded event again; nothing when aliases have added too much.
    pub(super) fn repeat(&mut self, index: usize) -> Option<(Event<'s>, Span)> {
        let (event, span) = self.recorded.get(index)?.clone();
        let is_value = !matches!(
            event,
            Event::SequenceEnd | Event::MappingEnd | Event::Alias(_)
        );
        self.expanded += usize::from(is_value);
        if let Event::Scalar(text, ..) = &event {
            self.bytes += text.len();
        }
        let fits = self.expanded <= MAX_EXPANDED && self.bytes <= MAX_EXPANDED_BYTES;
        fits.then_some((event, span))
    }
}
