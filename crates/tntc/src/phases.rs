//! Steps of long work, each visible while it runs and timed in the answer.

use std::future::Future;
use std::time::Instant;

use serde::Serialize;
use serde_json::json;

use crate::error::{Error, Result};
use crate::output::{Outcome, Printer};

/// One finished step.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    name: &'static str,
    status: &'static str,
    duration_ms: u64,
}

/// The steps of one command, in order.
pub struct Phases<'a> {
    printer: &'a Printer,
    done: Vec<Phase>,
}

impl<'a> Phases<'a> {
    /// No step yet.
    pub fn new(printer: &'a Printer) -> Self {
        Self {
            printer,
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
        let result = step.await;
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = if result.is_ok() { "pass" } else { "fail" };
        self.printer
            .note(format!("{name}: {status}, {duration_ms} ms"));
        self.done.push(Phase {
            name,
            status,
            duration_ms,
        });
        result.map_err(|error| self.told(error))
    }

    /// The answer with its phases.
    pub fn finish(self, outcome: Outcome) -> Outcome {
        outcome.field("phases", json!(self.done))
    }

    fn told(&self, error: Error) -> Error {
        error.field("phases", json!(self.done))
    }
}
