//! What ends in a clean audit: a deploy puts back what it sends, and the rest is somebody else's to be removed.

use serde_json::{Value, json};

use super::{Compared, Found, Kind, name};
use crate::manifests::{Plan, network_policy, ownership};

/// The name under which a deploy's fields are booked.
const MANAGER: &str = "tntc";

/// What is to be done about differences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remedy {
    /// Objects that no deploy touches, as `kind name` for `kubectl delete`.
    pub delete: Vec<String>,
    /// Keys of a Secret that no deploy sends: name and key.
    pub remove_keys: Vec<(String, String)>,
    /// Whether something is to be deployed again.
    pub deploy: bool,
    /// Whether that takes `--force-conflicts`.
    pub force: bool,
}

/// What is to be done about these differences.
#[must_use]
pub fn remedy(plan: &Plan, found: &Found, compared: &[Compared]) -> Remedy {
    let mut remedy = Remedy::default();
    for object in compared.iter().filter(|object| !object.matches) {
        if is_foreign(plan, object) {
            let (kind, name) = object.object.split_once('/').unwrap_or_default();
            remedy
                .delete
                .push(format!("{} {name}", kind.to_lowercase()));
        } else if object.object.starts_with("Secret/") && plan.secret.is_none() {
            remedy.remove_keys.extend(added_keys(object));
        } else {
            remedy.deploy = true;
            remedy.force |= live(found, &object.object)
                .is_some_and(|live| ownership::is_contested(&live, MANAGER));
        }
    }
    remedy
}

/// Another policy that opens what ours closes. What is labelled as ours and not planned, a deploy deletes.
fn is_foreign(plan: &Plan, object: &Compared) -> bool {
    let workflow = name(&plan.deployment.metadata);
    let own = [
        network_policy::name(workflow),
        network_policy::trigger_name(workflow),
    ];
    let named = object.object.strip_prefix("NetworkPolicy/");
    named.is_some_and(|named| !own.iter().any(|own| own == named))
}

fn added_keys(object: &Compared) -> impl Iterator<Item = (String, String)> + '_ {
    let name = object.object.split_once('/').map(|(_, name)| name);
    let extra = object.findings.iter().filter(|it| it.kind == Kind::Extra);
    extra.filter_map(move |finding| {
        let key = finding.path.strip_prefix("data.")?;
        Some((name?.to_owned(), key.to_owned()))
    })
}

fn live(found: &Found, object: &str) -> Option<Value> {
    let (kind, named) = object.split_once('/')?;
    match kind {
        "Secret" => found.secret.as_ref().map(|it| json!(it)),
        "ConfigMap" => found.config_map.as_ref().map(|it| json!(it)),
        "Service" => found.service.as_ref().map(|it| json!(it)),
        "Deployment" => found.deployment.as_ref().map(|it| json!(it)),
        "NetworkPolicy" => {
            let mut policies = found.network_policies.iter();
            let policy = policies.find(|it| name(&it.metadata) == named);
            policy.map(|it| json!(it))
        }
        "CronJob" => {
            let mut jobs = found.cron_jobs.iter();
            let job = jobs.find(|it| name(&it.metadata) == named);
            job.map(|it| json!(it))
        }
        _ => None,
    }
}
