//! Whether the user may do what is needed: one review of all their rules, and single reviews only where that is not enough.

use futures::future::join_all;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, ResourceRule, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
    SelfSubjectRulesReview, SelfSubjectRulesReviewSpec,
};
use kube::api::{Api, PostParams};
use tntc_core::observe::permissions::{self, Need, Right, grouped};

use super::user;
use crate::cluster::Cluster;
use crate::cluster::client::errors;
use crate::outcome::followup::quoted;
use crate::outcome::{Check, CheckStatus};

/// Whether this user may do all of that in the namespace.
pub async fn check(cluster: &Cluster, namespace: &str, rights: &[Right]) -> Check {
    match missing(cluster, namespace, rights).await {
        Ok(missing) if missing.is_empty() => Check::new(
            "permissions",
            CheckStatus::Pass,
            format!("Permissions in namespace \"{namespace}\" are sufficient"),
        ),
        Ok(missing) => {
            let user = user::name(cluster).await.unwrap_or_default();
            let user = if user.is_empty() { "USER" } else { &user };
            // Without the context of this call, which has just been shown not to suffice.
            let fix = format!(
                "tntc cluster check --fix --for {} -n {namespace}",
                quoted(user)
            );
            Check::new(
                "permissions",
                CheckStatus::Fail,
                format!(
                    "Permissions missing in namespace \"{namespace}\": {}",
                    grouped(&missing)
                ),
            )
            .remedy(format!("Have an administrator grant them: {fix}"))
            .remedy("or use a context that has them (--context)")
        }
        Err(cause) => errors::tell("asking for permissions", cause).into_check("permissions"),
    }
}

async fn missing(
    cluster: &Cluster,
    namespace: &str,
    rights: &[Right],
) -> Result<Vec<Need>, kube::Error> {
    let (rules, incomplete) = granted(cluster, namespace).await?;
    let open = permissions::missing(&rules, rights);
    // An authorizer that cannot list its rules, such as a webhook, can still be asked about each.
    if !incomplete || open.is_empty() {
        return Ok(open);
    }
    let reviews = open.iter().map(|need| allowed(cluster, namespace, *need));
    let mut refused = Vec::new();
    for (need, allowed) in open.iter().zip(join_all(reviews).await) {
        if !allowed? {
            refused.push(*need);
        }
    }
    Ok(refused)
}

/// The rules that apply to this user, and whether there may be more.
async fn granted(
    cluster: &Cluster,
    namespace: &str,
) -> Result<(Vec<ResourceRule>, bool), kube::Error> {
    let api: Api<SelfSubjectRulesReview> = Api::all(cluster.client.clone());
    let review = SelfSubjectRulesReview {
        spec: SelfSubjectRulesReviewSpec {
            namespace: Some(namespace.to_owned()),
        },
        ..SelfSubjectRulesReview::default()
    };
    let status = match api.create(&PostParams::default(), &review).await {
        Ok(answer) => answer.status.unwrap_or_default(),
        // Who may not list their rules may still ask about each.
        Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404) => {
            return Ok((Vec::new(), true));
        }
        Err(cause) => return Err(cause),
    };
    Ok((status.resource_rules, status.incomplete))
}

async fn allowed(cluster: &Cluster, namespace: &str, need: Need) -> Result<bool, kube::Error> {
    let (resource, subresource) = match need.right.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (need.right.resource, None),
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                namespace: Some(namespace.to_owned()),
                group: Some(need.right.group.to_owned()),
                resource: Some(resource.to_owned()),
                subresource,
                verb: Some(need.verb.to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(cluster.client.clone());
    let answer = api.create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}
