//! The single looks at a cluster that a preflight is made of.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::api::node::v1::RuntimeClass;
use kube::ResourceExt;
use kube::api::Api;
use tntc_core::contract::SecretRef;
use tntc_core::derive::secrets::{self, Need};
use tntc_core::manifests::code::MAX_BYTES;
use tntc_core::values::ImageReference;

use crate::cluster::client::errors;
use crate::cluster::{Cluster, objects};
use crate::outcome::{Check, CheckStatus, ErrorKind};

/// The oldest minor version of Kubernetes 1 in which everything that is applied is on by default: CronJobs with a time
/// zone and strict field validation came with 1.27, a Job's `podFailurePolicy` with 1.26.
const OLDEST_MINOR: u32 = 27;

/// The way out where `-n` counts, which is not so in a live test.
pub const ANOTHER_NAMESPACE: &str = "or name another one with -n";

/// Label by which a namespace says which Pod Security Standard it enforces.
const POD_SECURITY: &str = "pod-security.kubernetes.io/enforce";

/// The secrets of a workflow, and the Secret that is about to hold them.
pub struct WantedSecrets<'a> {
    /// Name of the Secret.
    pub name: String,
    /// What must be in it.
    pub needs: &'a BTreeMap<SecretRef, Need>,
    /// What will be applied; without it, the cluster's own Secret is looked at.
    pub provisioned: Option<&'a Secret>,
}

/// Whether the API answers, in a version that knows everything that is applied.
pub async fn api(cluster: &Cluster) -> Check {
    match cluster.client.apiserver_version().await {
        Ok(version) if minor(&version.minor) < OLDEST_MINOR => Check::new(
            "api",
            CheckStatus::Fail,
            format!("Kubernetes {} is too old", version.git_version),
        )
        .remedy(format!(
            "use a cluster of version 1.{OLDEST_MINOR} or newer"
        )),
        Ok(version) => Check::new(
            "api",
            CheckStatus::Pass,
            format!("Kubernetes API reachable ({})", version.git_version),
        ),
        Err(cause) => errors::tell("reading the version", cause).into_check("api"),
    }
}

/// Whether the image that triggers workflows, and so sees their results, is the same tomorrow. Nothing to say where it is.
pub fn trigger_image(image: &ImageReference) -> Option<Check> {
    let check = Check::new(
        "trigger-image",
        CheckStatus::Warn,
        format!("The trigger image {image} has no digest: it may be another one tomorrow"),
    );
    let remedy = "set `trigger_image` in the config file to the image with its digest, as in curlimages/curl@sha256:…";
    (!image.is_pinned()).then(|| check.remedy(remedy))
}

/// Some providers write `27+`. What is no number at all is newer than this rule.
fn minor(text: &str) -> u32 {
    text.trim_end_matches('+').parse().unwrap_or(u32::MAX)
}

/// Whether the namespace exists and stays, and which Pod Security Standard it enforces.
pub async fn namespace(cluster: &Cluster, name: &str) -> Vec<Check> {
    let api: Api<Namespace> = Api::all(cluster.client.clone());
    match api.get_opt(name).await {
        Ok(Some(found)) if found.metadata.deletion_timestamp.is_some() => vec![
            Check::new(
                "namespace",
                CheckStatus::Fail,
                format!("Namespace \"{name}\" is being deleted"),
            )
            .remedy("wait until it is gone, then create it again"),
        ],
        Ok(Some(found)) => vec![
            Check::new(
                "namespace",
                CheckStatus::Pass,
                format!("Namespace \"{name}\" exists"),
            ),
            pod_security(cluster, &found),
        ],
        Ok(None) => vec![
            Check::new(
                "namespace",
                CheckStatus::Fail,
                format!("Namespace \"{name}\" not found"),
            )
            .remedy(format!(
                "Create namespace: {}",
                cluster.followup.kubectl(format!("create namespace {name}"))
            ))
            .remedy(ANOTHER_NAMESPACE),
        ],
        Err(cause) => vec![not_allowed_to_look(
            "namespace",
            &format!("Namespace \"{name}\""),
            cause,
        )],
    }
}

/// Every pod of ours passes `restricted`, so no level refuses them.
fn pod_security(cluster: &Cluster, namespace: &Namespace) -> Check {
    let level = namespace
        .labels()
        .get(POD_SECURITY)
        .map_or("privileged", String::as_str);
    let message = format!("Pod Security level \"{level}\" admits the workflow's pods");
    let check = Check::new("pod-security", CheckStatus::Pass, message);
    if level == "restricted" {
        check
    } else {
        let name = namespace.name_any();
        let label = format!("label namespace {name} {POD_SECURITY}=restricted");
        check.remedy(format!(
            "Enforce the level that they pass: {}",
            cluster.followup.kubectl(label)
        ))
    }
}

/// Whether the sandbox exists; nothing when none is asked for.
pub async fn runtime_class(cluster: &Cluster, name: Option<&str>) -> Option<Check> {
    let name = name?;
    let api: Api<RuntimeClass> = Api::all(cluster.client.clone());
    let shown = match name {
        "gvisor" => "gVisor RuntimeClass".to_owned(),
        other => format!("RuntimeClass \"{other}\""),
    };
    Some(match api.get_opt(name).await {
        Ok(Some(_)) => Check::new(
            "runtime-class",
            CheckStatus::Pass,
            format!("{shown} available"),
        ),
        Ok(None) => Check::new(
            "runtime-class",
            CheckStatus::Fail,
            format!("{shown} not found"),
        )
        .remedy("Install it, or run without a sandbox: --runtime-class \"\""),
        Err(cause) => not_allowed_to_look("runtime-class", &shown, cause),
    })
}

