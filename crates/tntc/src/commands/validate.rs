//! `tntc validate`: is this a workflow, and what follows from it?

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tntc_core::contract::network::{Direction, Row};
use tntc_core::contract::{SecretRef, network, permissions, secrets};
use tntc_core::workflow::Workflow;

use crate::cli::Validate;
use crate::context::Context;
use crate::error::Result;
use crate::output::Outcome;
use crate::table;

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
    let mut parts = vec![
        summary.to_owned(),
        secret_table(workflow),
        network_table(workflow),
    ];
    if verbose {
        parts.push(flags(workflow));
    }
    parts.join("\n\n")
}

fn secret_table(workflow: &Workflow) -> String {
    let users = users(workflow);
    if users.is_empty() {
        return "No secrets are needed.".to_owned();
    }
    let rows = users
        .iter()
        .map(|(secret, users)| [secret.to_string(), users.join(", ")]);
    table::render(["SECRET", "NEEDED BY"], rows)
}

/// What needs each secret: dependencies, then triggers, in the order of the file.
fn users(workflow: &Workflow) -> BTreeMap<SecretRef, Vec<String>> {
    let mut users: BTreeMap<SecretRef, Vec<String>> = BTreeMap::new();
    let contract = workflow.contract.iter();
    for dependency in contract.flat_map(|contract| &contract.dependencies) {
        if let Some(auth) = &dependency.auth {
            let user = dependency.name.to_string();
            users.entry(auth.secret.clone()).or_default().push(user);
        }
    }
    for trigger in &workflow.triggers {
        if let Some(secret) = secrets::of_trigger(&trigger.kind) {
            let name = trigger.name.as_ref();
            let user = name.map_or_else(|| "trigger".to_owned(), |it| format!("trigger {it}"));
            users.entry(secret).or_default().push(user);
        }
    }
    users
}

fn network_table(workflow: &Workflow) -> String {
    if workflow.contract.is_none() {
        return "The network is open: there is no contract.".to_owned();
    }
    let rows = network::summary(workflow, &[], None);
    table::render(
        ["NETWORK", "PEER", "PORTS", "BECAUSE OF"],
        rows.into_iter().map(cells),
    )
}

fn cells(row: Row) -> [String; 4] {
    let direction = match row.direction {
        Direction::Egress => "egress",
        Direction::Ingress => "ingress",
    };
    [direction.to_owned(), row.peer, row.ports, row.because].map(|cell| one_line(&cell))
}

/// A reason from the file may hold line breaks and escape sequences.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn flags(workflow: &Workflow) -> String {
    match permissions::deno_flags(workflow, &[]) {
        Some(flags) => format!("Deno flags:\n  {}", flags.join("\n  ")),
        None => "Deno flags: those of the image, for there is no contract.".to_owned(),
    }
}

fn derived(workflow: &Workflow) -> Value {
    let secrets: Vec<_> = secrets::inventory(workflow)
        .iter()
        .map(ToString::to_string)
        .collect();
    json!({
        "secrets": secrets,
        "network": network::summary(workflow, &[], None),
        "denoFlags": permissions::deno_flags(workflow, &[]),
    })
}
