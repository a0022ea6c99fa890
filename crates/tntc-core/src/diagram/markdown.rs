//! The pages that are committed beside a workflow.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Usage;
use super::mermaid::{self, described, trigger_text};
use crate::contract::Contract;
use crate::derive::network::{Direction, summary};
use crate::derive::{permissions, secrets};
use crate::workflow::{Node, Workflow};

/// First line of every page, for whoever would edit it.
const NOTICE: &str = "<!-- Written by `tntc visualize --write`; changes are overwritten. -->\n";

/// The rich diagram as a page of Markdown.
#[must_use]
pub fn diagram_page(workflow: &Workflow, usage: &Usage) -> String {
    let chart = mermaid::rich(workflow, usage);
    format!(
        "{NOTICE}\n# {} {}\n\n```mermaid\n{chart}```\n",
        workflow.name, workflow.version
    )
}

/// What the contract says and what follows from it, as a page of Markdown.
#[must_use]
pub fn contract_summary(workflow: &Workflow, usage: &Usage) -> String {
    let mut page = format!(
        "{NOTICE}\n# Contract of {} {}\n",
        workflow.name, workflow.version
    );
    section(&mut page, "Triggers", &triggers(workflow));
    match &workflow.contract {
        None => section(
            &mut page,
            "Dependencies",
            "There is no contract: the workflow may talk to anything.\n",
        ),
        Some(contract) => {
            section(
                &mut page,
                "Dependencies",
                &dependencies(workflow, contract, usage),
            );
            section(
                &mut page,
                "Used without being declared",
                &undeclared(workflow, contract, usage),
            );
        }
    }
    section(&mut page, "Secrets", &secret_list(workflow));
    section(&mut page, "Egress", &network(workflow, Direction::Egress));
    section(&mut page, "Ingress", &network(workflow, Direction::Ingress));
    section(&mut page, "Deno permissions", &flags(workflow));
    page
}

/// A section, unless there is nothing to say.
fn section(page: &mut String, title: &str, body: &str) {
    if !body.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(page, "\n## {title}\n\n{body}");
    }
}

fn triggers(workflow: &Workflow) -> String {
    bullets(
        workflow
            .triggers
            .iter()
            .map(|trigger| code(&trigger_text(trigger))),
    )
}

fn bullets(items: impl IntoIterator<Item = String>) -> String {
    items
        .into_iter()
        .map(|item| format!("- {item}\n"))
        .collect::<Vec<_>>()
        .concat()
}

fn dependencies(workflow: &Workflow, contract: &Contract, usage: &Usage) -> String {
    if contract.dependencies.is_empty() {
        return "None: the workflow talks to nothing.\n".to_owned();
    }
    let users = usage.users(workflow);
    let rows = contract.dependencies.iter().map(|dependency| {
        let (protocol, target) = described(dependency);
        let secret = dependency
            .auth
            .as_ref()
            .map_or_else(String::new, |auth| code(&auth.secret.to_string()));
        let nodes = users
            .get(dependency.name.as_str())
            .map_or_else(String::new, |nodes| names(nodes));
        [
            code(dependency.name.as_str()),
            code(&protocol),
            code(&target),
            secret,
            nodes,
        ]
    });
    table(["Name", "Protocol", "Target", "Secret", "Used by"], rows) + &narrowed(workflow)
}

/// Nodes that are given less than everything.
fn narrowed(workflow: &Workflow) -> String {
    let nodes: Vec<&Node> = { workflow.nodes.iter() }
        .filter(|node| node.uses.is_some())
        .collect();
    if nodes.is_empty() {
        return String::new();
    }
    format!("\nGiven only what their `uses` name: {}.\n", names(&nodes))
}

fn undeclared(workflow: &Workflow, contract: &Contract, usage: &Usage) -> String {
    let declared: BTreeSet<&str> = contract
        .dependencies
        .iter()
        .map(|dependency| dependency.name.as_str())
        .collect();
    let users = usage.users(workflow);
    let missing = users.iter().filter(|(name, _)| !declared.contains(*name));
    bullets(missing.map(|(name, nodes)| format!("{} in {}", code(name), names(nodes))))
}

fn names(nodes: &[&Node]) -> String {
    nodes
        .iter()
        .map(|node| code(node.name.as_str()))
        .collect::<Vec<_>>()
        .join(", ")
}

fn secret_list(workflow: &Workflow) -> String {
    bullets(
        secrets::inventory(workflow)
            .iter()
            .map(|secret| code(&secret.to_string())),
    )
}

fn network(workflow: &Workflow, direction: Direction) -> String {
    let rows = summary(workflow, &[], None);
    let rows: Vec<_> = rows
        .into_iter()
        .filter(|row| row.direction == direction)
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = if direction == Direction::Egress {
        "To"
    } else {
        "From"
    };
    table(
        [head, "Ports", "Because of"],
        rows.into_iter()
            .map(|row| [code(&row.peer), code(&row.ports), text(&row.because)]),
    )
}

fn flags(workflow: &Workflow) -> String {
    let Some(flags) = permissions::deno_flags(workflow, &[], None) else {
        return String::new();
    };
    format!("```\n{}\n```\n", flags.join("\n"))
}

fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut out = line(&head.map(str::to_owned)) + &line(&head.map(|_| "---".to_owned()));
    out.extend(rows.into_iter().map(|row| line(&row)));
    out
}

/// Text as code within a table: a longer run of backticks around any inside, and no bar that would end the cell.
fn code(text: &str) -> String {
    let flat = flat(text);
    let longest = flat.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{fence}{space}{}{space}{fence}", flat.replace('|', "\\|"))
}

/// Text as text within a table, with everything escaped that Markdown or HTML could read.
fn text(text: &str) -> String {
    let mut out = String::new();
    for c in flat(text).chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn flat(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
