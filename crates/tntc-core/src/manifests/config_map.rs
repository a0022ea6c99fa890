//! `<name>-code`: the files of the workflow, and how its pod mounts them.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, ConfigMapVolumeSource, KeyToPath};

use super::code::{key, name};
use super::{Inputs, annotated, labels};

pub(super) fn build(inputs: &Inputs) -> ConfigMap {
    let mut data = BTreeMap::new();
    let mut binary = BTreeMap::new();
    for (path, content) in inputs.code.files() {
        match String::from_utf8(content.clone()) {
            Ok(text) => drop(data.insert(key(path), text)),
            Err(_) => drop(binary.insert(key(path), ByteString(content.clone()))),
        }
    }
    ConfigMap {
        metadata: annotated(
            inputs,
            name(inputs.workflow.name.as_str()),
            Some((labels::CODE_HASH, inputs.code.hash())),
        ),
        data: Some(data),
        binary_data: Some(binary).filter(|entries| !entries.is_empty()),
        ..ConfigMap::default()
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
