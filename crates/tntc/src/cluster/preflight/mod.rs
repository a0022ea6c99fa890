//! Is everything there that a deployment needs? Every check runs, all at once, and all failures are told together.

pub mod checks;
pub mod fix;
pub mod outside;
pub mod probe;
pub mod rights;
pub mod user;

use tntc_core::derive::network::Outside;
use tntc_core::manifests::Plan;
use tntc_core::observe::permissions::{self, Right};

use super::Cluster;
use crate::outcome::{Check, CheckStatus, Error, ErrorKind, Result};
use checks::WantedSecrets;

/// What a deployment needs of a cluster.
pub struct Wanted<'a> {
    /// Where it goes.
    pub namespace: &'a str,
    /// The sandbox of its pod.
    pub runtime_class: Option<&'a str>,
    /// What the user must be allowed to do.
    pub rights: Vec<Right>,
    /// The secrets that the workflow reads, when there is a workflow.
    pub secrets: Option<WantedSecrets<'a>>,
    /// Whether the workflow's files fit into a ConfigMap, when there is a workflow.
    pub code: Option<Check>,
    /// What the workflow reaches outside the cluster.
    pub outside: &'a Outside,
}

impl<'a> Wanted<'a> {
    /// What this plan needs.
    pub fn by(plan: &'a Plan) -> Self {
        Self {
            namespace: plan
                .deployment
                .metadata
                .namespace
                .as_deref()
                .unwrap_or_default(),
            runtime_class: runtime_class(plan),
            rights: permissions::to_deploy(plan),
            secrets: Some(WantedSecrets {
                name: mounted_secret(plan).unwrap_or_default(),
                needs: &plan.secret_needs,
                provisioned: plan.secret.as_ref(),
            }),
            code: Some(checks::code_size(code_bytes(plan))),
            outside: &plan.outside,
        }
    }
}

/// A live test mounts the Secret of the workflow's own name.
fn mounted_secret(plan: &Plan) -> Option<String> {
    let template = &plan.deployment.spec.as_ref()?.template;
    let volumes = template.spec.as_ref()?.volumes.iter().flatten();
    volumes
        .filter_map(|volume| volume.secret.as_ref())
        .find_map(|secret| secret.secret_name.clone())
}

fn runtime_class(plan: &Plan) -> Option<&str> {
    let template = &plan.deployment.spec.as_ref()?.template;
    template.spec.as_ref()?.runtime_class_name.as_deref()
}

fn code_bytes(plan: &Plan) -> usize {
    let text = plan
        .config_map
        .data
        .iter()
        .flatten()
        .map(|(_, text)| text.len());
    let binary = plan
        .config_map
        .binary_data
        .iter()
        .flatten()
        .map(|(_, bytes)| bytes.0.len());
    text.chain(binary).sum()
}

/// Everything that was found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// In a fixed order.
    pub checks: Vec<Check>,
}

impl Report {
    /// Only what was looked for and is not there; a Secret that could not be read stays a failure.
    fn let_missing_secrets_warn(&mut self) {
        let missing = self.checks.iter_mut().filter(|check| {
            check.id == "secrets"
                && check.status == CheckStatus::Fail
                && check.fault == ErrorKind::Failed
        });
        missing.for_each(|check| check.status = CheckStatus::Warn);
    }

    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks
            .iter()
            .filter(|check| check.status == CheckStatus::Fail)
    }

    /// The gravest fault: surroundings before the workflow's own.
    pub fn fault(&self) -> Option<ErrorKind> {
        self.failures()
            .map(|check| check.fault)
            .max_by_key(|kind| kind.exit_status())
    }

    /// What to do about everything that did not pass.
    pub fn remedies(&self) -> Vec<String> {
        let open = self
            .checks
            .iter()
            .filter(|check| check.status != CheckStatus::Pass);
        open.flat_map(|check| check.remedies.clone()).collect()
    }

    /// Every check as lines.
    pub fn lines(&self) -> Vec<String> {
        self.checks.iter().flat_map(Check::lines).collect()
    }
}

/// Looks at everything at once; when the API cannot be reached, only that is told.
pub async fn look(cluster: &Cluster, wanted: &Wanted<'_>) -> Report {
    let (api, namespace, runtime_class, rights, secrets, outside) = futures::join!(
        checks::api(cluster),
        checks::namespace(cluster, wanted.namespace),
        checks::runtime_class(cluster, wanted.runtime_class),
        rights::check(cluster, wanted.namespace, &wanted.rights),
        checks::secrets(cluster, wanted.namespace, wanted.secrets.as_ref()),
        outside::checks(wanted.outside),
    );
    if api.status == CheckStatus::Fail {
        return Report { checks: vec![api] };
    }
    let mut checks = vec![api];
    checks.extend(namespace);
    checks.extend(runtime_class);
    checks.push(rights);
    checks.extend(secrets);
    checks.extend(wanted.code.clone());
    checks.extend(outside);
    checks.push(checks::enforcement_unknown(cluster, wanted.namespace));
    Report { checks }
}

/// Checks the surroundings of a plan; what is merely questionable comes back as warnings, with `lenient` also secrets
/// that are missing.
///
/// # Errors
/// Every failed check, in one error.
pub async fn require(cluster: &Cluster, plan: &Plan, lenient: bool) -> Result<Vec<String>> {
    let mut report = look(cluster, &Wanted::by(plan)).await;
    if lenient {
        report.let_missing_secrets_warn();
    }
    let Some(fault) = report.fault() else {
        let warned = report
            .checks
            .iter()
            .filter(|check| check.status == CheckStatus::Warn);
        return Ok(warned.map(Check::in_one_line).collect());
    };
    let failed: Vec<_> = report
        .failures()
        .map(|check| check.message.clone())
        .collect();
    let error = Error::new(fault, failed.join("; "));
    let hints = report.failures().flat_map(|check| check.remedies.clone());
    let mut error = hints.fold(error, Error::hint);
    error.evidence.checks = Some(report.checks);
    Err(error)
}
