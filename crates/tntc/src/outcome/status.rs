//! Whether something went well.

use schemars::JsonSchema;
use serde::Serialize;

/// Whether something went well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It did.
    Pass,
    /// It did not.
    Fail,
}

impl Status {
    /// `Pass` when there is no failure.
    pub fn of(failed: bool) -> Self {
        if failed { Self::Fail } else { Self::Pass }
    }

    /// The word that is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
        }
    }
}
