//! Who asks.

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::api::{Api, PostParams};

use crate::cluster::Cluster;
use crate::cluster::client::errors;
use crate::outcome::Result;

/// Whom the API server takes us for.
pub async fn name(cluster: &Cluster) -> Result<String> {
    let api: Api<SelfSubjectReview> = Api::all(cluster.client.clone());
    let answer = api
        .create(&PostParams::default(), &SelfSubjectReview::default())
        .await;
    let answer = answer.map_err(|cause| errors::tell("asking who this user is", cause))?;
    let info = answer.status.and_then(|status| status.user_info);
    Ok(info.and_then(|info| info.username).unwrap_or_default())
}