/// Both kinds are cluster-wide, so a user who may deploy to one namespace may not see them; applying tells the rest.
fn not_allowed_to_look(check: &'static str, what: &str, cause: kube::Error) -> Check {
    match &cause {
        kube::Error::Api(status) if status.code == 403 => Check::new(
            check,
            CheckStatus::Unknown,
            format!("{what} is not known: forbidden, this user cannot get it"),
        ),
        _ => errors::tell(&format!("looking for {what}"), cause).into_check(check),
    }
}

/// Every key that the workflow reads; nothing when it reads none.
pub async fn secrets(
    cluster: &Cluster,
    namespace: &str,
    wanted: Option<&WantedSecrets<'_>>,
) -> Option<Check> {
    let wanted = wanted.filter(|wanted| !wanted.needs.is_empty())?;
    if let Some(provisioned) = wanted.provisioned {
        return Some(judge(namespace, wanted, &data(provisioned)));
    }
    let api: Api<Secret> = objects::api(cluster, namespace);
    Some(match api.get_opt(&wanted.name).await {
        Ok(Some(found)) => judge(namespace, wanted, &data(&found)),
        Ok(None) => absent(cluster, namespace, wanted),
        Err(cause) => not_allowed_to_look("secrets", &format!("Secret \"{}\"", wanted.name), cause),
    })
}

/// A Secret's data, whichever of the two fields carries it.
pub fn data(secret: &Secret) -> BTreeMap<String, Vec<u8>> {
    let bytes = secret
        .data
        .iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.0.clone()));
    let text = secret.string_data.iter().flatten();
    bytes
        .chain(text.map(|(key, value)| (key.clone(), value.clone().into_bytes())))
        .collect()
}

fn absent(cluster: &Cluster, namespace: &str, wanted: &WantedSecrets<'_>) -> Check {
    let all: Vec<_> = wanted.needs.keys().collect();
    let check = Check {
        message: format!("Secret \"{}\" not found", wanted.name),
        ..incomplete(namespace, wanted, &all)
    };
    let services: std::collections::BTreeSet<_> =
        all.iter().map(|secret| secret.service()).collect();
    let files: Vec<_> = services
        .iter()
        .map(|service| format!("--from-file={service}=FILE"))
        .collect();
    let create = cluster.followup.kubectl(format!(
        "create secret generic {} -n {namespace} {}",
        wanted.name,
        files.join(" ")
    ));
    Check {
        remedies: vec![
            format!("Create secret: {create}"),
            "or deploy with a .secrets.yaml: tntc secrets init".to_owned(),
        ],
        ..check
    }
}

fn judge(namespace: &str, wanted: &WantedSecrets<'_>, data: &BTreeMap<String, Vec<u8>>) -> Check {
    let missing = secrets::missing(wanted.needs.keys(), data);
    if missing.is_empty() {
        let keys = if wanted.needs.len() == 1 {
            "key"
        } else {
            "keys"
        };
        let message = format!(
            "Secret \"{}\" has the {} {keys} needed",
            wanted.name,
            wanted.needs.len()
        );
        return Check::new("secrets", CheckStatus::Pass, message);
    }
    incomplete(namespace, wanted, &missing)
}

/// A failure when the workflow cannot do without one of the missing keys; the fault is then the workflow's own.
fn incomplete(namespace: &str, wanted: &WantedSecrets<'_>, missing: &[&SecretRef]) -> Check {
    let required = |secret: &&SecretRef| wanted.needs.get(*secret) == Some(&Need::Required);
    let status = if missing.iter().any(required) {
        CheckStatus::Fail
    } else {
        CheckStatus::Warn
    };
    let keys: Vec<_> = missing.iter().map(ToString::to_string).collect();
    let check = Check::new(
        "secrets",
        status,
        format!("Secret \"{}\" lacks {}", wanted.name, keys.join(", ")),
    );
    let source = if wanted.provisioned.is_some() {
        "Add them to the workflow's local secrets: tntc secrets check".to_owned()
    } else {
        format!("Add them to .secrets.yaml and deploy, or edit the Secret in namespace {namespace}")
    };
    Check {
        fault: ErrorKind::Failed,
        ..check.remedy(source)
    }
}

/// Files that fit: those that do not are refused before any plan is made.
pub fn code_size(bytes: usize) -> Check {
    let message = format!(
        "Workflow files fit into a ConfigMap ({} of {} KiB)",
        bytes.div_ceil(1024),
        MAX_BYTES / 1024
    );
    Check::new("config-map", CheckStatus::Pass, message)
}

/// Policies are objects like any other to the API server: who enforces them is not to be read there.
pub fn enforcement_unknown(cluster: &Cluster, namespace: &str) -> Check {
    let probe = format!("cluster check --probe -n {namespace}");
    let probe = cluster.followup.tntc(probe);
    Check::new(
        "network-policy",
        CheckStatus::Unknown,
        "Whether network policies are enforced cannot be read from the API",
    )
    .remedy(format!("Prove it with two short-lived pods: {probe}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minor_version_may_carry_a_plus() {
        assert_eq!(
            [minor("34"), minor("27+"), minor("next")],
            [34, 27, u32::MAX]
        );
    }
}
