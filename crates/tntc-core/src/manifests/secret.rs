//! `<name>-secrets`: one key a service.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use sha2::{Digest, Sha256};

use super::{Inputs, labels, metadata};

/// Name of a workflow's Secret.
#[must_use]
pub fn name(workflow: &str) -> String {
    format!("{workflow}-secrets")
}

/// Sent as `data`: server-side apply never removes a key that was once sent as `stringData`.
pub(super) fn build(inputs: &Inputs, files: &BTreeMap<String, Vec<u8>>) -> Secret {
    Secret {
        metadata: ObjectMeta {
            annotations: Some(BTreeMap::from([(
                labels::SECRETS_HASH.to_owned(),
                hash(files),
            )])),
            ..metadata(inputs, name(inputs.workflow.name.as_str()))
        },
        type_: Some("Opaque".to_owned()),
        data: Some(
            files
                .iter()
                .map(|(key, value)| (key.clone(), ByteString(value.clone())))
                .collect(),
        ),
        ..Secret::default()
    }
}

/// Hash that changes with any key or value, and tells nothing about either.
#[must_use]
pub fn hash(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hasher = Sha256::new();
    for (key, value) in files {
        super::code::hash_entry(&mut hasher, key, value);
    }
    super::code::short_hex(&hasher.finalize())
}
