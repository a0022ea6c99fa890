//! The secrets that a workflow needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::SecretRef;
use crate::secrets::keys;
use crate::workflow::{TriggerKind, Webhook, Workflow};

/// The secrets that the contract's dependencies name, and those that the engine itself needs for the triggers:
/// `nats.token` for a queue, `github.webhook_secret` for a webhook of GitHub, and that of another webhook's `verify`.
#[must_use]
pub fn inventory(workflow: &Workflow) -> BTreeSet<SecretRef> {
    of_dependencies(workflow)
        .chain(of_triggers(workflow, |_| true))
        .collect()
}

fn of_dependencies(workflow: &Workflow) -> impl Iterator<Item = SecretRef> {
    let contract = workflow.contract.iter();
    let dependencies = contract.flat_map(|contract| &contract.dependencies);
    dependencies.filter_map(|dependency| Some(dependency.auth.as_ref()?.secret.clone()))
}

fn of_triggers(
    workflow: &Workflow,
    counts: impl Fn(&TriggerKind) -> bool,
) -> impl Iterator<Item = SecretRef> {
    let kinds = workflow.triggers.iter().map(|trigger| &trigger.kind);
    kinds
        .filter(move |kind| counts(kind))
        .filter_map(of_trigger)
}

/// How much depends on a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The workflow does not work without it.
    Required,
    /// The engine warns and leaves out what needs it: a queue without its token is not listened to.
    Useful,
}

/// The inventory, with how much depends on each secret.
#[must_use]
pub fn needs(workflow: &Workflow) -> BTreeMap<SecretRef, Need> {
    let is_no_queue = |kind: &TriggerKind| !matches!(kind, TriggerKind::Queue(_));
    let required: BTreeSet<SecretRef> = of_dependencies(workflow)
        .chain(of_triggers(workflow, is_no_queue))
        .collect();
    let need = |secret: &SecretRef| {
        if required.contains(secret) {
            Need::Required
        } else {
            Need::Useful
        }
    };
    let all = inventory(workflow).into_iter();
    all.map(|secret| (secret.clone(), need(&secret))).collect()
}

/// The references of an inventory that a Secret's data does not hold: a service is one key, whose value is a JSON object
/// with the secrets' own keys, or any other text, which is the key `value`.
#[must_use]
pub fn missing<'r>(
    needed: impl IntoIterator<Item = &'r SecretRef>,
    data: &BTreeMap<String, Vec<u8>>,
) -> Vec<&'r SecretRef> {
    let needed = needed.into_iter();
    needed.filter(|secret| !holds(data, secret)).collect()
}

/// Services of a Secret's data that no dependency and no trigger names. Without a contract nobody knows what is used.
#[must_use]
pub fn unused<'d>(workflow: &Workflow, data: &'d BTreeMap<String, Vec<u8>>) -> Vec<&'d str> {
    if workflow.contract.is_none() {
        return Vec::new();
    }
    let used = inventory(workflow);
    let is_used = |name: &str| used.iter().any(|secret| secret.service() == name);
    let names = data.keys().map(String::as_str);
    names.filter(|name| !is_used(name)).collect()
}

fn holds(data: &BTreeMap<String, Vec<u8>>, secret: &SecretRef) -> bool {
    data.get(secret.service())
        .is_some_and(|content| keys(content).contains(secret.key()))
}

/// The secret that the engine needs for a trigger.
#[must_use]
pub fn of_trigger(kind: &TriggerKind) -> Option<SecretRef> {
    match kind {
        TriggerKind::Queue(_) => Some(SecretRef::known("nats", "token")),
        TriggerKind::Webhook(Webhook::GitHub { .. }) => {
            Some(SecretRef::known("github", "webhook_secret"))
        }
        TriggerKind::Webhook(Webhook::Verified(_, verification)) => {
            Some(verification.secret.clone())
        }
        TriggerKind::Webhook(Webhook::Path(_)) | TriggerKind::Manual | TriggerKind::Cron { .. } => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(service: &str, value: &str) -> BTreeMap<String, Vec<u8>> {
        BTreeMap::from([(service.to_owned(), value.as_bytes().to_vec())])
    }

    #[test]
    fn a_secret_is_looked_for_inside_its_services_value() {
        let token = SecretRef::known("github", "token");
        let of = |value: &str| missing([&token], &data("github", value)).len();
        assert_eq!(of(r#"{"token": "t"}"#), 0);
        assert_eq!(of(r#"{"other": "t"}"#), 1);
        assert_eq!(of("plain text"), 1);
        assert_eq!(missing([&token], &data("slack", "{}")).len(), 1);
    }

    #[test]
    fn plain_text_is_the_key_value() {
        let value = SecretRef::known("github", "value");
        assert!(missing([&value], &data("github", "plain text")).is_empty());
    }

    #[test]
    fn what_nothing_names_is_unused_once_there_is_a_contract() {
        let yaml =
            "name: a\nversion: \"1.0\"\ntriggers: [{type: manual}]\nnodes: {n: {path: n.ts}}\n";
        let parse = |contract: &str| {
            let files = [
                ("workflow.yaml", format!("{yaml}{contract}")),
                ("n.ts", String::new()),
            ];
            let project = crate::project::Project::from_files(files);
            crate::workflow::parse(&project)
                .expect("a workflow")
                .workflow
        };
        let mut found = data("github", "{}");
        found.extend(data("ssh", "x"));
        let contract = "contract:\n  version: \"1\"\n  dependencies:\n    g: {protocol: https, host: a.example.com, auth: {type: bearer-token, secret: github.token}}\n";
        assert_eq!(unused(&parse(contract), &found), ["ssh"]);
        assert!(unused(&parse(""), &found).is_empty());
    }
}
