//! Evidence held against the contract.

use std::collections::BTreeSet;

use super::{Deviation, Drift, Evidence, Kind, Summary, UnknownKind, Violation, messages, uses};
use crate::contract::{Dependency, Endpoint, Protocol, Target};
use crate::derive::endpoints::nats_server;
use crate::workflow::Workflow;

/// Holds the evidence against the contract; without a contract there is nothing to drift from.
#[must_use]
pub fn judge(workflow: &Workflow, evidence: Evidence) -> Drift {
    let Some(contract) = &workflow.contract else {
        return Drift {
            violations: Vec::new(),
            warnings: Vec::new(),
            unknown: Vec::new(),
            summary: Summary::default(),
        };
    };
    let dead: Vec<&Dependency> = contract
        .dependencies
        .iter()
        .filter(|dependency| evidence.complete && is_dead(dependency, workflow, &evidence))
        .collect();
    let mut read = evidence.read;
    read.extend(uses::undeclared(workflow, &evidence.uses));
    let mut found = merged(read, evidence.seen);
    found.extend(dead.iter().map(|dependency| dead_declaration(dependency)));
    found.extend(
        uses::dead(workflow, &evidence.uses)
            .into_iter()
            .map(violation),
    );
    found.sort_by(|a, b| (&a.place, a.kind).cmp(&(&b.place, b.kind)));
    let (warnings, violations): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|it| it.kind == Kind::SecretInUrl);
    let accessed = contract
        .dependencies
        .iter()
        .map(|dependency| dependency.name.to_string())
        .filter(|name| evidence.accesses.contains(name));
    let summary = summary(accessed.collect(), &dead, &violations);
    Drift {
        violations,
        warnings,
        unknown: evidence.unknown,
        summary,
    }
}

fn summary(accessed: BTreeSet<String>, dead: &[&Dependency], violations: &[Violation]) -> Summary {
    let count = |kind| violations.iter().filter(|it| it.kind == kind).count();
    let undeclared: BTreeSet<_> = violations
        .iter()
        .filter(|it| it.kind == Kind::UndeclaredDependency)
        .map(|it| it.subject.clone())
        .collect();
    let uses = |kind| {
        let of_kind = violations.iter().filter(move |it| it.kind == kind);
        of_kind.map(|it| format!("{}: {}", it.node.as_deref().unwrap_or_default(), it.subject))
    };
    let undeclared_uses: BTreeSet<_> = uses(Kind::UndeclaredUse).collect();
    Summary {
        dependencies_accessed: accessed.into_iter().collect(),
        direct_fetch_calls: count(Kind::DirectFetch),
        direct_secrets_access: count(Kind::DirectSecrets),
        dead_declarations: dead.iter().map(|it| it.name.to_string()).collect(),
        undeclared_dependencies: undeclared.into_iter().collect(),
        undeclared_uses: undeclared_uses.into_iter().collect(),
        dead_uses: uses(Kind::DeadUse).collect(),
        has_violations: !violations.is_empty(),
    }
}

/// A dependency that names the server of a queue trigger is used by the engine itself, and modules are used by imports.
fn is_dead(dependency: &Dependency, workflow: &Workflow, evidence: &Evidence) -> bool {
    if matches!(dependency.target, Target::Modules { .. }) {
        return false;
    }
    let name = dependency.name.as_str();
    let could_be_meant = evidence.unknown.iter().any(|it| match it.kind {
        UnknownKind::Dependency | UnknownKind::Member => true,
        UnknownKind::Url => is_fetched(&dependency.target),
    });
    !could_be_meant
        && !evidence.accesses.contains(name)
        && !is_queue_server(&dependency.target, workflow)
}

fn is_fetched(target: &Target) -> bool {
    match target {
        Target::Host { protocol, .. } => matches!(
            protocol,
            Protocol::Https | Protocol::Http | Protocol::Blob { .. } | Protocol::S3 { .. }
        ),
        Target::Dynamic { .. } => true,
        Target::Modules { .. } => false,
    }
}

fn is_queue_server(target: &Target, workflow: &Workflow) -> bool {
    match target {
        Target::Host { host, port, .. } => {
            let endpoint = Endpoint {
                host: host.clone(),
                port: *port,
            };
            nats_server(workflow) == Some(endpoint)
        }
        Target::Modules { .. } | Target::Dynamic { .. } => false,
    }
}

/// One violation for each line and kind, however often tests came by: what the sources show, then what only a run saw.
fn merged(read: Vec<Deviation>, seen: Vec<Deviation>) -> Vec<Violation> {
    let mut violations: Vec<Violation> = Vec::new();
    for deviation in read.into_iter().chain(seen) {
        let known = violations.iter().any(|it| is_same(it, &deviation));
        if !known {
            violations.push(violation(deviation));
        }
    }
    violations
}

/// A run and the sources do not point at the same column of a call, and a URL is often known to the run alone.
fn is_same(violation: &Violation, deviation: &Deviation) -> bool {
    if violation.kind != deviation.kind {
        return false;
    }
    let is_same_subject = violation.subject == deviation.subject;
    match (&violation.place, &deviation.place) {
        (Some(one), Some(other)) => {
            let needs_subject = violation.kind == Kind::UndeclaredUse;
            let is_same_line = one.file == other.file && one.line == other.line;
            is_same_line && (is_same_subject || !needs_subject)
        }
        _ => is_same_subject,
    }
}

fn violation(deviation: Deviation) -> Violation {
    let Deviation {
        kind,
        subject,
        node,
        place,
    } = deviation;
    let user = node.as_deref().unwrap_or_default();
    let (message, suggestion) = messages::of(kind, &subject, user);
    Violation {
        kind,
        message,
        suggestion,
        place,
        subject,
        node,
    }
}

fn dead_declaration(dependency: &Dependency) -> Violation {
    violation(Deviation {
        kind: Kind::DeadDeclaration,
        subject: dependency.name.to_string(),
        node: None,
        place: None,
    })
}
