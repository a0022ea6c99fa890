//! What must be there before anything is applied.

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::node::v1::RuntimeClass;
use kube::ResourceExt;
use kube::api::Api;
use tntc_core::manifests::Plan;

use super::{Cluster, errors};
use crate::error::{Error, Result};

/// Checks the surroundings of a plan, all at once.
///
/// # Errors
/// The namespace or the RuntimeClass is missing, or the cluster cannot be asked.
pub async fn require(cluster: &Cluster, plan: &Plan) -> Result<()> {
    let namespace = plan.deployment.namespace().unwrap_or_default();
    let (namespace, runtime_class) = futures::join!(
        require_namespace(cluster, &namespace),
        require_runtime_class(cluster, runtime_class(plan))
    );
    namespace.and(runtime_class)
}

fn runtime_class(plan: &Plan) -> Option<&str> {
    plan.deployment
        .spec
        .as_ref()?
        .template
        .spec
        .as_ref()?
        .runtime_class_name
        .as_deref()
}

async fn require_namespace(cluster: &Cluster, name: &str) -> Result<()> {
    let api: Api<Namespace> = Api::all(cluster.client.clone());
    match api.get_opt(name).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(
            Error::surroundings(format!("namespace `{name}` does not exist"))
                .hint(format!("create it with: kubectl create namespace {name}"))
                .hint("or name another one with -n"),
        ),
        Err(cause) => not_allowed_to_look(cause, "looking for the namespace"),
    }
}

async fn require_runtime_class(cluster: &Cluster, name: Option<&str>) -> Result<()> {
    let Some(name) = name else { return Ok(()) };
    let api: Api<RuntimeClass> = Api::all(cluster.client.clone());
    match api.get_opt(name).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(
            Error::surroundings(format!("the cluster has no RuntimeClass `{name}`"))
                .hint("install it, or run without a sandbox: --runtime-class \"\""),
        ),
        Err(cause) => not_allowed_to_look(cause, "looking for the RuntimeClass"),
    }
}

/// Both kinds are cluster-wide, so a user who may deploy to one namespace may not see them; applying tells the rest.
fn not_allowed_to_look(cause: kube::Error, action: &str) -> Result<()> {
    match &cause {
        kube::Error::Api(status) if status.code == 403 => Ok(()),
        _ => Err(errors::tell(action, cause)),
    }
}
