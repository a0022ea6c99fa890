//! The base image: which manifest a platform has, and the bytes that the registry or the cache has of it.

use serde_json::Value;
use tntc_core::values::ImageReference;

use super::cache::Cache;
use super::image::{Base, Descriptor};
use super::registry::Registry;
use super::tokens::Operation;
use crate::image::platform::Platform;
use crate::outcome::{Error, Result};
use crate::terminal::progress::Phase;

/// Bytes of an image's config.
const CONFIG: u64 = 4 * 1024 * 1024;

/// Manifests and indexes that are opened to find one platform.
const MANIFESTS: usize = 64;

/// Where the base comes from.
pub struct Source {
    image: ImageReference,
    registry: Registry,
    cache: Cache,
}

impl Source {
    /// The registry of a base, and the cache before it.
    pub async fn open(image: &ImageReference, plain_http: bool) -> Result<Self> {
        let registry = Registry::of(image, Operation::Pull, plain_http).await?;
        Ok(Self {
            image: image.clone(),
            registry,
            cache: Cache::open()?,
        })
    }

    /// The base's registry, when the image goes there as well: it was found and greeted already.
    pub fn registry_of(&self, target: &ImageReference) -> Option<&Registry> {
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

    /// Looks through an index, and those that are listed in it: first what is said to have the platform, then what names
    /// none, by its config.
    async fn base(&self, top_digest: &str, top: &Value, platform: &Platform) -> Result<Base> {
        let mut offered = Vec::new();
        let mut left = vec![(top_digest.to_owned(), None)];
        for opened in 0.. {
            let Some((digest, named)) = left.pop() else {
                break;
            };
            if opened == MANIFESTS {
                return Err(self.invalid("its index lists too much that names no platform"));
            }
            let manifest = match opened {
                0 => top.clone(),
                _ => self.manifest(&digest).await?,
            };
            if let Some(entries) = manifest["manifests"].as_array() {
                offered.extend(entries.iter().filter_map(offered_by));
                left.extend(candidates(entries, platform));
                continue;
            }
            match self.image_of(digest, &manifest, named).await? {
                Some(base) if platform.accepts(&base.platform) => return Ok(base),
                other => offered.extend(other.map(|base| base.platform)),
            }
        }
        Err(self.lacks(platform, &offered))
    }

    /// An image, unless it is something else, such as what was signed or attested of one.
    async fn image_of(
        &self,
        digest: String,
        manifest: &Value,
        named: Option<Platform>,
    ) -> Result<Option<Base>> {
        if manifest["config"].is_null() {
            let why = match manifest["schemaVersion"].as_u64() {
                Some(1) => "it is of Docker's schema 1, which registries and clusters gave up",
                _ => "its manifest has no config",
            };
            return Err(self.invalid(why));
        }
        let config: Descriptor = self.read(manifest["config"].clone())?;
        let layers: Vec<Descriptor> = self.read(manifest["layers"].clone())?;
        if let Some(odd) = layers
            .iter()
            .chain([&config])
            .find(|blob| !blob.is_sha256())
        {
            return Err(self.no_digest(&odd.digest));
        }
        let config = self.json(&self.small_blob(&config).await?)?;
        Ok(Platform::of(&config).or(named).map(|platform| Base {
            name: self.image.to_string(),
            layers,
            digest,
            platform,
            config,
        }))
    }

    async fn manifest(&self, digest: &str) -> Result<Value> {
        let named = self.image.by_digest(digest);
        let image = named.map_err(|_| self.no_digest(digest))?;
        if let Some(kept) = self.cache.read(digest) {
            return self.json(&kept);
        }
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
        target: &ImageReference,
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

    /// Digests become file names and parts of addresses.
    fn no_digest(&self, digest: &str) -> Error {
        self.invalid(&format!("`{digest}` is not a SHA-256 digest"))
    }

    fn invalid(&self, why: &str) -> Error {
        Error::surroundings(format!("the base {} cannot be read: {why}", self.image))
            .hint("name an image of Docker's schema 2 or OCI's with --base")
    }

    fn lacks(&self, platform: &Platform, offered: &[Platform]) -> Error {
        let mut offered: Vec<_> = offered.iter().map(ToString::to_string).collect();
        offered.retain(|name| !name.starts_with("unknown/"));
        offered.sort();
        offered.dedup();
        let error = Error::surroundings(format!(
            "the base {} does not have platform {platform}",
            self.image
        ));
        let error = if offered.is_empty() {
            error.hint("nothing in it says for which platform it is")
        } else {
            error.hint(format!("it has: {}", offered.join(", ")))
        };
        error.hint("name a base that has it with --base")
    }
}

fn offered_by(entry: &Value) -> Option<Platform> {
    Platform::of(&entry["platform"])
}

/// Digests of the entries of an index that may have the platform, with the platform they name; the best is the last.
fn candidates(entries: &[Value], platform: &Platform) -> Vec<(String, Option<Platform>)> {
    let listed = entries.iter().filter_map(|entry| {
        let digest = entry["digest"].as_str()?.to_owned();
        Some((digest, offered_by(entry)))
    });
    let may = |(_, named): &(String, Option<Platform>)| {
        named.as_ref().is_none_or(|named| platform.accepts(named))
    };
    let mut listed: Vec<_> = listed.filter(may).collect();
    listed.sort_by_key(|(_, named)| named.is_none());
    listed.reverse();
    listed
}

/// What a manifest says that it is.
pub fn media_type(manifest: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(manifest).ok()?;
    value["mediaType"].as_str().map(str::to_owned)
}
