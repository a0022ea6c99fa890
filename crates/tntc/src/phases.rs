//! Steps of long work, each visible while it runs and timed in the answer.

use std::future::Future;
use std::time::Instant;

use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::Status;
use crate::error::{Error, Result};
use crate::output::{Outcome, Printer};
use crate::progress;

/// One finished step.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    name: &'static str,
    status: Status,
    duration_ms: u64,
}

/// The steps of one command, in order.
pub struct Phases<'a> {
    printer: &'a Printer,
    /// Stands before each name that is shown, such as `live test: `.
    within: &'static str,
    done: Vec<Phase>,
}

impl<'a> Phases<'a> {
    /// No step yet.
    pub fn new(printer: &'a Printer) -> Self {
        Self::within("", printer)
    }

    /// Steps of another command's step.
    pub fn within(within: &'static str, printer: &'a Printer) -> Self {
        Self {
            printer,
            within,
            done: Vec::new(),
        }
    }

    /// Runs a step and notes how long it took, also when it fails.
    pub async fn run<T>(
        &mut self,
        name: &'static str,
        step: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let started = Instant::now();
        let shown = format!("{}{name}", self.within);
        let moving = progress::Phase::begin_quietly(&shown, self.printer);
        let result = step.await;
        drop(moving);
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = Status::of(result.is_err());
        self.printer
            .note(format!("{shown}: {}, {duration_ms} ms", status.word()));
        self.done.push(Phase {
            name,
            status,
            duration_ms,
        });
        result.map_err(|error| self.told(error))
    }

    /// A warning, for a person.
    pub fn warn(&self, line: impl AsRef<str>) {
        self.printer.warn(line);
    }

    /// The answer with its phases.
    pub fn finish(self, mut outcome: Outcome) -> Outcome {
        outcome.evidence.phases = Some(self.done);
        outcome
    }

    fn told(&self, mut error: Error) -> Error {
        error.evidence.phases = Some(self.done.clone());
        error
    }
}
