//! Building without any container program: the base is pulled, the engine's layers are appended, and the result is
//! pushed to a registry or written to a file.
//!
//! One step of the Dockerfile is left out; `image` says which, and why.

mod cache;
mod credentials;
mod image;
mod layer;
mod layout;
mod protocol;
mod pull;
mod registry;
mod response;
mod stop;
mod tokens;
mod told;
mod wire;

use std::collections::BTreeMap;
use std::path::Path;

use futures::future::{try_join, try_join_all};
use tntc_core::values::ImageReference;

use super::platform::Platform;
use super::recipe;
use crate::deno;
use crate::outcome::{Error, Result};
use crate::terminal::Printer;
use crate::terminal::progress::Phase;
use image::{Blob, Image};
use layer::Layer;
pub use layout::is_archive;
use pull::Source;
use registry::Registry;
use tokens::Operation;

/// What to build, and how to talk to registries.
#[derive(Debug, Clone)]
pub struct Build<'a> {
    /// Full reference of the image.
    pub image: &'a ImageReference,
    /// Full reference of its base.
    pub base: &'a ImageReference,
    /// Target platforms; none means this machine's.
    pub platforms: &'a [Platform],
    /// Whether to speak plain HTTP to registries elsewhere, too.
    pub plain_http: bool,
}

/// Images of every platform asked for, put together but nowhere yet.
pub struct Built {
    name: ImageReference,
    images: Vec<Image>,
    source: Source,
    plain_http: bool,
}

/// Puts the images together.
///
/// # Errors
/// The base cannot be had, or lacks a platform.
pub async fn build(build: &Build<'_>, printer: &Printer) -> Result<Built> {
    let phase = Phase::begin(&format!("building {}", build.image), printer);
    let host = [Platform::host()];
    let platforms = if build.platforms.is_empty() {
        &host
    } else {
        build.platforms
    };
    phase.detail(&format!("base {}", build.base));
    let layers = tokio::task::spawn_blocking(engine_layers);
    let source = Source::open(build.base, build.plain_http).await?;
    let bases = source.bases(platforms).await?;
    let layers = layers
        .await
        .map_err(|cause| Error::failed(cause.to_string()))??;
    let mut images = Vec::with_capacity(platforms.len());
    for base in bases {
        images.push(Image::on(&base, &layers));
        phase.detail(&format!("{} on {}", base.platform, base.digest));
    }
    Ok(Built {
        name: build.image.clone(),
        images,
        source,
        plain_http: build.plain_http,
    })
}

impl Built {
    /// Digest of what a registry or a file gets: the image, or the index of several.
    pub fn digest(&self) -> String {
        match layout::root(&self.images) {
            Some(index) => index.descriptor.digest,
            None => self.images.first().map_or_else(String::new, |image| {
                image.manifest.descriptor.digest.clone()
            }),
        }
    }

    /// Digest of the configuration, by which a node knows the image; none of several.
    pub fn config_digest(&self) -> Option<&str> {
        match self.images.as_slice() {
            [image] => Some(&image.config.descriptor.digest),
            _ => None,
        }
    }

    /// Pushes everything; the tag moves last, when all that it leads to is there.
    pub async fn push(&self, printer: &Printer) -> Result<()> {
        let phase = Phase::begin(&format!("pushing {}", self.name), printer);
        let target = &self.name;
        let registry = match self.source.registry_of(target) {
            Some(known) => known,
            None => &Registry::of(target, Operation::Push, self.plain_http).await?,
        };
        if registry.digest(target).await.ok() == Some(self.digest()) {
            return Ok(()); // With everything that it leads to, or the registry would not have taken it.
        }
        for image in &self.images {
            let base_layers = image
                .base_layers
                .iter()
                .map(|layer| self.source.deliver(layer, target, registry, &phase));
            let own = image.own_layers.iter().chain([&image.config]);
            let own = own.map(|blob| registry.push(target, blob));
            try_join(try_join_all(base_layers), try_join_all(own)).await?;
        }
        let Some(index) = layout::root(&self.images) else {
            return push_manifests(registry, target, &self.images).await;
        };
        for image in &self.images {
            let by_digest = within(target, &image.manifest.descriptor.digest)?;
            registry.push_manifest(&by_digest, &image.manifest).await?;
        }
        registry.push_manifest(target, &index).await
    }

    /// Writes everything to a directory or, when the path ends in `.tar`, to an archive.
    pub async fn write(&self, to: &Path, printer: &Printer) -> Result<()> {
        let phase = Phase::begin(&format!("writing {}", to.display()), printer);
        for layer in self.images.iter().flat_map(|image| &image.base_layers) {
            self.source.fetch(layer, &phase).await?;
        }
        let (stop, stopped) = stop::pair();
        let (to, name) = (to.to_owned(), self.name.clone());
        let (images, cache) = (self.images.clone(), self.source.cache().clone());
        let written = tokio::task::spawn_blocking(move || {
            layout::write(&to, &name, &images, &cache, &stopped)
        })
        .await;
        drop(stop);
        written.map_err(|cause| Error::failed(cause.to_string()))?
    }
}

/// Puts an index of images that are in the registry already under a tag, and returns its digest.
pub async fn push_index(
    target: &ImageReference,
    digests: &[(String, Platform)],
    plain_http: bool,
) -> Result<String> {
    let registry = Registry::of(target, Operation::Push, plain_http).await?;
    let mut entries = Vec::with_capacity(digests.len());
    for (digest, platform) in digests {
        let content = registry.manifest(&within(target, digest)?).await?;
        let media_type = pull::media_type(&content).unwrap_or_else(|| image::MANIFEST.to_owned());
        entries.push((Blob::of(&media_type, content).descriptor, platform.clone()));
    }
    let index = image::index(&entries);
    registry.push_manifest(target, &index).await?;
    Ok(index.descriptor.digest)
}

/// What has this digest, which was made here, in the repository of an image.
fn within(target: &ImageReference, digest: &str) -> Result<ImageReference> {
    let found = target.by_digest(digest);
    found.map_err(|invalid| Error::failed(invalid.in_one_line()))
}

async fn push_manifests(
    registry: &Registry,
    target: &ImageReference,
    images: &[Image],
) -> Result<()> {
    for image in images {
        registry.push_manifest(target, &image.manifest).await?;
    }
    Ok(())
}

/// One layer a `COPY`, of the same files.
fn engine_layers() -> Result<Vec<Layer>> {
    let engine: Vec<_> = deno::engine_files().collect();
    let layer = |(from, to): (&str, &str)| {
        let below = from
            .trim_start_matches(recipe::CONTEXT_DIR)
            .trim_start_matches('/');
        let files: BTreeMap<_, _> = engine
            .iter()
            .filter_map(|(path, content)| {
                let target = match below {
                    "" => format!("{to}{path}"),
                    file if file == path => to.to_owned(),
                    _ => return None,
                };
                Some((target, content.to_vec()))
            })
            .collect();
        Layer::of(&files, format!("COPY {from} {to}"))
    };
    recipe::COPIES.into_iter().map(layer).collect()
}
