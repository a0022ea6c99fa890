//! `tntc validate`: is this a workflow, and what follows from it?

use std::path::PathBuf;

use std::collections::BTreeMap;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use tntc_core::contract::SecretRef;
use tntc_core::derive::network::{Direction, Row};
use tntc_core::derive::{network, permissions, secrets};
use tntc_core::diagnostic::Diagnostic;
use tntc_core::workflow::Workflow;

use crate::context::{Context, Overrides};
use crate::deploy::prepare::{InEnvironment, code, deliverable, in_environment};
use crate::outcome::{Outcome, Result};
use crate::terminal::table;
use crate::workspace::project::Opened;

/// Check workflow.yaml and its contract, and print what is derived from them
#[derive(Debug, Args)]
pub struct Validate {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Also bundle what nodes import, as a deploy does, and report what does not fit; takes Deno
    #[arg(long)]
    pub bundle: bool,
}

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// What is wrong; a workflow that is valid has none.
    errors: Vec<Diagnostic>,
    /// What is questionable.
    warnings: Vec<Diagnostic>,
    /// What could be said better; as text only with -v.
    suggestions: Vec<Diagnostic>,
    /// What follows from the workflow and its contract.
    derived: Derived,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Derived {
    /// As `service.key`, sorted.
    secrets: Vec<String>,
    /// Who may talk to whom.
    network: Vec<Row>,
    /// Null without a contract.
    deno_flags: Option<Vec<String>>,
}

/// Checks a workflow directory; never touches a cluster or Deno.
pub fn run(arguments: &Validate, context: &Context) -> Result<Outcome> {
    let (opened, checked) = check(arguments, context)?;
    Ok(outcome(&opened, &checked, context))
}

/// The same, and whether what nodes import can be bundled and fits.
pub async fn run_bundling(arguments: &Validate, context: &Context) -> Result<Outcome> {
    let (opened, checked) = check(arguments, context)?;
    code(&opened, &checked, context).await?;
    Ok(outcome(&opened, &checked, context))
}

fn check(arguments: &Validate, context: &Context) -> Result<(Opened, InEnvironment)> {
    let opened = context.open(&arguments.dir)?;
    let settings = context.settings_of(&opened, Overrides::default())?;
    let checked = in_environment(&opened, &settings)?;
    deliverable(&opened, &checked)?;
    Ok((opened, checked))
}

fn outcome(opened: &Opened, checked: &InEnvironment, context: &Context) -> Outcome {
    let workflow = &checked.workflow;
    let summary = format!("{} {} is valid", workflow.name, workflow.version);
    Outcome::new(&summary)
        .text(text(checked, &summary, context.printer.verbose()))
        .own(Answer {
            errors: Vec::new(),
            warnings: opened.warnings.warnings().cloned().collect(),
            suggestions: opened.warnings.hints().cloned().collect(),
            derived: derived(checked),
        })
}

fn text(checked: &InEnvironment, summary: &str, verbose: bool) -> String {
    let mut parts = vec![
        summary.to_owned(),
        secret_table(&checked.workflow),
        network_table(checked),
    ];
    if verbose {
        parts.push(flags(checked));
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

fn network_table(checked: &InEnvironment) -> String {
    if checked.workflow.contract.is_none() {
        return "The network is open: there is no contract.".to_owned();
    }
    table::render(
        ["NETWORK", "PEER", "PORTS", "BECAUSE OF"],
        network(checked).into_iter().map(cells),
    )
}

fn network(checked: &InEnvironment) -> Vec<Row> {
    let metrics = checked.metrics_namespace.as_ref();
    network::summary(&checked.workflow, &checked.endpoints, metrics)
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

fn flags(checked: &InEnvironment) -> String {
    match deno_flags(checked) {
        Some(flags) => format!("Deno flags:\n  {}", flags.join("\n  ")),
        None => "Deno flags: those of the image, for there is no contract.".to_owned(),
    }
}

fn deno_flags(checked: &InEnvironment) -> Option<Vec<String>> {
    permissions::deno_flags(
        &checked.workflow,
        &checked.endpoints,
        checked.metrics_namespace.as_ref(),
    )
}

fn derived(checked: &InEnvironment) -> Derived {
    let secrets = secrets::inventory(&checked.workflow);
    Derived {
        secrets: secrets.iter().map(ToString::to_string).collect(),
        network: network(checked),
        deno_flags: deno_flags(checked),
    }
}
