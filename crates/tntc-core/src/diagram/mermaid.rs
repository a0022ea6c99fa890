//! Mermaid flowcharts.
//!
//! Names never become Mermaid identifiers: `end` and others are words of its grammar. Identifiers are a letter and a
//! number, names are quoted labels with everything but plain characters escaped.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use super::Usage;
use crate::contract::{Dependency, SecretRef, Target};
use crate::derive::network::{Direction, Row, summary};
use crate::derive::secrets;
use crate::workflow::{Trigger, TriggerKind, Webhook, Workflow};

/// The graph alone: triggers, nodes and edges.
#[must_use]
pub fn plain(workflow: &Workflow) -> String {
    let mut chart = Chart::new();
    chart.graph(workflow);
    chart.text
}

/// The graph with dependencies, the nodes that use them, the secrets they need, and the network rules as comments.
#[must_use]
pub fn rich(workflow: &Workflow, usage: &Usage) -> String {
    let mut chart = Chart::new();
    chart.graph(workflow);
    let dependencies = workflow
        .contract
        .iter()
        .flat_map(|contract| &contract.dependencies);
    let dependencies: Vec<&Dependency> = dependencies.collect();
    if !dependencies.is_empty() {
        chart.dependencies(&dependencies);
        chart.usage(workflow, &dependencies, usage);
    }
    chart.secrets(workflow, &dependencies);
    chart.rules(workflow);
    chart.text
}

struct Chart {
    text: String,
}

impl Chart {
    fn new() -> Self {
        Self {
            text: "flowchart TD\n".to_owned(),
        }
    }

    fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "    {line}");
    }

    fn graph(&mut self, workflow: &Workflow) {
        for (index, trigger) in workflow.triggers.iter().enumerate() {
            self.line(&format!(
                "t{index}([\"{}\"])",
                label(&[&trigger_text(trigger)])
            ));
        }
        for (index, node) in workflow.nodes.iter().enumerate() {
            self.line(&format!("n{index}[\"{}\"]", label(&[node.name.as_str()])));
        }
        self.edges(workflow);
    }

    fn edges(&mut self, workflow: &Workflow) {
        let indices: HashMap<&str, usize> = indices(workflow);
        let inner: HashSet<&str> = workflow.edges.iter().map(|edge| edge.to.as_str()).collect();
        let roots = workflow
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| !inner.contains(node.name.as_str()));
        let roots: Vec<String> = roots.map(|(index, _)| format!("n{index}")).collect();
        for trigger in 0..workflow.triggers.len() {
            self.line(&format!("t{trigger} --> {}", roots.join(" & ")));
        }
        for edge in &workflow.edges {
            let [from, to] = [&edge.from, &edge.to].map(|name| indices[name.as_str()]);
            self.line(&format!("n{from} --> n{to}"));
        }
    }

    fn dependencies(&mut self, dependencies: &[&Dependency]) {
        self.line("subgraph outside [\"Outside the pod\"]");
        for (index, dependency) in dependencies.iter().enumerate() {
            let (protocol, target) = described(dependency);
            let text = label(&[dependency.name.as_str(), &format!("{protocol} {target}")]);
            self.line(&format!("    d{index}{{{{\"{text}\"}}}}"));
        }
        self.line("end");
    }

    fn usage(&mut self, workflow: &Workflow, dependencies: &[&Dependency], usage: &Usage) {
        let indices = indices(workflow);
        let users = usage.users(workflow);
        for (index, dependency) in dependencies.iter().enumerate() {
            for node in users.get(dependency.name.as_str()).into_iter().flatten() {
                let mut named = node.uses.iter().flatten();
                let arrow = if named.any(|name| *name == dependency.name) {
                    "-. uses .->"
                } else {
                    "-.->"
                };
                let node = indices[node.name.as_str()];
                self.line(&format!("n{node} {arrow} d{index}"));
            }
        }
    }

    /// Secrets in the order in which dependencies, then triggers, first need them.
    fn secrets(&mut self, workflow: &Workflow, dependencies: &[&Dependency]) {
        let declared = dependencies
            .iter()
            .enumerate()
            .filter_map(|(index, dependency)| {
                Some((
                    format!("d{index}"),
                    dependency.auth.as_ref()?.secret.clone(),
                ))
            });
        let triggers = workflow.triggers.iter().enumerate();
        let needed = triggers
            .filter_map(|(index, it)| Some((format!("t{index}"), secrets::of_trigger(&it.kind)?)));
        let mut known: HashMap<SecretRef, usize> = HashMap::new();
        for (user, secret) in declared.chain(needed) {
            let next = known.len();
            let index = *known.entry(secret.clone()).or_insert(next);
            if index == next {
                self.line(&format!(
                    "s{index}[(\"{}\")]",
                    label(&[&secret.to_string()])
                ));
            }
            self.line(&format!("{user} -.- s{index}"));
        }
    }

    /// Rules have no place in the picture beyond what it shows already; whoever reads the text has them all.
    fn rules(&mut self, workflow: &Workflow) {
        for row in summary(workflow, &[], None) {
            self.line(&comment(&row));
        }
    }
}

