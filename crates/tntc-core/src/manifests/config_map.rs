//! `<name>-code`: the files of the workflow, and how its pod mounts them.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, ConfigMapVolumeSource, KeyToPath};

use super::code::{key, name};
use super::{Inputs, annotated, labels};

pub(super) fn build(inputs: &Inputs) -> ConfigMap {
    let mut config_map = ConfigMap {
        metadata: annotated(
            inputs,
            name(inputs.workflow.name.as_str()),
            Some((labels::CODE_HASH, inputs.code.hash())),
        ),
        data: Some(BTreeMap::new()),
        ..ConfigMap::default()
    };
    for (path, content) in inputs.code.files() {
        insert(&mut config_map, key(path), content.clone());
    }
    config_map
}

/// Puts a content under a key, in that of the two fields that can carry it.
pub fn insert(config_map: &mut ConfigMap, key: String, content: Vec<u8>) {
    match String::from_utf8(content) {
        Ok(text) => {
            let data = config_map.data.get_or_insert_default();
            data.insert(key, text);
        }
        Err(cause) => {
            let binary = config_map.binary_data.get_or_insert_default();
            binary.insert(key, ByteString(cause.into_bytes()));
        }
    }
}

/// The volume source that mounts every file at its own path.
pub(super) fn volume(inputs: &Inputs) -> ConfigMapVolumeSource {
    let items = inputs.code.files().keys().map(|path| KeyToPath {
        key: key(path),
        path: path.clone(),
        mode: None,
    });
    ConfigMapVolumeSource {
        name: name(inputs.workflow.name.as_str()),
        items: Some(items.collect()),
        ..ConfigMapVolumeSource::default()
    }
}
