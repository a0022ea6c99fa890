//! Object by object: what is planned beside what is there.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use super::diff::Differ;
use super::{Compared, Finding, Found, Kind, name, rules};
use crate::derive::secrets;
use crate::manifests::secret::SALT;
use crate::manifests::{Plan, code, labels};

/// Stands for a Secret's value, which is never shown.
const REDACTED: &str = "<redacted>";

/// Compares every object of the plan, and names those that nobody planned.
#[must_use]
pub fn compare(plan: &Plan, found: &Found) -> Vec<Compared> {
    let mut compared: Vec<_> = secret(plan, found).into_iter().collect();
    compared.push(config_map(plan, found));
    compared.extend(network_policies(plan, found));
    compared.push(service(plan, found));
    compared.push(deployment(plan, found));
    compared.extend(cron_jobs(plan, found));
    compared
}

fn absent() -> Vec<Finding> {
    vec![Finding::missing("", Value::Null)]
}

/// The labels that are ours must be there as they are; others may add their own.
fn own_labels(expected: &ObjectMeta, actual: &ObjectMeta) -> Vec<Finding> {
    let labels = |metadata: &ObjectMeta| json!(metadata.labels.clone().unwrap_or_default());
    Differ::subset().compare("metadata.labels", &labels(expected), &labels(actual))
}

/// Keys against the inventory, service by service; values only where the local ones are known. Nothing when there is no
/// Secret and none is needed.
fn secret(plan: &Plan, found: &Found) -> Option<Compared> {
    let name = crate::manifests::secret::name(name(&plan.deployment.metadata));
    let object = format!("Secret/{name}");
    let data = |secret: &Secret| {
        let mut data = crate::manifests::secret::data(secret);
        data.remove(SALT);
        data
    };
    let provisioned = plan.secret.as_ref().map(data).unwrap_or_default();
    let Some(actual) = found.secret.as_ref().map(data) else {
        let needed = !plan.secret_needs.is_empty() || plan.secret.is_some();
        return needed.then(|| Compared::new(object, absent()));
    };
    let missing = secrets::missing(plan.secret_needs.keys(), &actual).into_iter();
    // A service that is missing as a whole is told by the values that are provisioned.
    let whole = |service: &str| provisioned.contains_key(service) && !actual.contains_key(service);
    let mut findings: Vec<_> = missing
        .filter(|secret| !whole(secret.service()))
        .map(|secret| {
            Finding::missing(
                format!("data.{}", secret.service()),
                json!(secret.to_string()),
            )
        })
        .collect();
    findings.extend(
        provisioned
            .iter()
            .filter_map(|(key, value)| value_differs(key, value, &actual)),
    );
    findings.extend(unneeded(plan, &provisioned, &actual));
    Some(Compared::new(object, findings))
}

fn value_differs(key: &str, value: &[u8], actual: &BTreeMap<String, Vec<u8>>) -> Option<Finding> {
    let path = format!("data.{key}");
    match actual.get(key) {
        Some(actual) if actual == value => None,
        Some(_) => Some(Finding::new(
            Kind::Changed,
            path,
            json!(REDACTED),
            json!(REDACTED),
        )),
        None => Some(Finding::missing(path, json!(REDACTED))),
    }
}

/// A workflow without a contract may read any secret, so none is too many.
fn unneeded(
    plan: &Plan,
    provisioned: &BTreeMap<String, Vec<u8>>,
    actual: &BTreeMap<String, Vec<u8>>,
) -> Vec<Finding> {
    if plan.network_policy.is_none() {
        return Vec::new();
    }
    let needed: BTreeSet<_> = plan
        .secret_needs
        .keys()
        .map(crate::contract::SecretRef::service)
        .collect();
    let unneeded = actual
        .keys()
        .filter(|key| !needed.contains(key.as_str()) && !provisioned.contains_key(*key));
    unneeded
        .map(|key| Finding::extra(format!("data.{key}"), json!(REDACTED)))
        .collect()
}

/// Further keys are no difference: pods of an earlier deploy may still be using them, and nothing mounts the others.
fn config_map(plan: &Plan, found: &Found) -> Compared {
    let expected = &plan.config_map;
    let object = format!("ConfigMap/{}", name(&expected.metadata));
    let Some(actual) = &found.config_map else {
        return Compared::new(object, absent());
    };
    let mut findings = own_labels(&expected.metadata, &actual.metadata);
    let actual = code::contents(actual);
    for (key, content) in code::contents(expected) {
        let path = format!("data.{key}");
        match actual.get(&key) {
            Some(found) if *found == content => {}
            Some(found) => findings.push(Finding::new(
                Kind::Changed,
                path,
                fingerprint(&content),
                fingerprint(found),
            )),
            None => findings.push(Finding::missing(path, fingerprint(&content))),
        }
    }
    Compared::new(object, findings)
}

/// A file is too long to be shown.
fn fingerprint(content: &[u8]) -> Value {
    use sha2::{Digest, Sha256};
    let hash = crate::manifests::code::short_hex(&Sha256::digest(content));
    json!(format!("{} bytes, sha256 {hash}…", content.len()))
}