fn comment(row: &Row) -> String {
    let direction = match row.direction {
        Direction::Egress => "egress",
        Direction::Ingress => "ingress",
    };
    let text = format!("%% {direction} {} {}: {}", row.peer, row.ports, row.because);
    text.replace(char::is_control, " ")
}

fn indices(workflow: &Workflow) -> HashMap<&str, usize> {
    workflow
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| (node.name.as_str(), index))
        .collect()
}

/// Protocol and target of a dependency in words.
pub(super) fn described(dependency: &Dependency) -> (String, String) {
    match &dependency.target {
        Target::Host {
            protocol,
            host,
            port,
        } => (
            protocol.name().to_owned(),
            format!("{}:{port}", host.authority()),
        ),
        Target::Modules { registry, host, .. } => (
            registry.name().to_owned(),
            host.clone().unwrap_or_else(|| "bundled".to_owned()),
        ),
        Target::Dynamic { cidr, ports, .. } => {
            let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
            ("dynamic".to_owned(), format!("{cidr} {}", ports.join(", ")))
        }
    }
}

pub(super) fn trigger_text(trigger: &Trigger) -> String {
    let what = match &trigger.kind {
        TriggerKind::Manual => "manual".to_owned(),
        TriggerKind::Cron {
            schedule,
            timezone: None,
        } => format!("cron {schedule}"),
        TriggerKind::Cron {
            schedule,
            timezone: Some(zone),
        } => format!("cron {schedule} ({zone})"),
        TriggerKind::Queue(queue) => format!("queue {}", queue.subject),
        TriggerKind::Webhook(Webhook::Path(path)) => format!("webhook {path}"),
        TriggerKind::Webhook(Webhook::Verified(path, verification)) => {
            let (key, name) = verification.named();
            let way = if key == "hmac" {
                format!("hmac {name}")
            } else {
                name.to_owned()
            };
            format!("webhook {path} ({way})")
        }
        TriggerKind::Webhook(Webhook::GitHub { event: None, .. }) => "webhook github".to_owned(),
        TriggerKind::Webhook(Webhook::GitHub {
            event: Some(event), ..
        }) => format!("webhook github {event}"),
    };
    match &trigger.name {
        Some(name) => format!("{name}: {what}"),
        None => what,
    }
}

/// Lines of text as the inside of a quoted label.
fn label(lines: &[&str]) -> String {
    lines
        .iter()
        .map(|line| escaped(line))
        .collect::<Vec<_>>()
        .join("<br/>")
}

/// Mermaid reads `#nn;` in a label as the character with that code, whatever the character means elsewhere.
fn escaped(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let is_word = |index: Option<usize>| {
        index
            .and_then(|it| characters.get(it))
            .is_some_and(|c| c.is_alphanumeric())
    };
    let mut escaped = String::new();
    for (index, &c) in characters.iter().enumerate() {
        // An underscore within a word is no emphasis (CommonMark, 6.2).
        let within_word = c == '_' && is_word(index.checked_sub(1)) && is_word(Some(index + 1));
        if c.is_alphanumeric()
            || within_word
            || matches!(c, ' ' | '.' | ',' | '-' | '/' | ':' | '(' | ')')
        {
            escaped.push(c);
        } else if c.is_control() {
            escaped.push(' ');
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "#{};", u32::from(c));
        }
    }
    escaped
}
