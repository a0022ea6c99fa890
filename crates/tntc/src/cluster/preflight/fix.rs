//! What `cluster check --fix` creates: the namespace, and a Role with a RoleBinding for the user who asks, or for the one
//! that an administrator names with `--for`.
//!
//! Everything is created without being looked for first, so that the right to create it is the only one needed.

use std::collections::BTreeMap;
use std::fmt::Debug;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, PostParams};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tntc_core::manifests::labels;
use tntc_core::observe::permissions::{self, Right};

use crate::cluster::Cluster;
use crate::cluster::client::errors;
use crate::outcome::Result;

/// Name of the Role, and of the RoleBinding's first user.
const ROLE: &str = "tentacular-operator";

/// Creates the namespace, held to the Pod Security Standard that every pod of ours passes.
pub async fn namespace(cluster: &Cluster, name: &str) -> Result<Option<String>> {
    let restricted = (
        "pod-security.kubernetes.io/enforce".to_owned(),
        "restricted".to_owned(),
    );
    let namespace = Namespace {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(BTreeMap::from([restricted])),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    };
    let what = format!("namespace \"{name}\", which enforces Pod Security level \"restricted\"");
    create(&Api::all(cluster.client.clone()), &namespace, what).await
}

/// Grants the rights to a user, named as the API server names them: also a service account,
/// `system:serviceaccount:<namespace>:<name>`.
pub async fn permissions(
    cluster: &Cluster,
    namespace: &str,
    user: &str,
    wanted: &[Right],
) -> Result<Vec<String>> {
    let role = Role {
        metadata: metadata(ROLE, namespace),
        rules: Some(permissions::rules(wanted)),
    };
    let binding = RoleBinding {
        metadata: metadata(&binding_name(user), namespace),
        role_ref: RoleRef {
            api_group: "rbac.authorization.k8s.io".to_owned(),
            kind: "Role".to_owned(),
            name: ROLE.to_owned(),
        },
        subjects: Some(vec![subject(user)]),
    };
    let client = &cluster.client;
    let role = create(
        &Api::namespaced(client.clone(), namespace),
        &role,
        format!("Role \"{ROLE}\""),
    )
    .await?;
    let what = format!("RoleBinding \"{}\" for user \"{user}\"", binding_name(user));
    let binding = create(&Api::namespaced(client.clone(), namespace), &binding, what).await?;
    Ok(role.into_iter().chain(binding).collect())
}

fn subject(user: &str) -> Subject {
    let account = user.strip_prefix("system:serviceaccount:");
    match account.and_then(|account| account.split_once(':')) {
        Some((namespace, name)) => Subject {
            api_group: None,
            kind: "ServiceAccount".to_owned(),
            name: name.to_owned(),
            namespace: Some(namespace.to_owned()),
        },
        None => Subject {
            api_group: Some("rbac.authorization.k8s.io".to_owned()),
            kind: "User".to_owned(),
            name: user.to_owned(),
            namespace: None,
        },
    }
}

/// One RoleBinding a user; RBAC names may hold nearly anything but `/` and `%`.
fn binding_name(user: &str) -> String {
    format!("{ROLE}:{}", user.replace(['/', '%'], "-"))
}

fn metadata(name: &str, namespace: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(namespace.to_owned()),
        labels: Some(BTreeMap::from([(
            labels::MANAGED_BY.to_owned(),
            labels::MANAGER.to_owned(),
        )])),
        ..ObjectMeta::default()
    }
}

/// What was created; nothing when it was there already.
async fn create<K>(api: &Api<K>, object: &K, what: String) -> Result<Option<String>>
where
    K: Clone + Debug + Serialize + DeserializeOwned,
{
    match api.create(&PostParams::default(), object).await {
        Ok(_) => Ok(Some(what)),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
        Err(cause) => Err(errors::tell(&format!("creating {what}"), cause)),
    }
}
