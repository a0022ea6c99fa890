//! Drift: where what the code does and what the contract says have come apart.
//!
//! Two witnesses are heard: tests, which saw what nodes did, and the sources, which show what nodes can do.

mod judge;
mod messages;
mod report;
mod sources;
mod uses;

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use judge::judge;
pub use sources::read;
pub use uses::NodeUses;

/// The ways to drift.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A request to somewhere that the contract does not declare, or one that goes around it.
    DirectFetch,
    /// Use of `ctx.secrets` where the contract should name the secret.
    DirectSecrets,
    /// `ctx.dependency` with a name that the contract does not have.
    UndeclaredDependency,
    /// A dependency that nothing uses.
    DeadDeclaration,
    /// `ctx.dependency` with a name that the node's `uses` does not have.
    UndeclaredUse,
    /// A name in a node's `uses` that its code has no use for.
    DeadUse,
    /// A secret in the URL of a request. Only a warning: some APIs take it nowhere else.
    SecretInUrl,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::DirectFetch => "direct-fetch",
            Self::DirectSecrets => "direct-secrets",
            Self::UndeclaredDependency => "undeclared-dependency",
            Self::DeadDeclaration => "dead-declaration",
            Self::UndeclaredUse => "undeclared-use",
            Self::DeadUse => "dead-use",
            Self::SecretInUrl => "secret-in-url",
        })
    }
}

/// A place in a source file.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
pub struct Place {
    /// Relative to the workflow directory.
    pub file: String,
    /// Counts from one.
    pub line: usize,
    /// Counts from one, in characters.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Something that was seen and that the contract does not cover.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Deviation {
    /// How it deviates.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The URL or call, `ctx.secrets`, or the name of the dependency.
    pub subject: String,
    /// Whose `uses` it is about.
    #[serde(default)]
    pub node: Option<String>,
    /// Where, when that is known.
    #[serde(default)]
    pub place: Option<Place>,
}

/// A place where only a run knows what is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unknown {
    /// What is not known.
    #[serde(rename = "type")]
    pub kind: UnknownKind,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
}

/// What the sources leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownKind {
    /// The name in `ctx.dependency(name)`.
    Dependency,
    /// The name in `ctx[name]`.
    Member,
    /// The URL in `fetch(url)`.
    Url,
}

/// What the witnesses saw.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Dependencies that were used, or that the sources show in use.
    pub accesses: BTreeSet<String>,
    /// What tests saw nodes do, in their order.
    pub seen: Vec<Deviation>,
    /// What the sources show, in their order.
    pub read: Vec<Deviation>,
    /// What the sources do not show.
    pub unknown: Vec<Unknown>,
    /// What the sources show of each node.
    pub uses: Vec<NodeUses>,
    /// Whether enough was seen to tell that a dependency is used by nothing.
    pub complete: bool,
}

/// One violation, ready to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    /// How the code and the contract have come apart.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// What was done.
    pub message: String,
    /// What to do instead.
    pub suggestion: String,
    /// Where.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    #[serde(skip)]
    subject: String,
    #[serde(skip)]
    node: Option<String>,
}

/// Everything there is to say about drift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Drift {
    /// By place, then by kind.
    pub violations: Vec<Violation>,
    /// What is no violation and should be looked at, in the same order.
    pub warnings: Vec<Violation>,
    /// What the sources do not show, so that no dependency that it may use is called dead.
    pub unknown: Vec<Unknown>,
    /// The counts.
    pub summary: Summary,
}

/// The report in short.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Declared dependencies in use, sorted.
    pub dependencies_accessed: Vec<String>,
    /// How many violations are `direct-fetch`.
    pub direct_fetch_calls: usize,
    /// How many violations are `direct-secrets`.
    pub direct_secrets_access: usize,
    /// Declared dependencies that nothing uses, in the order of the contract.
    pub dead_declarations: Vec<String>,
    /// Names that were asked for and are not declared, sorted.
    pub undeclared_dependencies: Vec<String>,
    /// As `node: dependency`, what nodes ask for beside their `uses`, sorted.
    pub undeclared_uses: Vec<String>,
    /// As `node: dependency`, what nodes name in `uses` and do not use, in the order of the file.
    pub dead_uses: Vec<String>,
    /// Whether there is any violation.
    pub has_violations: bool,
}

impl Evidence {
    /// Hears another witness as well.
    pub fn add(&mut self, other: Self) {
        self.accesses.extend(other.accesses);
        self.seen.extend(other.seen);
        self.read.extend(other.read);
        self.unknown.extend(other.unknown);
        self.uses.extend(other.uses);
        self.complete |= other.complete;
    }
}

#[cfg(test)]
mod tests;
