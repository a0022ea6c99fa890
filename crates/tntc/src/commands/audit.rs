//! `tntc audit`: is what is deployed still what the workflow directory means?

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tntc_core::audit::{self, Compared, Finding, Kind};

use crate::cli::Audit;
use crate::cluster::deployed;
use crate::context::{Context, Overrides};
use crate::error::Result;
use crate::followup::quoted;
use crate::output::Outcome;
use crate::prepare::{Variant, prepare};

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer<'a> {
    /// Every object that was planned or found.
    audit: &'a [Compared],
}

/// Plans as deploy would, reads what the cluster has, and compares the two.
pub async fn run(arguments: Audit, context: &Context) -> Result<Outcome> {
    let overrides = Overrides {
        image: arguments.image,
        runtime_class: arguments.runtime_class,
        ..Overrides::default()
    };
    let (prepared, target) = prepare(&arguments.dir, overrides, context).await?;
    let cluster = target?.connect()?;
    let plan = prepared.plan_on(&cluster, Variant::Own).await?;
    let namespace = prepared.namespace.as_str();
    let found = deployed::everything(&cluster, namespace, &plan).await?;
    let name = prepared.workflow.name.as_str();
    let outcome = outcome(name, namespace, &audit::compare(&plan, &found));
    if !outcome.failed {
        return Ok(outcome);
    }
    let deploy = cluster.followup.tntc(format!(
        "deploy {} -n {namespace}",
        quoted(&arguments.dir.display().to_string())
    ));
    Ok(outcome.hint(format!("bring it back to what is planned with: {deploy}")))
}

fn outcome(name: &str, namespace: &str, compared: &[Compared]) -> Outcome {
    let differing = compared.iter().filter(|object| !object.matches).count();
    let summary = if differing == 0 {
        format!("{name} in {namespace} is as planned")
    } else {
        let plural = if differing == 1 {
            "object differs"
        } else {
            "objects differ"
        };
        format!("{name} in {namespace} is not as planned: {differing} {plural}")
    };
    let mut lines: Vec<_> = compared.iter().flat_map(lines).collect();
    lines.push(String::new());
    lines.push(format!("{} {summary}", mark(differing == 0)));
    Outcome::new(summary)
        .text(lines.join("\n"))
        .own(Answer { audit: compared })
        .failed_if(differing > 0)
}

fn mark(good: bool) -> &'static str {
    if good { "✓" } else { "✗" }
}

fn lines(compared: &Compared) -> Vec<String> {
    let head = format!("  {} {}", mark(compared.matches), compared.object);
    let findings = compared
        .findings
        .iter()
        .map(|finding| format!("    -> {}", told(finding)));
    std::iter::once(head).chain(findings).collect()
}

fn told(finding: &Finding) -> String {
    let at = if finding.path.is_empty() {
        "the object"
    } else {
        &finding.path
    };
    let shown = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let of = |value: &Value| {
        if value.is_null() {
            String::new()
        } else {
            format!(": {}", shown(value))
        }
    };
    match finding.kind {
        Kind::Missing => format!("{at} is missing{}", of(&finding.expected)),
        Kind::Extra => format!("{at} was added{}", of(&finding.actual)),
        Kind::Changed => format!(
            "{at} is {}, expected {}",
            shown(&finding.actual),
            shown(&finding.expected)
        ),
    }
}
