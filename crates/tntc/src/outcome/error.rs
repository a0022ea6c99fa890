//! What went wrong, as a kind (which decides the exit status), a message, a cause and hints.

use std::fmt;

use tntc_core::terminal;

use super::{Check, CheckStatus, ErrorKind, Evidence};

/// Everything in this crate that can fail fails with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure told to the user: what was being done, to what, why it failed and what to run next.
#[derive(Debug)]
pub struct Error {
    /// Decides the exit status.
    pub kind: ErrorKind,
    /// One line: what was being done, to what, and what is wrong.
    pub message: String,
    /// More lines for a person, such as rendered diagnostics; never part of the one-line summary.
    pub details: Option<String>,
    /// What to run or change next.
    pub hints: Vec<String>,
    /// What programs read of it, in the JSON envelope.
    pub evidence: Box<Evidence>,
}

impl Error {
    /// An error of any kind; prefer the named constructors.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            details: None,
            hints: Vec::new(),
            evidence: Box::default(),
        }
    }

    /// The thing asked about failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// Wrong usage.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// The surroundings failed.
    pub fn surroundings(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Surroundings, message)
    }

    /// The check that a request failed for, in a way that says nothing about what was looked for.
    pub fn into_check(self, id: &'static str) -> Check {
        Check {
            id,
            status: CheckStatus::Fail,
            message: self.message,
            remedies: self.hints,
            fault: self.kind,
        }
    }

    /// Adds a line on what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds why it failed, in the words of the program or the library that did.
    #[must_use]
    pub fn cause(mut self, told: impl Into<String>) -> Self {
        let told = told.into();
        self.evidence.cause = Some(told.lines().map(str::to_owned).collect());
        // Beside it stand diagnostics with colours of ours; these are a stranger's words, without any.
        self.details(terminal::shown(&told))
    }

    /// Adds lines that a person reads before the message, of what the evidence holds.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The text of an error with that of all its causes, each said once.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = next.source();
    }
    text
}

/// Turns an I/O error into ours, naming the path.
pub fn io(action: &str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Error {
    let place = path.display().to_string();
    let action = action.to_owned();
    move |cause| Error::surroundings(format!("cannot {action} {place}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_names_every_cause_once() {
        let cause = std::io::Error::other("connection refused");
        let error = std::io::Error::other(cause);
        assert_eq!(chain(&error), "connection refused");
    }
}
