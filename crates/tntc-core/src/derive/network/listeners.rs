//! The ports that the engine listens on: one for each kind of caller, as a NetworkPolicy knows ports and no paths.

use crate::workflow::{Namespace, Port, TriggerKind, Workflow};

/// Who a port is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Listener {
    /// Trigger pods, which may run the workflow, and the kubelet's probes.
    Run,
    /// Senders of webhooks: everybody. Nothing else is served there, so that no signature can be gone around.
    Webhooks,
    /// Whoever collects metrics, who may not run the workflow.
    Metrics,
}

impl Listener {
    /// The TCP port, in the pod and on the Service.
    #[must_use]
    pub const fn port(self) -> Port {
        Port::known(match self {
            Self::Run => 8080,
            Self::Webhooks => 8081,
            Self::Metrics => 8082,
        })
    }

    /// The port's name, in the pod and on the Service.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "http",
            Self::Webhooks => "webhook",
            Self::Metrics => "metrics",
        }
    }
}

/// The ports of this workflow, in ascending order. Metrics have one where a namespace may read them.
#[must_use]
pub fn listeners(workflow: &Workflow, metrics: Option<&Namespace>) -> Vec<Listener> {
    let webhooks = has_webhooks(workflow).then_some(Listener::Webhooks);
    let metrics = metrics.map(|_| Listener::Metrics);
    std::iter::once(Listener::Run)
        .chain(webhooks)
        .chain(metrics)
        .collect()
}

/// Whether there is a webhook trigger.
#[must_use]
pub fn has_webhooks(workflow: &Workflow) -> bool {
    workflow
        .triggers
        .iter()
        .any(|trigger| matches!(trigger.kind, TriggerKind::Webhook(_)))
}
