//! The secrets that a workflow needs.

use std::collections::BTreeSet;

use super::SecretRef;
use crate::workflow::{TriggerKind, Webhook, Workflow};

/// The secrets that the contract's dependencies name, and those that the engine itself needs for the triggers:
/// `nats.token` for a queue, `github.webhook_secret` for a webhook of GitHub.
#[must_use]
pub fn inventory(workflow: &Workflow) -> BTreeSet<SecretRef> {
    let dependencies = workflow
        .contract
        .iter()
        .flat_map(|contract| &contract.dependencies);
    let declared = dependencies
        .filter_map(|dependency| dependency.auth.as_ref())
        .map(|auth| auth.secret.clone());
    let needed = workflow
        .triggers
        .iter()
        .filter_map(|trigger| of_trigger(&trigger.kind));
    declared.chain(needed).collect()
}

/// The secret that the engine needs for a trigger.
pub(crate) fn of_trigger(kind: &TriggerKind) -> Option<SecretRef> {
    match kind {
        TriggerKind::Queue(_) => Some(SecretRef::known("nats", "token")),
        TriggerKind::Webhook(Webhook::GitHub { .. }) => {
            Some(SecretRef::known("github", "webhook_secret"))
        }
        TriggerKind::Webhook(Webhook::Path(_)) | TriggerKind::Manual | TriggerKind::Cron { .. } => {
            None
        }
    }
}
