//! From a base image and layers to the engine image: what the Dockerfile's instructions do to a config, done to it.
//!
//! Pure, so that the same base and the same engine are the same digest wherever they are put together. No time enters:
//! `created` stays the base's own.
//!
//! The Dockerfile's `deno cache` is the one instruction that is left out, since it runs the base's Deno. The image works
//! without it: the engine is plain modules that need no download. What the cache saves is transpiling them, and its
//! content (a database with times in it) would make every build another digest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::layer::{Layer, digest};
use crate::image::platform::Platform;
use crate::image::recipe;

/// Media type of an image's manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of an index of several platforms.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A reference to a blob by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What kind of thing it is.
    pub media_type: String,
    /// Digest of its bytes.
    pub digest: String,
    /// How many they are.
    pub size: u64,
}

impl Descriptor {
    /// Digests become file names, so nothing else may be in one.
    pub fn is_sha256(&self) -> bool {
        let digits = self.digest.strip_prefix("sha256:").unwrap_or_default();
        let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        digits.len() == 64 && digits.bytes().all(lower)
    }
}

/// A base image of one platform, without the bytes of its layers.
#[derive(Debug, Clone)]
pub struct Base {
    /// As the user names it.
    pub name: String,
    /// Digest of its manifest for this platform.
    pub digest: String,
    /// Its platform.
    pub platform: Platform,
    /// Its config.
    pub config: Value,
    /// Its layers.
    pub layers: Vec<Descriptor>,
}

/// Bytes and what refers to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// The reference.
    pub descriptor: Descriptor,
    /// The bytes.
    pub content: Vec<u8>,
}

/// A finished image of one platform.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its platform.
    pub platform: Platform,
    /// Its manifest.
    pub manifest: Blob,
    /// Its config.
    pub config: Blob,
    /// The base's layers, whose bytes are in a registry or a cache.
    pub base_layers: Vec<Descriptor>,
    /// The engine's layers.
    pub own_layers: Vec<Blob>,
}

impl Blob {
    /// Some bytes of a media type.
    pub fn of(media_type: &str, content: Vec<u8>) -> Self {
        let descriptor = Descriptor {
            media_type: media_type.to_owned(),
            digest: digest(&content),
            size: content.len() as u64,
        };
        Self {
            descriptor,
            content,
        }
    }

    fn json(media_type: &str, value: &Value) -> Self {
        Self::of(media_type, value.to_string().into_bytes())
    }
}

impl Image {
    /// Puts the engine's layers on a base.
    pub fn on(base: &Base, layers: &[Layer]) -> Self {
        let labels = recipe::labels(&base.name, Some(&base.digest));
        let config = Blob::json(CONFIG, &config(base, layers, &labels));
        let base_layers: Vec<_> = base.layers.iter().map(in_oci_terms).collect();
        let own_layers: Vec<_> = layers
            .iter()
            .map(|layer| Blob::of(LAYER, layer.content.clone()))
            .collect();
        let own = own_layers.iter().map(|blob| &blob.descriptor);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config.descriptor,
            "layers": base_layers.iter().chain(own).collect::<Vec<_>>(),
            "annotations": labels,
        });
        Self {
            platform: base.platform.clone(),
            manifest: Blob::json(MANIFEST, &manifest),
            config,
            base_layers,
            own_layers,
        }
    }

    /// Every layer in order, the base's first.
    pub fn layers(&self) -> impl Iterator<Item = &Descriptor> {
        let own = self.own_layers.iter().map(|blob| &blob.descriptor);
        self.base_layers.iter().chain(own)
    }
}

/// An index of images of several platforms, in the order in which they were asked for.
pub fn index(entries: &[(Descriptor, Platform)]) -> Blob {
    let manifests: Vec<_> = entries
        .iter()
        .map(|(manifest, platform)| entry(manifest, platform))
        .collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    Blob::json(INDEX, &index)
}

/// A manifest as an index lists it.
pub fn entry(manifest: &Descriptor, platform: &Platform) -> Value {
    let mut value = json!(manifest);
    value["platform"] = json!({"architecture": platform.architecture, "os": platform.os});
    if let Some(variant) = &platform.variant {
        value["platform"]["variant"] = json!(variant);
    }
    value
}

/// What the Dockerfile's instructions do to the base's config.
fn config(base: &Base, layers: &[Layer], labels: &BTreeMap<String, String>) -> Value {
    let mut config = base.config.clone();
    for stale in [
        "container",
        "container_config",
        "docker_version",
        "id",
        "parent",
    ] {
        // What Docker wrote there describes the build of the base.
        config
            .as_object_mut()
            .map(|entries| entries.shift_remove(stale));
    }
    let run = &mut config["config"];
    run["WorkingDir"] = json!(recipe::WORKDIR);
    run["Entrypoint"] = json!(recipe::entrypoint());
    // As `ENTRYPOINT` does: the base's command was meant for the base's entrypoint.
    run.as_object_mut()
        .map(|entries| entries.shift_remove("Cmd"));
    run["ExposedPorts"][format!("{}/tcp", recipe::EXPOSED)] = json!({});
    for (name, value) in labels {
        run["Labels"][name] = json!(value);
    }
    append(
        &mut config["rootfs"]["diff_ids"],
        layers.iter().map(|layer| json!(layer.diff_id)),
    );
    let history = history(base, layers);
    append(&mut config["history"], history.into_iter());
    config
}

fn append(list: &mut Value, more: impl Iterator<Item = Value>) {
    let mut items = list.as_array().cloned().unwrap_or_default();
    items.extend(more);
    *list = Value::Array(items);
}

fn history(base: &Base, layers: &[Layer]) -> Vec<Value> {
    let settings = [
        format!("WORKDIR {}", recipe::WORKDIR),
        format!("EXPOSE {}", recipe::EXPOSED),
        format!("ENTRYPOINT {}", recipe::exec_form(&recipe::entrypoint())),
    ];
    let copied = layers
        .iter()
        .map(|layer| json!({"created_by": layer.instruction}));
    let set = settings
        .iter()
        .map(|instruction| json!({"created_by": instruction, "empty_layer": true}));
    let mut entries: Vec<_> = copied.chain(set).collect();
    if let Some(created) = base.config.get("created") {
        for entry in &mut entries {
            entry["created"] = created.clone();
        }
    }
    entries
}

/// Docker's own media types name the same bytes; an OCI manifest lists them under OCI's.
fn in_oci_terms(layer: &Descriptor) -> Descriptor {
    let media_type = match layer.media_type.as_str() {
        "application/vnd.docker.image.rootfs.diff.tar.gzip" => LAYER,
        "application/vnd.docker.image.rootfs.diff.tar" => "application/vnd.oci.image.layer.v1.tar",
        other => other,
    };
    Descriptor {
        media_type: media_type.to_owned(),
        ..layer.clone()
    }
}
