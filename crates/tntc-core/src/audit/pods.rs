//! What the running pods have loaded, beside what is planned.

use k8s_openapi::api::core::v1::{Pod, Secret};
use serde_json::json;

use super::{Compared, Finding, Found, Kind, name};
use crate::manifests::Plan;
use crate::manifests::loaded::{Difference, Held, Loaded};
use crate::manifests::secret::SALT;

/// Compares what each pod reports to have loaded with what is planned; where secrets are not, with what the cluster has.
#[must_use]
pub fn pods<'a>(
    plan: &Plan,
    found: &Found,
    reports: impl IntoIterator<Item = (&'a Pod, &'a Loaded)>,
) -> Vec<Compared> {
    let held = Held {
        config_map: Some(plan.config_map.clone()),
        secret: wanted_secret(plan, found).map(Some),
    };
    let finding = |difference: Difference| {
        let path = format!("loaded {}", difference.what());
        let expected = match difference {
            Difference::Code => "that of the ConfigMap",
            Difference::Secrets => "those of the Secret",
        };
        Finding::new(Kind::Changed, path, json!(expected), json!("other"))
    };
    let compared = |(pod, loaded): (&Pod, &Loaded)| {
        let differences = held.differences(pod, loaded).into_iter();
        Compared::new(
            format!("Pod/{}", name(&pod.metadata)),
            differences.map(finding).collect(),
        )
    };
    reports.into_iter().map(compared).collect()
}

/// Without the Secret and its salt there is nothing to compare with; that it is missing is a difference of its own.
fn wanted_secret(plan: &Plan, found: &Found) -> Option<Secret> {
    let mut secret = found.secret.clone()?;
    let Some(planned) = &plan.secret else {
        return Some(secret);
    };
    let mut data = planned.data.clone().unwrap_or_default();
    let salt = secret.data.take()?.remove(SALT)?;
    data.insert(SALT.to_owned(), salt);
    Some(Secret {
        data: Some(data),
        ..secret
    })
}
