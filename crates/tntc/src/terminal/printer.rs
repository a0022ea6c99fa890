//! The only printer: answers to stdout, everything else to stderr, one JSON envelope with `-o json`.
//!
//! Nothing of a stranger reaches a terminal raw: what nodes log, servers answer and files are named goes through
//! `tntc_core::terminal` here, whichever way it came.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::time::Instant;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde_json::Value;
use tntc_core::terminal;

use super::format::{Format, written};
use crate::outcome::envelope::{Envelope, Timing};
use crate::outcome::{Error, Evidence, Outcome, Status};

const WARNING: Style = AnsiColor::Yellow.on_default();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Color {
    /// On a terminal that has colours; `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE` are followed.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Writes answers, errors and progress of one command.
#[derive(Clone)]
pub struct Printer {
    format: Format,
    color: bool,
    verbose: bool,
    command: String,
    started_at: Timestamp,
    started: Instant,
}

impl Printer {
    /// A printer for one command that starts now; colours are decided here, once.
    pub fn new(format: Format, color: Color, verbose: bool, command: &str) -> Self {
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => AutoStream::choice(&std::io::stderr()) != ColorChoice::Never,
        };
        Self {
            format,
            color,
            verbose,
            command: command.to_owned(),
            started_at: Timestamp::now(),
            started: Instant::now(),
        }
    }

    /// Whether to colour what goes to stderr.
    pub fn color(&self) -> bool {
        self.color
    }

    /// Whether the user asked for more detail.
    pub fn verbose(&self) -> bool {
        self.verbose
    }

    /// How the answer is written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether the answer is one envelope.
    pub fn has_envelope(&self) -> bool {
        matches!(self.format, Format::Json | Format::Yaml)
    }

    /// A line about what is going on, for a person.
    #[allow(clippy::unused_self, reason = "only who has the printer may print")]
    pub fn note(&self, line: impl AsRef<str>) {
        to_stderr(&terminal::shown(line.as_ref()));
    }

    /// A line that only those want to see who asked for more detail.
    pub fn detail(&self, line: impl AsRef<str>) {
        if self.verbose {
            self.note(line);
        }
    }

    /// Diagnostics that `tntc-core` has rendered, with or without colours.
    pub fn rendered(&self, report: &str) {
        to_stderr(&self.in_colour(report));
    }

    /// A warning, for a person.
    pub fn warn(&self, line: impl AsRef<str>) {
        self.labelled("warning", WARNING, line.as_ref());
    }

    /// An error of an answer that is printed all the same.
    pub fn error(&self, line: impl AsRef<str>) {
        self.labelled("error", ERROR, line.as_ref());
    }

    /// A piece of a streamed answer, such as a log line, to stdout at once.
    ///
    /// Returns false when nobody reads any more.
    #[allow(clippy::unused_self, reason = "only who has the printer may print")]
    pub fn stream(&self, line: &str) -> bool {
        let line = if self.has_envelope() {
            terminal::shown_json(line)
        } else {
            terminal::shown(line)
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{line}").and_then(|()| out.flush()).is_ok()
    }

    /// Writes a command's answer; the exit status follows from it.
    pub fn finish(&self, outcome: &Outcome) -> u8 {
        if outcome.silent {
            return outcome.exit_status();
        }
        if self.has_envelope() {
            let told = (outcome.summary.as_str(), outcome.hints.as_slice());
            self.envelope(outcome.failed, told, &outcome.evidence, &outcome.own);
        } else {
            self.answer(outcome);
            if let Some(error) = &outcome.error {
                self.error(error);
            }
            for hint in &outcome.hints {
                self.labelled("hint", HINT, hint);
            }
        }
        outcome.exit_status()
    }

    fn answer(&self, outcome: &Outcome) {
        if self.format == Format::Name {
            return to_stdout(&terminal::shown(&outcome.names.join("\n")));
        }
        let for_a_program = outcome.data && !std::io::stdout().is_terminal();
        to_stdout(&if for_a_program {
            Cow::Borrowed(outcome.text.as_str())
        } else {
            terminal::shown(&outcome.text)
        });
    }

    /// Writes an error; the exit status follows from its kind.
    pub fn fail(&self, error: &Error) -> u8 {
        if self.has_envelope() {
            let told = (error.message.as_str(), error.hints.as_slice());
            self.envelope(true, told, &error.evidence, &Value::Null);
        } else {
            if let Some(details) = &error.details {
                to_stderr(&self.in_colour(details.trim_end()));
            }
            self.labelled("error", ERROR, &error.message);
            for hint in &error.hints {
                self.labelled("hint", HINT, hint);
            }
        }
        error.kind.exit_status()
    }

    fn envelope(
        &self,
        failed: bool,
        (summary, hints): (&str, &[String]),
        evidence: &Evidence,
        own: &Value,
    ) {
        let envelope = Envelope {
            version: "1",
            command: &self.command,
            status: Status::of(failed),
            summary,
            hints,
            timing: Timing {
                started_at: self.started_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                duration_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            },
            evidence,
            own,
        };
        match written(self.format, &envelope) {
            Ok(text) => to_stdout(&text),
            Err(cause) => to_stderr(&format!("error: cannot write the answer: {cause}")),
        }
    }

    fn in_colour<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.color {
            terminal::shown_but_colours(text)
        } else {
            terminal::shown(text)
        }
    }

    fn labelled(&self, label: &str, style: Style, text: &str) {
        let text = terminal::shown(text);
        if self.color {
            to_stderr(&format!("{style}{label}:{style:#} {text}"));
        } else {
            to_stderr(&format!("{label}: {text}"));
        }
    }
}

/// A reader that went away (`tntc list | head -1`) is no error of ours, so the result is dropped.
fn to_stdout(text: &str) {
    if text.is_empty() {
        return;
    }
    let mut out = std::io::stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    let _ = write!(out, "{text}{newline}").and_then(|()| out.flush());
}

/// As for stdout: with stderr gone there is nobody left to tell.
fn to_stderr(text: &str) {
    let _ = super::screen::above(|| writeln!(std::io::stderr().lock(), "{text}"));
}

/// Passes on what a child says on stderr, in pieces that need not be lines.
pub fn pass_on(piece: &str) {
    let _ = super::screen::above(|| write!(std::io::stderr().lock(), "{}", terminal::shown(piece)));
}

/// A line of a child, with colours of ours around text that went through `terminal::shown`.
pub fn coloured_line(line: &str) {
    to_stderr(&terminal::shown_but_colours(line));
}
