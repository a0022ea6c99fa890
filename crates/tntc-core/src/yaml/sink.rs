//! Collects what is found while one file is read.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use crate::diagnostic::{Diagnostic, Invalid, MAX_KEPT, Report, Severity, Source};
use crate::suggest::Suggester;
use crate::yaml::Spot;

/// Text that all kept findings of a file may hold together, in bytes: paths can be as long as the file itself.
const MAX_TEXT: usize = 4 * 1024 * 1024;

/// Where findings go while a file is read. Reading goes on after an error, so that one run reports them all.
#[derive(Debug)]
pub(crate) struct Sink<'s> {
    source: &'s Source<'s>,
    found: Vec<Diagnostic>,
    /// What has been said about which place: a value that aliases repeat is told once, where it is written.
    told: HashSet<(usize, Severity, String)>,
    errors: usize,
    warnings: usize,
    hints: usize,
    /// Bytes of text that may still be kept.
    room: usize,
    /// Answers "did you mean", within one budget for the whole file.
    pub(crate) suggester: Suggester,
}

impl<'s> Sink<'s> {
    pub(crate) fn new(source: &'s Source<'s>) -> Self {
        Self {
            source,
            found: Vec::new(),
            told: HashSet::new(),
            errors: 0,
            warnings: 0,
            hints: 0,
            room: MAX_TEXT,
            suggester: Suggester::new(),
        }
    }

    pub(crate) fn failed(&self) -> bool {
        self.errors > 0
    }

    pub(crate) fn error(&mut self, spot: Spot<'_>, problem: Invalid) {
        self.add(Severity::Error, spot.place(), spot.path, problem);
    }

    pub(crate) fn warning(&mut self, spot: Spot<'_>, problem: Invalid) {
        self.add(Severity::Warning, spot.place(), spot.path, problem);
    }

    pub(crate) fn hint(&mut self, spot: Spot<'_>, problem: Invalid) {
        self.add(Severity::Hint, spot.place(), spot.path, problem);
    }

    /// An error about the key that leads to a value.
    pub(crate) fn key_error(&mut self, spot: Spot<'_>, problem: Invalid) {
        self.add(Severity::Error, spot.key_place(), spot.path, problem);
    }

    /// A finding about a place that is no value of its own, such as a key.
    pub(crate) fn add(
        &mut self,
        severity: Severity,
        span: Range<usize>,
        path: impl fmt::Display,
        problem: Invalid,
    ) {
        let count = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Hint => &mut self.hints,
        };
        if *count >= MAX_KEPT || self.room == 0 {
            *count += 1;
            return;
        }
        if !(self.told).insert((span.start, severity, problem.message.clone())) {
            return;
        }
        *count += 1;
        let (line, column) = self.source.position(span.start);
        let Invalid {
            code,
            message,
            help,
        } = problem;
        let path = path.to_string();
        self.room = self.room.saturating_sub(message.len() + path.len());
        self.found.push(Diagnostic {
            severity,
            code,
            message,
            path,
            line,
            column,
            help,
            span,
        });
    }

    pub(crate) fn finish(self) -> Report {
        let omitted = self.errors + self.warnings + self.hints - self.found.len();
        Report::new(self.found, omitted)
    }
}
