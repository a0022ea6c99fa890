//! The base image: which manifest a platform has, and the bytes that the registry or the cache has of it.

use oci_spec::distribution::Reference;
use serde_json::Value;

use super::cache::Cache;
use super::image::{Base, Descriptor};
use super::registry::Registry;
use super::tokens::Operation;
use crate::image::platform::Platform;
use crate::image::reference;
use crate::outcome::{Error, Result};
use crate::terminal::progress::Phase;

/// Bytes of an image's config.
const CONFIG: u64 = 4 * 1024 * 1024;

/// Where the base comes from.
pub struct Source {
    name: String,
    image: Reference,
    registry: Registry,
    cache: Cache,
}

impl Source {
    /// The registry of a base, and the cache before it.
    pub async fn open(base: &str, plain_http: bool) -> Result<Self> {
        let image = reference::parse(base)?;
        let registry = Registry::of(&image, Operation::Pull, plain_http).await?;
        Ok(Self {
            name: base.to_owned(),
            image,
            registry,
            cache: Cache::open()?,
        })
    }

    /// The base's registry, when the image goes there as well: it was found and greeted already.
    pub fn registry_of(&self, target: &Reference) -> Option<&Registry> {
        (target.registry() == self.image.registry()).then_some(&self.registry)
    }

    /// Blobs that were fetched.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The base of each platform.
    ///
    /// # Errors
    /// There is no such image, or it lacks a platform.
    pub async fn bases(&self, platforms: &[Platform]) -> Result<Vec<Base>> {
        let top_digest = match self.image.digest() {
            Some(digest) => digest.to_owned(),
            None => self.registry.digest(&self.image).await?,
        };
        let top = self.manifest(&top_digest).await?;
        let mut bases = Vec::with_capacity(platforms.len());
        for platform in platforms {
            bases.push(self.base(&top_digest, &top, platform).await?);
        }
        Ok(bases)
    }

    async fn base(&self, top_digest: &str, top: &Value, platform: &Platform) -> Result<Base> {
        let Some(entries) = top["manifests"].as_array() else {
            let base = self.image_of(top_digest.to_owned(), top).await?;
            return if platform.accepts(&base.platform) {
                Ok(base)
            } else {
                Err(self.lacks(platform, &[base.platform]))
            };
        };
        let offered = |entry: &Value| Platform::of(&entry["platform"]);
        let fits = |entry: &&Value| offered(entry).is_some_and(|found| platform.accepts(&found));
        let Some(digest) = entries
            .iter()
            .find(fits)
            .and_then(|entry| entry["digest"].as_str())
        else {
            let all: Vec<_> = entries.iter().filter_map(offered).collect();
            return Err(self.lacks(platform, &all));
        };
        let manifest = self.manifest(digest).await?;
        self.image_of(digest.to_owned(), &manifest).await
    }

    async fn image_of(&self, digest: String, manifest: &Value) -> Result<Base> {
        let config: Descriptor = self.read(manifest["config"].clone())?;
        let layers: Vec<Descriptor> = self.read(manifest["layers"].clone())?;
        if let Some(odd) = layers
            .iter()
            .chain([&config])
            .find(|blob| !blob.is_sha256())
        {
            return Err(self.invalid(&format!("`{}` is not a SHA-256 digest", odd.digest)));
        }
        let config = self.json(&self.small_blob(&config).await?)?;
        let platform =
            Platform::of(&config).ok_or_else(|| self.invalid("its config names no platform"))?;
        Ok(Base {
            name: self.name.clone(),
            layers,
            digest,
            platform,
            config,
        })
    }

    async fn manifest(&self, digest: &str) -> Result<Value> {
        if let Some(kept) = self.cache.read(digest) {
            return self.json(&kept);
        }
        let image = reference::by_digest(&self.image, digest.to_owned());
        let content = self.registry.manifest(&image).await?;
        self.cache.write(digest, &content)?;
        self.json(&content)
    }

    async fn small_blob(&self, wanted: &Descriptor) -> Result<Vec<u8>> {
        if wanted.size > CONFIG {
            return Err(self.invalid("its config is larger than 4 MiB"));
        }
        if let Some(kept) = self.cache.read(&wanted.digest) {
            return Ok(kept);
        }
        self.fetch_blob(wanted).await?;
        self.cache
            .read(&wanted.digest)
            .ok_or_else(|| Error::surroundings("the cache of base images was emptied meanwhile"))
    }

    async fn fetch_blob(&self, blob: &Descriptor) -> Result<()> {
        let file = self.cache.fresh()?;
        self.registry.fetch(&self.image, blob, file.path()).await?;
        self.cache.keep(file, &blob.digest)
    }

    /// Gets a layer into the cache, unless it is there.
    pub async fn fetch(&self, layer: &Descriptor, phase: &Phase<'_>) -> Result<()> {
        let there = std::fs::metadata(self.cache.path(&layer.digest));
        if there.is_ok_and(|file| file.len() == layer.size) {
            return Ok(());
        }
        phase.detail(&format!("fetching {} ({} bytes)", layer.digest, layer.size));
        self.fetch_blob(layer).await
    }

    /// Gets a layer into another repository, by the shortest way: it is there, the registry takes it over from the
    /// base's repository, or it is uploaded.
    pub async fn deliver(
        &self,
        layer: &Descriptor,
        target: &Reference,
        registry: &Registry,
        phase: &Phase<'_>,
    ) -> Result<()> {
        if registry.has(target, &layer.digest).await? {
            return Ok(());
        }
        if registry.is(&self.registry) && registry.mount(target, &self.image, &layer.digest).await {
            return Ok(());
        }
        self.fetch(layer, phase).await?;
        phase.detail(&format!("sending {} ({} bytes)", layer.digest, layer.size));
        let file = self.cache.path(&layer.digest);
        registry.push_file(target, layer, &file).await
    }

    fn json(&self, content: &[u8]) -> Result<Value> {
        serde_json::from_slice(content).map_err(|cause| self.invalid(&cause.to_string()))
    }

    fn read<T: serde::de::DeserializeOwned>(&self, value: Value) -> Result<T> {
        serde_json::from_value(value).map_err(|cause| self.invalid(&cause.to_string()))
    }

    fn invalid(&self, why: &str) -> Error {
        Error::surroundings(format!("the base {} cannot be read: {why}", self.name))
            .hint("name an image of Docker's schema 2 or OCI's with --base")
    }

    fn lacks(&self, platform: &Platform, offered: &[Platform]) -> Error {
        let mut offered: Vec<_> = offered.iter().map(ToString::to_string).collect();
        offered.retain(|name| !name.starts_with("unknown/"));
        offered.dedup();
        Error::surroundings(format!(
            "the base {} does not have platform {platform}",
            self.name
        ))
        .hint(format!("it has: {}", offered.join(", ")))
        .hint("name a base that has it with --base")
    }
}

/// What a manifest says that it is.
pub fn media_type(manifest: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(manifest).ok()?;
    value["mediaType"].as_str().map(str::to_owned)
}
