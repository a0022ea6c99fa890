//! `tntc audit`: is what is deployed still what the workflow directory means?

use serde_json::{Value, json};
use tntc_core::audit::{self, Compared, Finding, Kind};

use super::deploy;
use crate::cli::{Audit, Deploy};
use crate::cluster::connect::Target;
use crate::cluster::deployed;
use crate::context::{self, Context, Overrides};
use crate::error::Result;
use crate::output::Outcome;

/// Plans as deploy would, reads what the cluster has, and compares the two.
pub async fn run(arguments: Audit, context: &Context) -> Result<Outcome> {
    let opened = context.open(&arguments.dir)?;
    let overrides = Overrides {
        image: arguments.image.clone(),
        runtime_class: arguments.runtime_class.clone(),
        ..Overrides::default()
    };
    let settings = context.settings_of(&opened, overrides)?;
    let target = Target::find(&settings).await?;
    let kind = target.kind.clone();
    let settings = settings.on_kind(kind.as_deref());
    let namespace = context::namespace(&settings)?;
    let cluster = target.connect()?;
    let plan = deploy::plan(&as_deploy(arguments), &opened, &settings, kind.is_some())?;
    let found = deployed::everything(&cluster, namespace.as_str(), &plan).await?;
    let name = opened.workflow.name.as_str();
    Ok(outcome(
        name,
        namespace.as_str(),
        &audit::compare(&plan, &found),
    ))
}

fn as_deploy(arguments: Audit) -> Deploy {
    Deploy {
        dir: arguments.dir,
        image: arguments.image,
        runtime_class: arguments.runtime_class,
        wait: false,
        restart: false,
        force_conflicts: false,
        dry_run: true,
        timeout: std::time::Duration::ZERO,
    }
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
    let outcome = Outcome::new(summary)
        .text(lines.join("\n"))
        .field("audit", json!(compared))
        .failed_if(differing > 0);
    if differing == 0 {
        return outcome;
    }
    outcome.hint(format!(
        "bring it back to what is planned with: tntc deploy -n {namespace}"
    ))
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
