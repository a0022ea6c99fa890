//! What is said about each way to drift, and what to do instead.

use super::Kind;

/// The message and the suggestion; `node` is whose `uses` it is about.
pub(super) fn of(kind: Kind, subject: &str, node: &str) -> (String, String) {
    match kind {
        Kind::UndeclaredUse | Kind::DeadUse => of_uses(kind, subject, node),
        _ => of_contract(kind, subject),
    }
}

fn of_uses(kind: Kind, subject: &str, node: &str) -> (String, String) {
    if kind == Kind::DeadUse {
        return (
            format!(
                "node `{node}` names the dependency `{subject}` in its uses and does not use it"
            ),
            format!("remove {subject} from nodes.{node}.uses"),
        );
    }
    (
        format!("node `{node}` asks for the dependency `{subject}`, which its uses do not name"),
        format!("add {subject} to nodes.{node}.uses, or leave it to a node that has it"),
    )
}

fn of_contract(kind: Kind, subject: &str) -> (String, String) {
    match kind {
        Kind::DirectFetch => (
            format!("requests {subject}, which the contract does not cover"),
            "declare the host under contract.dependencies and use ctx.dependency(NAME).fetch(PATH)"
                .to_owned(),
        ),
        Kind::DirectSecrets => (
            format!("reads {subject}"),
            "name the secret in the dependency's auth and use ctx.dependency(NAME).secret"
                .to_owned(),
        ),
        Kind::UndeclaredDependency => (
            format!("asks for the dependency `{subject}`, which the contract does not declare"),
            format!(
                "add it under contract.dependencies, as in {subject}: {{protocol: https, host: HOST}}"
            ),
        ),
        Kind::SecretInUrl => (
            format!("puts a secret into the URL {subject}"),
            "send it in a header: traces and the logs of servers show URLs; where the API takes it nowhere else, \
             leave telemetry off"
                .to_owned(),
        ),
        Kind::DeadDeclaration | Kind::UndeclaredUse | Kind::DeadUse => (
            format!("declares the dependency `{subject}`, which no node uses"),
            format!(
                "remove {subject} from contract.dependencies, or use ctx.dependency(\"{subject}\")"
            ),
        ),
    }
}
