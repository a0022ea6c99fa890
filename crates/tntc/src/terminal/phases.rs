//! Steps of long work, each visible while it runs and timed in the answer.

use std::future::Future;
use std::time::Instant;

use super::{Printer, progress};
use crate::outcome::{Error, Outcome, Phase, Result, Status};

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
        let mut result = step.await;
        drop(moving);
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = Status::of(result.is_err());
        self.printer
            .note(format!("{shown}: {}, {duration_ms} ms", status.word()));
        self.done.push(Phase {
            name,
            status,
            duration_ms,
            phases: result
                .as_mut()
                .err()
                .and_then(|error| error.evidence.phases.take()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::{Color, Format};
    use serde_json::json;

    #[tokio::test]
    async fn the_steps_of_a_failed_step_stay_below_it() {
        let printer = Printer::new(Format::Json, Color::Never, false, "deploy");
        let mut outer = Phases::new(&printer);
        let mut inner = Phases::new(&printer);
        outer
            .run("prepare", async { Ok(()) })
            .await
            .expect("no error");
        let gate = async {
            inner.run("preflight", async { Ok(()) }).await?;
            let failed = async { Err::<(), _>(Error::failed("made to fail")) };
            inner.run("run", failed).await
        };
        let error = outer.run("gate", gate).await.expect_err("an error");
        let names = |phases: &serde_json::Value| {
            let phases = phases.as_array().cloned().unwrap_or_default();
            let of = |phase: &serde_json::Value| (phase["name"].clone(), phase["status"].clone());
            phases.iter().map(of).collect::<Vec<_>>()
        };
        let phases = json!(error.evidence.phases);
        let pair = |name: &str, status: &str| (json!(name), json!(status));
        assert_eq!(
            names(&phases),
            [pair("prepare", "pass"), pair("gate", "fail")]
        );
        let below = &phases[1]["phases"];
        assert_eq!(
            names(below),
            [pair("preflight", "pass"), pair("run", "fail")]
        );
        assert_eq!(phases[0].get("phases"), None);
    }
}
