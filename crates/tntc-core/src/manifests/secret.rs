//! `<name>-secrets`: one key a service.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use super::{Inputs, metadata};

/// The key whose random value goes into the hash of the others: without it, a hash of a short password would be as good
/// as the password. The engine skips it, as any other name that begins with a dot (`engine/core/revision.ts`).
pub const SALT: &str = ".tentacular-salt";

/// Name of a workflow's Secret.
#[must_use]
pub fn name(workflow: &str) -> String {
    format!("{workflow}-secrets")
}

/// Sent as `data`: server-side apply never removes a key that was once sent as `stringData`.
pub(super) fn build(inputs: &Inputs, files: &BTreeMap<String, Vec<u8>>) -> Secret {
    Secret {
        metadata: metadata(inputs, name(inputs.workflow.name.as_str())),
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

/// A Secret's values by key.
#[must_use]
pub fn data(secret: &Secret) -> BTreeMap<String, Vec<u8>> {
    let data = secret.data.iter().flatten();
    data.map(|(key, value)| (key.clone(), value.0.clone()))
        .collect()
}

/// What an engine reports that has loaded this Secret: `none` without a value, `unsalted` when nothing makes a hash of
/// it unguessable, and its hash otherwise.
#[must_use]
pub fn report(data: &BTreeMap<String, Vec<u8>>) -> String {
    if data.is_empty() {
        "none".to_owned()
    } else if data.contains_key(SALT) {
        super::code::hash(data)
    } else {
        "unsalted".to_owned()
    }
}
