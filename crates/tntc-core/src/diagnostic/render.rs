//! A report as text with source excerpts.

use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Report, Severity, Source, is_steering};

/// Longest piece of a line that an excerpt shows, in bytes: generated files may be one line of a megabyte.
const LONGEST_EXCERPT: usize = 200;

impl Report {
    /// The report as text for people: every finding with an excerpt of `source` and a caret.
    ///
    /// `source` are the bytes that were parsed, `file_name` is what the user calls them. With `color` the text carries
    /// ANSI escapes; without, none at all, whatever the file contains.
    #[must_use]
    pub fn render(&self, file_name: &str, source: &[u8], color: bool) -> String {
        let text = String::from_utf8_lossy(source);
        let source = Source::new(&text);
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut out = String::new();
        for diagnostic in self.iter() {
            out.push_str(&one(diagnostic, file_name, &source, &renderer));
            out.push_str("\n\n");
        }
        if self.omitted > 0 {
            let _ = writeln!(out, "… and {} more", self.omitted);
        }
        out
    }
}

fn one(
    diagnostic: &Diagnostic,
    file_name: &str,
    source: &Source<'_>,
    renderer: &Renderer,
) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Hint => Level::NOTE.with_name("hint"),
    };
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code);
    let group: Group<'_> = if source.text.is_empty() {
        title.element(Origin::path(file_name))
    } else {
        let excerpt = excerpt(diagnostic, source);
        let snippet = Snippet::source(excerpt.text)
            .path(file_name)
            .line_start(diagnostic.line)
            .fold(false);
        title.element(snippet.annotation(AnnotationKind::Primary.span(excerpt.span)))
    };
    let help = diagnostic
        .help
        .as_ref()
        .map(|help| Level::HELP.message(help));
    renderer.render(&[group.elements(help)])
}

struct Excerpt {
    text: String,
    span: Range<usize>,
}

/// The line that a finding begins on, or the piece of it around the finding, with nothing in it that could steer a
/// terminal. A finding that spans several lines is underlined to the end of its first.
fn excerpt(diagnostic: &Diagnostic, source: &Source<'_>) -> Excerpt {
    let (start, line) = source.line(diagnostic.line.clamp(1, source.lines()));
    let from = diagnostic.span.start.saturating_sub(start).min(line.len());
    let to = diagnostic
        .span
        .end
        .saturating_sub(start)
        .clamp(from, line.len());
    let first = line.floor_char_boundary(from.saturating_sub(LONGEST_EXCERPT / 2));
    let last = line
        .floor_char_boundary((first + LONGEST_EXCERPT).min(line.len()))
        .max(first);
    let (from, to) = (
        line.floor_char_boundary(from),
        line.floor_char_boundary(to.min(last)),
    );
    let before = harmless(&line[first..from]);
    let within = harmless(&line[from..to.max(from)]);
    let after = harmless(&line[to.max(from)..last.max(to)]);
    let span = before.len()..before.len() + within.len();
    Excerpt {
        text: before + &within + &after,
        span,
    }
}

fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c != '\t' && is_steering(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
