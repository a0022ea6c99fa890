//! Dead letters that come back: a message that always fails would go round for ever.

use crate::diagnostic::Invalid;
use crate::workflow::{Queue, Trigger, TriggerKind};
use crate::yaml::{Fields, Sink, Spot};

/// A message that is given up goes to its own subject behind this prefix, unless the trigger names another.
const PREFIX: &str = "dlq";

/// Reports each circle of triggers that are given each other's dead letters, once. A trigger that only handles the dead
/// letters of another is none.
pub(super) fn check(sink: &mut Sink<'_>, triggers: &[(Spot<'_>, &Trigger)]) {
    let queues: Vec<_> = triggers
        .iter()
        .filter_map(|(spot, trigger)| match &trigger.kind {
            TriggerKind::Queue(queue) => Some((*spot, queue)),
            _ => None,
        })
        .collect();
    let only: Vec<_> = queues.iter().map(|(_, queue)| *queue).collect();
    let mut reported = vec![false; only.len()];
    for (index, (spot, _)) in queues.iter().enumerate() {
        if reported[index] {
            continue;
        }
        let Some(circle) = way_back(&only, index) else {
            continue;
        };
        for on_the_way in &circle {
            reported[*on_the_way] = true;
        }
        let fields = Fields::of(*spot);
        if let Some(subject) = fields.as_ref().and_then(|fields| fields.get("subject")) {
            sink.error(subject, problem(&only, index, &circle));
        }
    }
}

fn problem(queues: &[&Queue], first: usize, circle: &[usize]) -> Invalid {
    let subject = &queues[first].subject;
    let problem = if circle.len() == 1 {
        let letters = letters(queues[first]);
        format!("the subject `{subject}` matches the trigger's own dead letters, `{letters}`")
    } else {
        let way: Vec<_> = std::iter::once(first)
            .chain(circle.iter().copied())
            .map(|queue| format!("`{}`", queues[queue].subject))
            .collect();
        let way = way.join(" to ");
        format!("the dead letters of these triggers go round for ever: {way}")
    };
    Invalid::new("dead-letters", problem)
        .help("narrow the subject, or name another prefix with `dlq`")
}

/// The triggers that a dead letter of `first` meets until it is back; `first` is the last of them.
fn way_back(queues: &[&Queue], first: usize) -> Option<Vec<usize>> {
    let mut before = vec![None; queues.len()];
    let mut open = vec![first];
    while let Some(from) = open.pop() {
        for next in receivers(queues, from) {
            if next == first {
                return Some(trace(&before, first, from));
            }
            if before[next].is_none() {
                before[next] = Some(from);
                open.push(next);
            }
        }
    }
    None
}

fn trace(before: &[Option<usize>], first: usize, last: usize) -> Vec<usize> {
    let mut way = vec![first];
    let mut at = last;
    while at != first {
        way.push(at);
        match before[at] {
            Some(earlier) => at = earlier,
            None => break,
        }
    }
    way.reverse();
    way
}

/// The triggers whose subject matches dead letters of the trigger `from`; only durable ones have any.
fn receivers(queues: &[&Queue], from: usize) -> Vec<usize> {
    if queues[from].durable != Some(true) {
        return Vec::new();
    }
    let letters = letters(queues[from]);
    let matching = queues
        .iter()
        .enumerate()
        .filter(|(_, queue)| queue.subject.overlaps(&letters));
    matching.map(|(index, _)| index).collect()
}

fn letters(queue: &Queue) -> String {
    let prefix = queue.dlq.as_ref().map_or(PREFIX, |prefix| prefix.as_str());
    format!("{prefix}.{}", queue.subject)
}
