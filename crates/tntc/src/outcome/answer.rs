//! How a command ended: its answer, in every format it may be written in.

use serde::Serialize;
use serde_json::{Value, json};

use super::{ErrorKind, Evidence};

/// What a command answers.
#[derive(Debug, Default)]
pub struct Outcome {
    /// One line for a person or an agent.
    pub summary: String,
    /// The answer itself, as text for stdout.
    pub text: String,
    /// What `-o name` prints.
    pub names: Vec<String>,
    /// The command's own fields of the JSON envelope, as an object; null when it has none.
    pub own: Value,
    /// What was found on the way.
    pub evidence: Evidence,
    /// What the thing asked about failed of, on stderr beside an answer that does not say it in a line.
    pub error: Option<String>,
    /// What to do next.
    pub hints: Vec<String>,
    /// Set when the thing asked about failed although the command itself worked.
    pub failed: bool,
    /// Whose fault it is that the thing asked about failed; its own, when nothing is said.
    pub fault: Option<ErrorKind>,
    /// Set when everything was streamed already and no envelope belongs after it.
    pub silent: bool,
    /// Set when the text is for another program, which gets it as it is.
    pub data: bool,
}

impl Outcome {
    /// The end of a streamed answer.
    pub fn silent() -> Self {
        Self {
            silent: true,
            ..Self::default()
        }
    }

    /// The end of a streamed answer by a signal.
    pub fn interrupted(signal: ErrorKind) -> Self {
        Self::silent().failed_by(Some(signal))
    }

    /// An answer with a one-line summary.
    pub fn new(summary: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            ..Self::default()
        }
    }

    /// The answer's text for stdout.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// The names for `-o name`.
    #[must_use]
    pub fn names(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.names = names.into_iter().collect();
        self
    }

    /// Marks the text as another program's input: into a pipe or a file it goes unchanged, to a terminal as any other.
    #[must_use]
    pub fn data(mut self) -> Self {
        self.data = true;
        self
    }

    /// The command's own fields of the JSON envelope.
    #[must_use]
    pub fn own(mut self, fields: impl Serialize) -> Self {
        self.own = json!(fields);
        self
    }

    /// A line on what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what the thing asked about failed of.
    #[must_use]
    pub fn error(mut self, error: Option<String>) -> Self {
        self.error = error;
        self
    }

    /// Marks the answer as a failure of this kind, for an answer that is printed all the same.
    #[must_use]
    pub fn failed_by(mut self, fault: Option<ErrorKind>) -> Self {
        self.failed = fault.is_some();
        self.fault = fault;
        self
    }

    /// The process exit status.
    pub fn exit_status(&self) -> u8 {
        let fault = self.fault.unwrap_or(ErrorKind::Failed);
        if self.failed { fault.exit_status() } else { 0 }
    }

    /// Marks the thing asked about as failed.
    #[must_use]
    pub fn failed_if(mut self, failed: bool) -> Self {
        self.failed = failed;
        self
    }
}
