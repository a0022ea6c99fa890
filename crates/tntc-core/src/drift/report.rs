//! The report on drift for people.

use std::fmt;

use super::{Drift, Unknown, UnknownKind, Violation};

impl fmt::Display for Drift {
    /// The report for people: each violation, then the summary.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "contract drift")?;
        for Violation {
            kind,
            message,
            suggestion,
            place,
            ..
        } in &self.violations
        {
            let place = place
                .as_ref()
                .map_or_else(|| "workflow.yaml".to_owned(), ToString::to_string);
            writeln!(
                out,
                "  {kind}  {place}\n    {message}\n    instead: {suggestion}"
            )?;
        }
        for Unknown { kind, place } in &self.unknown {
            let what = match kind {
                UnknownKind::Dependency => "names a dependency",
                UnknownKind::Member => "uses a part of ctx",
                UnknownKind::Url => "requests a URL",
            };
            writeln!(out, "  unknown  {place}\n    {what} that only a run knows")?;
        }
        let summary = &self.summary;
        writeln!(
            out,
            "  dependenciesAccessed: {}",
            listed(&summary.dependencies_accessed)
        )?;
        writeln!(out, "  directFetchCalls: {}", summary.direct_fetch_calls)?;
        writeln!(
            out,
            "  directSecretsAccess: {}",
            summary.direct_secrets_access
        )?;
        writeln!(
            out,
            "  deadDeclarations: {}",
            listed(&summary.dead_declarations)
        )?;
        writeln!(
            out,
            "  undeclaredDependencies: {}",
            listed(&summary.undeclared_dependencies)
        )?;
        write!(out, "  hasViolations: {}", summary.has_violations)
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
