//! `tntc validate`: is this a workflow, and what follows from it?

use serde_json::{Value, json};
use tntc_core::contract::{network, permissions, secrets};
use tntc_core::workflow::Workflow;

use crate::cli::Validate;
use crate::context::Context;
use crate::error::Result;
use crate::output::Outcome;

/// Checks a workflow directory; never touches a cluster or Deno.
pub fn run(arguments: &Validate, context: &Context) -> Result<Outcome> {
    let opened = context.open(&arguments.dir)?;
    let workflow = &opened.workflow;
    let summary = format!("{} {} is valid", workflow.name, workflow.version);
    Ok(Outcome::new(&summary)
        .text(text(workflow, &summary, context.printer.verbose()))
        .field("errors", json!([]))
        .field(
            "warnings",
            json!(opened.warnings.iter().collect::<Vec<_>>()),
        )
        .field("derived", derived(workflow)))
}

fn text(workflow: &Workflow, summary: &str, verbose: bool) -> String {
    let mut lines = vec![summary.to_owned()];
    lines.push(list("secrets", &secret_refs(workflow)));
    lines.push(list("network", &network::intended_hosts(workflow, &[])));
    if let Some(flags) = permissions::deno_flags(workflow, &[]).filter(|_| verbose) {
        lines.push(list("deno flags", &flags));
    }
    lines.join("\n")
}

fn list(title: &str, items: &[String]) -> String {
    if items.is_empty() {
        return format!("  {title}: none");
    }
    format!("  {title}:\n    {}", items.join("\n    "))
}

fn secret_refs(workflow: &Workflow) -> Vec<String> {
    secrets::inventory(workflow)
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn derived(workflow: &Workflow) -> Value {
    json!({
        "secrets": secret_refs(workflow),
        "network": network::intended_hosts(workflow, &[]),
        "denoFlags": permissions::deno_flags(workflow, &[]),
    })
}