fn network_policies(plan: &Plan, found: &Found) -> Vec<Compared> {
    let workflow = name(&plan.deployment.metadata);
    let own = [
        (
            crate::manifests::network_policy::name(workflow),
            &plan.network_policy,
        ),
        (
            crate::manifests::network_policy::trigger_name(workflow),
            &plan.trigger_policy,
        ),
    ];
    let compared = own
        .iter()
        .filter_map(|(name, expected)| own_policy(name, expected.as_ref(), found));
    let mut compared: Vec<_> = compared.collect();
    if plan.network_policy.is_some() {
        let is_own = |policy: &NetworkPolicy| own.iter().any(|it| it.0 == name(&policy.metadata));
        let others = found.network_policies.iter().filter(|it| !is_own(it));
        let opening = others.filter(|policy| rules::opens(policy, &pod_labels(plan)));
        compared.extend(opening.map(|policy| {
            Compared::new(
                format!("NetworkPolicy/{}", name(&policy.metadata)),
                vec![Finding::extra("", json!(policy.spec))],
            )
        }));
    }
    compared
}

/// Nothing when it is neither planned nor there.
fn own_policy(own: &str, expected: Option<&NetworkPolicy>, found: &Found) -> Option<Compared> {
    let mut policies = found.network_policies.iter();
    let actual = policies.find(|policy| name(&policy.metadata) == own);
    let findings = match (expected, actual) {
        (Some(_), None) => absent(),
        (Some(expected), Some(actual)) => policy(expected, actual),
        (None, Some(actual)) => vec![Finding::extra("", json!(actual.spec))],
        (None, None) => return None,
    };
    Some(Compared::new(format!("NetworkPolicy/{own}"), findings))
}

fn pod_labels(plan: &Plan) -> BTreeMap<String, String> {
    let template = plan.deployment.spec.as_ref().map(|spec| &spec.template);
    let metadata = template.and_then(|template| template.metadata.as_ref());
    metadata
        .and_then(|metadata| metadata.labels.clone())
        .unwrap_or_default()
}

fn policy(expected: &NetworkPolicy, actual: &NetworkPolicy) -> Vec<Finding> {
    let mut findings = own_labels(&expected.metadata, &actual.metadata);
    let hosts = |policy: &NetworkPolicy| {
        let annotations = policy.metadata.annotations.as_ref();
        json!(annotations.and_then(|all| all.get(labels::INTENDED_HOSTS)))
    };
    if hosts(expected) != hosts(actual) {
        findings.push(Finding::new(
            Kind::Changed,
            format!("metadata.annotations.{}", labels::INTENDED_HOSTS),
            hosts(expected),
            hosts(actual),
        ));
    }
    findings.extend(rules::compare(expected, actual));
    findings
}

fn service(plan: &Plan, found: &Found) -> Compared {
    let expected = &plan.service;
    let object = format!("Service/{}", name(&expected.metadata));
    let Some(actual) = &found.service else {
        return Compared::new(object, absent());
    };
    let mut findings = own_labels(&expected.metadata, &actual.metadata);
    findings.extend(Differ::strict().compare("spec", &json!(expected.spec), &json!(actual.spec)));
    Compared::new(object, findings)
}

fn deployment(plan: &Plan, found: &Found) -> Compared {
    let expected = &plan.deployment;
    let object = format!("Deployment/{}", name(&expected.metadata));
    let Some(actual) = &found.deployment else {
        return Compared::new(object, absent());
    };
    let mut findings = own_labels(&expected.metadata, &actual.metadata);
    findings.extend(Differ::strict().compare("spec", &json!(expected.spec), &json!(actual.spec)));
    Compared::new(object, findings)
}

fn cron_jobs(plan: &Plan, found: &Found) -> Vec<Compared> {
    let object = |job: &CronJob| format!("CronJob/{}", name(&job.metadata));
    let of_name = |jobs: &[CronJob], wanted: &CronJob| {
        jobs.iter()
            .find(|job| name(&job.metadata) == name(&wanted.metadata))
            .cloned()
    };
    let planned = plan.cron_jobs.iter().map(|expected| {
        let findings = of_name(&found.cron_jobs, expected).map_or_else(absent, |actual| {
            let mut findings = own_labels(&expected.metadata, &actual.metadata);
            findings.extend(Differ::strict().compare(
                "spec",
                &json!(expected.spec),
                &json!(actual.spec),
            ));
            findings
        });
        Compared::new(object(expected), findings)
    });
    let unplanned = found
        .cron_jobs
        .iter()
        .filter(|job| of_name(&plan.cron_jobs, job).is_none());
    let unplanned = unplanned.map(|job| {
        let schedule = job.spec.as_ref().map(|spec| spec.schedule.clone());
        Compared::new(object(job), vec![Finding::extra("", json!(schedule))])
    });
    planned.chain(unplanned).collect()
}
