//! What a live test does in the cluster.

use std::time::Duration;

use tntc_core::manifests::Plan;
use tokio::time::Instant;

use super::{evidence, once};
use crate::cluster::preflight::{self, checks};
use crate::cluster::{Cluster, apply, remove, rollout};
use crate::deploy::prepare::Prepared;
use crate::outcome::{Error, Execution, Result};
use crate::process::interrupt::Interrupt;
use crate::terminal::{Phases, Printer};

/// When a live test must be over, but for its cleaning up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    timeout: Duration,
}

impl Deadline {
    /// This long from now.
    pub fn after(timeout: Duration) -> Self {
        Self {
            at: Instant::now() + timeout,
            timeout,
        }
    }

    /// In whole seconds, as messages tell it, and never none.
    fn left(self) -> Duration {
        let left = self.at.saturating_duration_since(Instant::now());
        Duration::from_secs(left.as_secs() + 1)
    }

    async fn bounds<T>(self, step: impl Future<Output = Result<T>>) -> Result<T> {
        let done = tokio::time::timeout_at(self.at, Box::pin(step)).await;
        done.unwrap_or_else(|_| {
            let seconds = self.timeout.as_secs();
            let error = Error::failed(format!("the live test took longer than {seconds}s"));
            Err(error.hint("give it more time with --timeout"))
        })
    }
}

/// What a signal ends a live test with.
pub(super) const INTERRUPTED: &str = "interrupted";

/// Everything of one live test that exists only while it runs.
pub(super) struct Attempt<'a> {
    pub cluster: &'a Cluster,
    pub prepared: &'a Prepared,
    pub plan: &'a Plan,
    /// Name of the Deployment, which is not the workflow's.
    pub name: &'a str,
    /// Name of the environment that it runs in.
    pub environment: &'a str,
    /// Whether missing secrets only warn.
    pub lenient: bool,
    pub deadline: Deadline,
}

impl Attempt<'_> {
    /// Looks whether everything is there that it needs.
    pub async fn check(
        &self,
        phases: &mut Phases<'_>,
        interrupt: &mut Interrupt,
        printer: &Printer,
    ) -> Result<()> {
        let checked = preflight::require(self.cluster, self.plan, self.lenient);
        let checked = interrupt.unless(INTERRUPTED, self.deadline.bounds(checked));
        let checked = phases.run("preflight", checked).await;
        let warnings = checked.map_err(|error| self.in_its_environment(error))?;
        for warning in warnings {
            printer.warn(warning);
        }
        Ok(())
    }

    /// A live test's namespace is that of its environment.
    fn in_its_environment(&self, mut error: Error) -> Error {
        for hint in &mut error.hints {
            if hint == checks::ANOTHER_NAMESPACE {
                *hint = format!(
                    "or name another one as `namespace` of environments.{} in the config file",
                    self.environment
                );
            }
        }
        error
    }

    /// Deploys, waits and runs once; the result.
    ///
    /// Ctrl-C ends every step but the applying, which is short: what was sent and not answered could come into being
    /// after the cleaning up.
    pub async fn run(
        &self,
        phases: &mut Phases<'_>,
        interrupt: &mut Interrupt,
    ) -> Result<Execution> {
        let applied = apply::all(self.cluster, self.plan, false, apply::Options::default());
        let applied = phases.run("apply", self.deadline.bounds(applied)).await?;
        // The last two know why they waited in vain, so they keep to the deadline themselves.
        let complete = rollout::wait(self.cluster, &applied.deployment, self.deadline.left());
        let complete = interrupt.unless(INTERRUPTED, complete);
        phases.run("rollout", complete).await?;
        phases.run("run", self.trigger()).await
    }

    /// Removes its own pod, also when interrupted.
    async fn trigger(&self) -> Result<Execution> {
        let left = self.deadline.left();
        let result = once::run(self.cluster, self.prepared, self.name, left).await?;
        once::require_success(result)
    }

    /// With what is about to be cleaned up.
    pub async fn with_evidence(&self, error: Error) -> Error {
        let namespace = self.prepared.namespace.as_str();
        evidence::added(self.cluster, namespace, self.name, error).await
    }

    /// Removes everything that was deployed.
    ///
    /// The test is over when its objects are gone: an idle engine serves on for two seconds, which nobody waits for.
    pub async fn clean_up(&self, pods: remove::Pods) -> Result<()> {
        let namespace = self.prepared.namespace.as_str();
        let mut removal = remove::plan(self.cluster, namespace, self.name, false).await?;
        let left = remove::execute(self.cluster, namespace, self.name, &mut removal, pods);
        left.await.map(drop)
    }

    /// For whoever is left with what a live test deployed.
    pub fn how_to_remove(&self) -> String {
        let name = self.name;
        let undeploy = format!("undeploy {name} -n {} --yes", self.prepared.namespace);
        let undeploy = self.cluster.followup.tntc(undeploy);
        format!("kept as {name}; remove it with: {undeploy}")
    }
}
