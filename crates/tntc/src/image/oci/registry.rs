//! One registry as a build sees it: manifests and blobs, tried again when the connection breaks.

use std::path::Path;

use futures::stream;
use tntc_core::values::ImageReference;
use tokio::io::AsyncReadExt;

use super::image::{Blob, Descriptor};
use super::response::Cause;
use super::tokens::Operation;
use super::told;
use super::wire::Wire;
use super::{credentials, protocol};
use crate::image::retry;
use crate::outcome::Result;

/// Bytes of a blob that are read from disk at a time.
const PIECE: usize = 256 * 1024;

/// A registry, with the credentials that this user has for it.
pub struct Registry {
    wire: Wire,
    name: String,
}

impl Registry {
    /// The registry of an image, greeted.
    ///
    /// # Errors
    /// Its credentials cannot be read, it does not answer, or refuses the credentials.
    pub async fn of(
        image: &ImageReference,
        operation: Operation,
        plain_http: bool,
    ) -> Result<Self> {
        let name = image.registry().to_owned();
        let login = credentials::of(&name).await?;
        let protocol = protocol::of(&name, plain_http).await;
        let told = |cause| told::registry(&doing(image, operation), &name, &cause);
        let wire = Wire::new(image, login, protocol).map_err(told)?;
        retried(|| wire.greet(image, operation))
            .await
            .map_err(told)?;
        Ok(Self { wire, name })
    }

    /// Whether both are one registry, so that blobs need not travel.
    pub fn is(&self, other: &Self) -> bool {
        self.name == other.name
    }

    /// The digest that a tag has now.
    pub async fn digest(&self, image: &ImageReference) -> Result<String> {
        let asked = retried(|| self.wire.digest(image)).await;
        asked.map_err(|cause| told::manifest(image, &cause))
    }

    /// A manifest or index, checked against its digest.
    pub async fn manifest(&self, image: &ImageReference) -> Result<Vec<u8>> {
        let pulled = retried(|| self.wire.manifest(image)).await;
        pulled.map_err(|cause| told::manifest(image, &cause))
    }

    /// Writes a blob to a file; what it holds is checked against the size and the digest.
    pub async fn fetch(&self, image: &ImageReference, blob: &Descriptor, to: &Path) -> Result<()> {
        let pulled = retried(|| self.wire.fetch(image, blob, to)).await;
        pulled.map_err(|cause| self.told(&doing(image, Operation::Pull), &cause))
    }

    /// Whether the repository has a blob.
    pub async fn has(&self, image: &ImageReference, digest: &str) -> Result<bool> {
        let asked = retried(|| self.wire.has(image, digest)).await;
        asked.map_err(|cause| self.told(&doing(image, Operation::Push), &cause))
    }

    /// Takes a blob over from another repository of this registry; false when the registry does not do that.
    pub async fn mount(&self, image: &ImageReference, from: &ImageReference, digest: &str) -> bool {
        self.wire.mount(image, from, digest).await.is_ok()
    }

    /// Uploads a small blob.
    pub async fn push(&self, image: &ImageReference, blob: &Blob) -> Result<()> {
        if self.has(image, &blob.descriptor.digest).await? {
            return Ok(());
        }
        let push = || {
            self.wire
                .push(image, &blob.descriptor, blob.content.clone().into())
        };
        let pushed = retried(push).await;
        pushed.map_err(|cause| self.told(&doing(image, Operation::Push), &cause))
    }

    /// Uploads a large blob from a file.
    pub async fn push_file(
        &self,
        image: &ImageReference,
        blob: &Descriptor,
        file: &Path,
    ) -> Result<()> {
        let push = || async {
            let file = tokio::fs::File::open(file).await?;
            let pieces = stream::try_unfold(file, |mut file| async move {
                let mut piece = Vec::with_capacity(PIECE);
                let read = (&mut file)
                    .take(PIECE as u64)
                    .read_to_end(&mut piece)
                    .await?;
                Ok::<_, std::io::Error>((read > 0).then_some((piece, file)))
            });
            let content = reqwest::Body::wrap_stream(pieces);
            self.wire.push(image, blob, content).await
        };
        let pushed = retried(push).await;
        pushed.map_err(|cause| self.told(&doing(image, Operation::Push), &cause))
    }

    /// Uploads a manifest or an index under the reference's tag or digest.
    pub async fn push_manifest(&self, image: &ImageReference, manifest: &Blob) -> Result<()> {
        let pushed = retried(|| self.wire.push_manifest(image, manifest)).await;
        pushed.map_err(|cause| self.told(&doing(image, Operation::Push), &cause))
    }

    fn told(&self, doing: &str, cause: &Cause) -> crate::outcome::Error {
        told::registry(doing, &self.name, cause)
    }
}

fn doing(image: &ImageReference, operation: Operation) -> String {
    match operation {
        Operation::Push => format!("push of {image}"),
        Operation::Pull => format!("pull of {image}"),
    }
}

async fn retried<T>(step: impl AsyncFnMut() -> Result<T, Cause>) -> Result<T, Cause> {
    retry::while_transient(told::pause, step).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_broken_connection_is_tried_three_times_and_a_refusal_once() {
        for (cut, expected) in [(true, 3), (false, 1)] {
            let mut attempts = 0;
            let outcome: Result<(), Cause> = retried(|| {
                attempts += 1;
                let cause = if cut {
                    Cause::Io(std::io::ErrorKind::ConnectionReset.into())
                } else {
                    Cause::Refused("no".to_owned())
                };
                async { Err(cause) }
            })
            .await;
            assert!(outcome.is_err());
            assert_eq!(attempts, expected);
        }
    }
}
