//! One registry as a build sees it: manifests and blobs, tried again when the connection breaks.

use std::path::Path;
use std::time::Duration;

use futures::TryStreamExt;
use futures::stream;
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError as Cause;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};
use tokio::io::AsyncReadExt;

use super::credentials::{self, Login};
use super::identity;
use super::image::{Blob, Descriptor};
use super::protocol;
use super::told::{self, transient};
use crate::container::retry;
use crate::error::Result;

/// Manifests of one platform and indexes of several, in OCI's terms and in Docker's.
const MANIFESTS: [&str; 4] = [
    super::image::MANIFEST,
    super::image::INDEX,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/// How long a registry may take to accept a connection, and to send anything at all on one.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
pub(super) const SILENCE: Duration = Duration::from_mins(1);

/// Bytes of a blob that are read from disk at a time.
const PIECE: usize = 256 * 1024;

/// A registry, with the credentials that this user has for it.
pub struct Registry {
    client: Client,
    auth: RegistryAuth,
    name: String,
}

impl Registry {
    /// The registry of an image, greeted.
    ///
    /// # Errors
    /// Its credentials cannot be read, it does not answer, or refuses the credentials.
    pub async fn of(
        image: &Reference,
        operation: RegistryOperation,
        plain_http: bool,
    ) -> Result<Self> {
        let name = image.registry().to_owned();
        let login = credentials::of(&name).await?;
        let protocol = protocol::of(&name, plain_http).await;
        let told = |cause| told::registry(&doing(image, operation), &name, &cause);
        let auth = match login {
            Login::Known(auth) => auth,
            Login::Identity(token) => {
                let trade = || identity::trade(&token, image, operation, &protocol);
                retried(trade).await.map_err(told)?
            }
        };
        let client = client(protocol);
        let greet = || client.auth(image, &auth, operation);
        retried(greet).await.map_err(told)?;
        Ok(Self { client, auth, name })
    }

    /// Whether both are one registry, so that blobs need not travel.
    pub fn is(&self, other: &Self) -> bool {
        self.name == other.name
    }

    /// The digest that a tag has now.
    pub async fn digest(&self, image: &Reference) -> Result<String> {
        let asked = retried(|| self.client.fetch_manifest_digest(image, &self.auth)).await;
        asked.map_err(|cause| told::manifest(image, &cause))
    }

    /// A manifest or index, checked against its digest.
    pub async fn manifest(&self, image: &Reference) -> Result<Vec<u8>> {
        let pull = || self.client.pull_manifest_raw(image, &self.auth, &MANIFESTS);
        match retried(pull).await {
            Ok((content, _)) => Ok(content.to_vec()),
            Err(cause) => Err(told::manifest(image, &cause)),
        }
    }

    /// Writes a blob to a file; what it holds is checked against the digest.
    pub async fn fetch(&self, image: &Reference, digest: &str, to: &Path) -> Result<()> {
        let pull = || async {
            let file = tokio::fs::File::create(to).await?;
            self.client.pull_blob(image, digest, file).await
        };
        let pulled = retried(pull).await;
        pulled.map_err(|cause| self.told(&doing(image, RegistryOperation::Pull), &cause))
    }

    /// Whether the repository has a blob.
    pub async fn has(&self, image: &Reference, digest: &str) -> Result<bool> {
        let asked = retried(|| self.client.blob_exists(image, digest)).await;
        asked.map_err(|cause| self.told(&doing(image, RegistryOperation::Push), &cause))
    }

    /// Takes a blob over from another repository of this registry; false when the registry does not do that.
    pub async fn mount(&self, image: &Reference, from: &Reference, digest: &str) -> bool {
        self.client.mount_blob(image, from, digest).await.is_ok()
    }

    /// Uploads a small blob.
    pub async fn push(&self, image: &Reference, blob: &Blob) -> Result<()> {
        let digest = &blob.descriptor.digest;
        if self.has(image, digest).await? {
            return Ok(());
        }
        let push = || self.client.push_blob(image, blob.content.clone(), digest);
        let pushed = retried(push).await.map(drop);
        pushed.map_err(|cause| self.told(&doing(image, RegistryOperation::Push), &cause))
    }

    /// Uploads a large blob from a file.
    pub async fn push_file(&self, image: &Reference, blob: &Descriptor, file: &Path) -> Result<()> {
        let push = || async {
            let file = tokio::fs::File::open(file).await?;
            let pieces = stream::try_unfold(file, |mut file| async move {
                let mut piece = Vec::with_capacity(PIECE);
                let read = (&mut file)
                    .take(PIECE as u64)
                    .read_to_end(&mut piece)
                    .await?;
                Ok::<_, Cause>((read > 0).then_some((piece, file)))
            });
            let pieces = pieces.map_ok(Into::into);
            self.client
                .push_blob_stream(image, pieces, &blob.digest, Some(blob.size))
                .await
        };
        let pushed = retried(push).await.map(drop);
        pushed.map_err(|cause| self.told(&doing(image, RegistryOperation::Push), &cause))
    }

    /// Uploads a manifest or an index under the reference's tag or digest.
    pub async fn push_manifest(&self, image: &Reference, manifest: &Blob) -> Result<()> {
        let push = || async {
            let media_type = manifest.descriptor.media_type.parse();
            let media_type = media_type.map_err(|_| {
                Cause::UnsupportedMediaTypeError(manifest.descriptor.media_type.clone())
            })?;
            self.client
                .push_manifest_raw(image, manifest.content.clone(), media_type)
                .await
        };
        let pushed = retried(push).await.map(drop);
        pushed.map_err(|cause| self.told(&doing(image, RegistryOperation::Push), &cause))
    }

    fn told(&self, doing: &str, cause: &Cause) -> crate::error::Error {
        told::registry(doing, &self.name, cause)
    }
}

fn doing(image: &Reference, operation: RegistryOperation) -> String {
    match operation {
        RegistryOperation::Push => format!("push of {image}"),
        RegistryOperation::Pull => format!("pull of {image}"),
    }
}

fn client(protocol: ClientProtocol) -> Client {
    Client::new(ClientConfig {
        tls_certs_only: authorities(&protocol),
        protocol,
        // One request a blob, which every registry takes; some refuse pieces.
        use_monolithic_push: true,
        connect_timeout: Some(CONNECT),
        read_timeout: Some(SILENCE),
        user_agent: concat!("tntc/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    })
}

/// The authorities to trust; none means the system's.
///
/// A registry that speaks plain HTTP has no certificate, though it may keep blobs with a cloud that has one. For that
/// Mozilla's authorities do, and reading the system's would take as long as all else of a build that finds nothing to do.
fn authorities(protocol: &ClientProtocol) -> Vec<Certificate> {
    if !matches!(protocol, ClientProtocol::Http) {
        return Vec::new();
    }
    let authorities = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    authorities
        .map(|authority| Certificate {
            encoding: CertificateEncoding::Der,
            data: authority.to_vec(),
        })
        .collect()
}

async fn retried<T>(step: impl AsyncFnMut() -> Result<T, Cause>) -> Result<T, Cause> {
    retry::while_transient(transient, step).await
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
                    Cause::IoError(std::io::ErrorKind::ConnectionReset.into())
                } else {
                    Cause::AuthenticationFailure("no".to_owned())
                };
                async { Err(cause) }
            })
            .await;
            assert!(outcome.is_err());
            assert_eq!(attempts, expected);
        }
    }
}
