//! The report on drift for people.

use std::fmt;

use super::{Drift, Summary, Unknown, UnknownKind, Violation};

impl fmt::Display for Drift {
    /// The report for people: each violation, each warning, then the summary.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "contract drift")?;
        for violation in &self.violations {
            finding(out, violation, "", "instead")?;
        }
        for warning in &self.warnings {
            finding(out, warning, "warning: ", "better")?;
        }
        for Unknown { kind, place } in &self.unknown {
            let what = match kind {
                UnknownKind::Dependency => "names a dependency",
                UnknownKind::Member => "uses a part of ctx",
                UnknownKind::Url => "requests a URL",
            };
            writeln!(out, "  unknown  {place}\n    {what} that only a run knows")?;
        }
        summary(out, &self.summary)
    }
}

fn finding(
    out: &mut fmt::Formatter<'_>,
    violation: &Violation,
    severity: &str,
    instead: &str,
) -> fmt::Result {
    let Violation {
        kind,
        message,
        suggestion,
        place,
        ..
    } = violation;
    let place = place
        .as_ref()
        .map_or_else(|| "workflow.yaml".to_owned(), ToString::to_string);
    writeln!(
        out,
        "  {severity}{kind}  {place}\n    {message}\n    {instead}: {suggestion}"
    )
}

fn summary(out: &mut fmt::Formatter<'_>, summary: &Summary) -> fmt::Result {
    let lines = [
        (
            "dependenciesAccessed",
            listed(&summary.dependencies_accessed),
        ),
        ("directFetchCalls", summary.direct_fetch_calls.to_string()),
        (
            "directSecretsAccess",
            summary.direct_secrets_access.to_string(),
        ),
        ("deadDeclarations", listed(&summary.dead_declarations)),
        (
            "undeclaredDependencies",
            listed(&summary.undeclared_dependencies),
        ),
        ("undeclaredUses", listed(&summary.undeclared_uses)),
        ("deadUses", listed(&summary.dead_uses)),
    ];
    for (name, value) in lines {
        writeln!(out, "  {name}: {value}")?;
    }
    write!(out, "  hasViolations: {}", summary.has_violations)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
