//! What a preflight finds, one check at a time.

use schemars::JsonSchema;
use serde::Serialize;

use super::ErrorKind;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "State")]
pub enum CheckStatus {
    /// As it should be.
    Pass,
    /// Works, but should be looked at.
    Warn,
    /// Cannot be told from here.
    Unknown,
    /// A deployment would fail.
    Fail,
}

impl CheckStatus {
    fn mark(self) -> &'static str {
        match self {
            Self::Pass => "✓",
            Self::Warn => "!",
            Self::Unknown => "?",
            Self::Fail => "✗",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Check {
    /// Which check this is, for programs.
    #[serde(rename = "check")]
    pub id: &'static str,
    /// How it ended.
    pub status: CheckStatus,
    /// What was found, for people.
    pub message: String,
    /// What to do about it.
    pub remedies: Vec<String>,
    /// Whose fault a failure is.
    #[serde(skip)]
    pub fault: ErrorKind,
}

impl Check {
    /// A check whose failures are those of the surroundings.
    pub fn new(id: &'static str, status: CheckStatus, message: impl Into<String>) -> Self {
        Self {
            id,
            status,
            message: message.into(),
            remedies: Vec::new(),
            fault: ErrorKind::Surroundings,
        }
    }

    /// A line on what to do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedies.push(remedy.into());
        self
    }

    /// The check and its remedies as one sentence.
    pub fn in_one_line(&self) -> String {
        let parts = std::iter::once(&self.message).chain(&self.remedies);
        parts.map(String::as_str).collect::<Vec<_>>().join(". ")
    }

    /// The check and its remedies as lines.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("  {} {}", self.status.mark(), self.message)];
        if self.status != CheckStatus::Pass {
            lines.extend(
                self.remedies
                    .iter()
                    .map(|remedy| format!("    -> {remedy}")),
            );
        }
        lines
    }
}
