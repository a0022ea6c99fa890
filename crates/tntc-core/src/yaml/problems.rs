//! What is wrong with a YAML file, in words, and where.

use std::ops::Range;

use granit_parser::Span;

use crate::cron::Schedule;
use crate::diagnostic::{Invalid, shown};

/// The bytes that the parser means.
pub(super) fn bytes(span: &Span) -> Range<usize> {
    offset(span.start) as usize..offset(span.end) as usize
}

pub(super) fn offset(marker: granit_parser::Marker) -> u32 {
    offset_of(marker.byte_offset().unwrap_or_default())
}

pub(super) fn offset_of(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// The parser cannot read on at this byte; `info` is its reason.
pub(super) fn no_yaml(text: &str, at: usize, info: &str) -> (Range<usize>, Invalid) {
    if let Some(unquoted) = unquoted_schedule(text, at) {
        return unquoted;
    }
    let message = format!("the file is not valid YAML: {}", shown(info));
    let problem = Invalid::new("yaml", message);
    // The parser blames the scalar that a tab ends; what has to go is the tab.
    let tab = text
        .get(at..)
        .filter(|_| info.contains("tab"))
        .and_then(|rest| rest.find('\t'));
    match tab {
        Some(tab) => (at + tab..at + tab + 1, problem.help("indent with spaces")),
        None => (
            at..at + 1,
            problem.help(
                "correct it here or right before; quote values that hold `: `, ` #` or begin with a special character",
            ),
        ),
    }
}

/// Longest line that is searched for a schedule, in bytes: nobody writes longer ones by hand.
const LONGEST_LINE: usize = 300;

/// A schedule without quotes that begins with `*` or `@`, when the line around a byte has one: YAML takes the first for
/// an alias and keeps the second for itself.
pub(super) fn unquoted_schedule(text: &str, at: usize) -> Option<(Range<usize>, Invalid)> {
    let at = text.floor_char_boundary(at.min(text.len()));
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    if line.len() > LONGEST_LINE {
        return None;
    }
    let schedules = line
        .match_indices(['*', '@'])
        .filter(|(index, _)| begins_a_value(&line[..*index]))
        .map(|(index, _)| (index, schedule_at(&line[index..])));
    let (index, schedule) = { schedules }.find(|(_, text)| is_schedule(text))?;
    let first = &schedule[..1];
    let message = format!(
        "the schedule `{}` has no quotes, and YAML takes `{first}` for a sign of its own",
        shown(schedule)
    );
    let problem = Invalid::new("unquoted-schedule", message)
        .help(format!("quote the schedule: \"{}\"", shown(schedule)));
    let place = start + index..start + index + schedule.len();
    Some((place, problem))
}

fn begins_a_value(before: &str) -> bool {
    let blank = before.trim_end();
    blank.is_empty() || (blank.len() < before.len() && blank.ends_with([':', '-', ',', '[', '{']))
}

/// The text up to where a plain value would end.
fn schedule_at(rest: &str) -> &str {
    let ends = ["}", "]", ", ", " #"];
    let end = ends.iter().filter_map(|end| rest.find(end)).min();
    rest[..end.unwrap_or(rest.len())].trim_end()
}

/// Also one with seconds, or with a mistake in it: the quotes come first.
fn is_schedule(text: &str) -> bool {
    let is_field = |field: &str| {
        field
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"*/,-?#".contains(&b))
    };
    let fields = text.split_whitespace().count();
    Schedule::parse(text).is_ok()
        || (text.starts_with('*')
            && (5..=6).contains(&fields)
            && text.split_whitespace().all(is_field))
}

pub(super) fn unknown_alias(name: &str) -> Invalid {
    let name = shown(name);
    Invalid::new(
        "alias",
        format!("there is no anchor `&{name}` before this alias"),
    )
    .help(format!(
        "put `&{name}` before the value that is meant, or quotes around a text that begins with `*`"
    ))
}

pub(super) fn recursive() -> Invalid {
    Invalid::new(
        "alias",
        "the alias stands within the value of its own anchor",
    )
    .help("write the value out where it is used")
}

pub(super) fn too_many_expanded(most: usize) -> Invalid {
    Invalid::new(
        "too-large",
        format!("aliases and merge keys add more than {most} values or a megabyte to the file"),
    )
    .help("write out what is used, or use it less often")
}

pub(super) fn too_many(most: usize) -> Invalid {
    Invalid::new(
        "too-large",
        format!("the file holds more than {most} values"),
    )
    .help("split the workflow")
}

pub(super) fn too_deep(most: usize) -> Invalid {
    Invalid::new(
        "too-deep",
        format!("lists and mappings are nested more than {most} deep"),
    )
    .help("flatten the value, or keep it in a file of its own")
}

pub(super) fn no_merge() -> Invalid {
    Invalid::new("merge", "`<<` merges mappings, and this is none")
        .help("write `<<: *name` with the anchor of a mapping, or a list of them; quote the key to mean its text")
}

pub(super) fn too_many_merged(most: usize) -> Invalid {
    Invalid::new("merge", format!("`<<` merges at most {most} mappings"))
        .help("merge some of them under an anchor of their own")
}

pub(super) fn other_version(minor: u32) -> Invalid {
    Invalid::new(
        "yaml-version",
        format!("the file says that it is YAML 1.{minor}, and is read as YAML 1.2"),
    )
    .help("write `%YAML 1.2` or remove the line; in 1.2, `yes`, `no`, `on` and `off` are strings")
}

pub(super) fn no_version(major: u32) -> Invalid {
    Invalid::new(
        "yaml-version",
        format!("the file says that it is YAML {major}"),
    )
    .help("write `%YAML 1.2` or remove the line")
}

/// An integer that nodes would see as another one.
pub(super) fn inexact(text: &str) -> Invalid {
    let message = format!(
        "JavaScript cannot hold the integer {} exactly, so nodes see another number",
        shown(text)
    );
    Invalid::new("inexact-integer", message).help(format!(
        "put it in quotes to keep its digits: \"{}\"",
        shown(text)
    ))
}

pub(super) fn no_key() -> Invalid {
    Invalid::new("key", "a key must be a plain string").help("write `key: value`")
}

pub(super) fn ambiguous(key: &str) -> Invalid {
    let key = shown(key);
    Invalid::new(
        "key",
        format!("parsers of YAML disagree about the name of the key `{key}`"),
    )
    .help(format!("put it in quotes: \"{key}\""))
}

pub(super) fn duplicate(key: &str, is_merge: bool) -> Invalid {
    let message = format!("the key `{}` stands twice in this mapping", shown(key));
    let help = if is_merge {
        "merge both at once: `<<: [*a, *b]`"
    } else {
        "keep one of the two"
    };
    Invalid::new("duplicate-key", message).help(help)
}
