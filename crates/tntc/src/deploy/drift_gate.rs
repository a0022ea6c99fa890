//! The contract check before a deploy: what the sources show, held against the contract.

use tntc_core::drift::{Drift, Violation};
use tntc_core::settings::{Enforcement, Settings};

use crate::outcome::{Error, Result};
use crate::terminal::Printer;

/// Whether drift only warns: the flag or the environment says so.
pub fn only_warns(warn: bool, settings: &Settings) -> bool {
    warn || settings.enforcement.value == Enforcement::Audit
}

/// Lets code through that keeps to its contract, and with `lenient` also code that does not, with a warning for each
/// violation.
///
/// # Errors
/// Every violation, with what to do instead.
pub fn require_kept(drift: &Drift, lenient: bool, printer: &Printer) -> Result<()> {
    for warning in &drift.warnings {
        printer.warn(line(warning));
    }
    if !drift.summary.has_violations {
        return Ok(());
    }
    if !lenient {
        return Err(told(drift));
    }
    for violation in &drift.violations {
        printer.warn(line(violation));
    }
    Ok(())
}

fn told(drift: &Drift) -> Error {
    let count = drift.violations.len();
    let violations = if count == 1 {
        "1 violation".to_owned()
    } else {
        format!("{count} violations")
    };
    let mut error = Error::failed(format!(
        "the code does not keep to its contract: {violations}; nothing was applied"
    ))
    .details(drift.to_string())
    .hint("let code and contract agree; tntc test shows the same")
    .hint("or let drift only warn, with --warn or `enforcement: audit` in the environment");
    error.evidence.drift = Some(drift.clone());
    error
}

fn line(violation: &Violation) -> String {
    let place = match &violation.place {
        Some(place) => place.to_string(),
        None => "workflow.yaml".to_owned(),
    };
    format!(
        "contract drift: {} at {place}: {}; instead, {}",
        violation.kind, violation.message, violation.suggestion
    )
}
