//! What is wrong with a file, where, and what to write instead.
//!
//! A [`Report`] holds everything that one reading of one file found, in the order of the file.

mod render;
mod source;

use std::fmt;
use std::ops::Range;

use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use source::Source;

/// Diagnostics of each severity that a report keeps. More of them help nobody, and a hostile file must not fill memory.
pub const MAX_KEPT: usize = 1000;

/// Whether a finding stops the file from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably does not do what was meant.
    Warning,
    /// The file does what was meant, and could say it better.
    Hint,
}

/// One finding about one place of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diagnostic {
    /// Whether the file can still be used. Not serialised: reports list errors and warnings apart.
    #[serde(skip)]
    pub severity: Severity,
    /// Stable identifier in kebab-case, for tools.
    pub code: &'static str,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// JSON pointer (RFC 6901) to the value in question; empty for the whole file.
    pub path: String,
    /// Line of the first character in question, counted from 1.
    pub line: usize,
    /// Column of the first character in question, counted in characters from 1.
    pub column: usize,
    /// What to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Bytes of the source that the caret underlines.
    #[serde(skip)]
    pub span: Range<usize>,
}

/// Everything that one reading of a file found, in source order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    diagnostics: Vec<Diagnostic>,
    omitted: usize,
}

impl Report {
    pub(crate) fn new(mut diagnostics: Vec<Diagnostic>, omitted: usize) -> Self {
        diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.severity));
        Self {
            diagnostics,
            omitted,
        }
    }

    /// All findings in source order.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter()
    }

    /// Findings that stop the file from being used, in source order.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Findings that leave the file usable, in source order.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Warning)
    }

    /// Findings that only those need who ask for more, in source order.
    pub fn hints(&self) -> impl Iterator<Item = &Diagnostic> {
        self.iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Hint)
    }

    /// The report without its hints.
    #[must_use]
    pub fn without_hints(&self) -> Self {
        let kept = self.iter().filter(|it| it.severity != Severity::Hint);
        Self {
            diagnostics: kept.cloned().collect(),
            omitted: self.omitted,
        }
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// Findings beyond [`MAX_KEPT`] of their severity, which were only counted.
    #[must_use]
    pub fn omitted(&self) -> usize {
        self.omitted
    }
}

impl fmt::Display for Report {
    /// One line a finding, without excerpts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in self.iter() {
            let Diagnostic {
                line,
                column,
                code,
                message,
                ..
            } = diagnostic;
            let kind = match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Hint => "hint",
            };
            writeln!(f, "{line}:{column}: {kind}[{code}]: {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}

/// Why a text is not the value it should be; what constructors of validated types answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// Stable identifier in kebab-case.
    pub code: &'static str,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Invalid {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            help: None,
        }
    }

    #[must_use]
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }

    /// For a place that has one line for what is wrong and what to write.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        match &self.help {
            Some(help) => format!("{}; {help}", self.message),
            None => self.message.clone(),
        }
    }

    /// Adds "did you mean" when there is a nearest word, and else the general help.
    #[must_use]
    pub(crate) fn did_you_mean(self, nearest: Option<&str>, otherwise: impl Into<String>) -> Self {
        match nearest {
            Some(word) => self.help(format!("did you mean `{}`?", shown(word))),
            None => self.help(otherwise),
        }
    }
}

/// Longest piece of a user's text that a message repeats, in characters.
const LONGEST_SHOWN: usize = 80;

/// A user's text made safe for a message: shortened, and with control characters escaped so that a file can neither
/// flood nor steer a terminal.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == LONGEST_SHOWN {
            shown.push('…');
            break;
        }
        if is_steering(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Characters that move the cursor, change colours or reorder text on a terminal.
pub(crate) fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
