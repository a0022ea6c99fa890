//! HTTP to a registry, by the distribution specification (<https://github.com/opencontainers/distribution-spec>).
//!
//! Whatever a registry answers, nothing of it ends the process, fills the memory or the disk, or leads credentials to
//! another host: each answer has a bound, and each header is checked before it is used.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, LOCATION};
use reqwest::{Client, Method, Request, RequestBuilder, Response, StatusCode, Url};
use sha2::{Digest, Sha256};
use tntc_core::values::{DOCKER_HUB, ImageReference};
use tokio::io::AsyncWriteExt;
use tokio::sync::Mutex;

use super::credentials::Login;
use super::image::{Blob, Descriptor};
use super::layer::{digest, in_hex};
use super::protocol::Protocol;
use super::response::{Cause, bytes, checked};
use super::tokens::{self, Operation};
use super::told;
use crate::process::proxies;

/// Bytes of a manifest or index; the specification asks registries for 4 MiB.
const MANIFEST: usize = 4 * 1024 * 1024;
/// How long a registry may take to accept a connection, and to send anything at all on one.
const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_mins(1);

/// Manifests of one platform and indexes of several, in OCI's terms and in Docker's.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// A registry.
pub struct Wire {
    client: Client,
    base: Url,
    login: Login,
    /// The header of each repository and operation that was asked for.
    headers: Mutex<HashMap<(String, Operation), Option<HeaderValue>>>,
}

impl Wire {
    /// The registry of an image; nothing is asked yet.
    pub fn new(image: &ImageReference, login: Login, protocol: Protocol) -> Result<Self, Cause> {
        let base = format!("{}://{}/v2/", protocol.scheme(), host(image));
        let base = base.parse().map_err(|_| {
            Cause::Odd(format!(
                "`{}` is not the address of a registry",
                image.registry()
            ))
        })?;
        Ok(Self {
            client: client(protocol)?,
            base,
            login,
            headers: Mutex::default(),
        })
    }

    /// Gets what the registry wants to be sent for an operation on an image's repository.
    pub async fn greet(&self, image: &ImageReference, operation: Operation) -> Result<(), Cause> {
        self.header(image, operation).await.map(drop)
    }

    async fn header(
        &self,
        image: &ImageReference,
        operation: Operation,
    ) -> Result<Option<HeaderValue>, Cause> {
        let key = (image.repository().into_owned(), operation);
        let mut known = self.headers.lock().await;
        if let Some(header) = known.get(&key) {
            return Ok(header.clone());
        }
        let greeting = self.client.get(self.base.clone()).send().await?;
        let header = tokens::header(&self.client, &greeting, &self.login, image, operation).await?;
        known.insert(key, header.clone());
        Ok(header)
    }

    fn url(&self, image: &ImageReference, path: &str) -> Result<Url, Cause> {
        let url = self.base.join(&format!("{}/{path}", image.repository()));
        url.map_err(|cause| Cause::Odd(format!("`{path}` is not a path: {cause}")))
    }

    fn manifest_url(&self, image: &ImageReference) -> Result<Url, Cause> {
        let reference = image.digest().or_else(|| image.tag()).unwrap_or("latest");
        self.url(image, &format!("manifests/{reference}"))
    }

    async fn send(
        &self,
        request: RequestBuilder,
        image: &ImageReference,
        operation: Operation,
    ) -> Result<Response, Cause> {
        let mut request: Request = request.build()?;
        // Wherever else an upload or a manifest leads, the credentials are not for that host.
        if !self.is_own(request.url()) {
            return Ok(self.client.execute(request).await?);
        }
        let header = self.header(image, operation).await?;
        if let Some(header) = &header {
            request.headers_mut().insert(AUTHORIZATION, header.clone());
        }
        let answer = self.client.execute(request).await?;
        let is_refused = answer.status() == StatusCode::UNAUTHORIZED && self.is_own(answer.url());
        if is_refused && self.renew(&answer, header, image, operation).await? {
            return Err(Cause::Renewed);
        }
        Ok(answer)
    }

    /// Gets a token for one that has expired, or the first one where a registry greets everybody and asks later; false when
    /// there is nothing else to send.
    async fn renew(
        &self,
        answer: &Response,
        sent: Option<HeaderValue>,
        image: &ImageReference,
        operation: Operation,
    ) -> Result<bool, Cause> {
        let header = tokens::header(&self.client, answer, &self.login, image, operation).await?;
        let is_other = header.is_some() && header != sent;
        if is_other {
            let key = (image.repository().into_owned(), operation);
            self.headers.lock().await.insert(key, header);
        }
        Ok(is_other)
    }

    fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// The digest that a tag has now.
    pub async fn digest(&self, image: &ImageReference) -> Result<String, Cause> {
        let request = self
            .client
            .head(self.manifest_url(image)?)
            .header(ACCEPT, MANIFESTS);
        let answer = self.send(request, image, Operation::Pull).await?;
        let (status, named) = (answer.status(), content_digest(&answer));
        if status == StatusCode::NOT_FOUND || told::is_late(status.as_u16()) {
            checked(answer).await?;
        }
        // Some refuse this method, and an answer to it cannot say why it refuses.
        match named.filter(|named| status.is_success() && image.by_digest(named).is_ok()) {
            Some(found) => Ok(found),
            None => Ok(digest(&self.manifest(image).await?)),
        }
    }

    /// A manifest or index, checked against its digest.
    pub async fn manifest(&self, image: &ImageReference) -> Result<Vec<u8>, Cause> {
        let request = self
            .client
            .get(self.manifest_url(image)?)
            .header(ACCEPT, MANIFESTS);
        let answer = checked(self.send(request, image, Operation::Pull).await?).await?;
        let content = bytes(answer, MANIFEST, "the manifest").await?;
        match image.digest() {
            Some(wanted) if wanted != digest(&content) => {
                Err(Cause::Odd(format!("the manifest's digest is not {wanted}")))
            }
            _ => Ok(content),
        }
    }

    /// Writes a blob to a file; what it holds is checked against the size and the digest.
    pub async fn fetch(
        &self,
        image: &ImageReference,
        blob: &Descriptor,
        to: &Path,
    ) -> Result<(), Cause> {
        let request = self
            .client
            .get(self.url(image, &format!("blobs/{}", blob.digest))?);
        let answer = checked(self.send(request, image, Operation::Pull).await?).await?;
        let mut file = tokio::fs::File::create(to).await?;
        let (mut hash, mut left) = (Sha256::new(), blob.size);
        let mut pieces = answer.bytes_stream();
        while let Some(piece) = pieces.next().await.transpose()? {
            left = left.checked_sub(piece.len() as u64).ok_or_else(|| {
                Cause::Odd(format!(
                    "{} is larger than its {} bytes",
                    blob.digest, blob.size
                ))
            })?;
            hash.update(&piece);
            file.write_all(&piece).await?;
        }
        file.flush().await?;
        if left > 0 || in_hex(&hash.finalize()) != blob.digest {
            return Err(Cause::Odd(format!("what came is not {}", blob.digest)));
        }
        Ok(())
    }

    /// Whether the repository has a blob.
    pub async fn has(&self, image: &ImageReference, digest: &str) -> Result<bool, Cause> {
        let request = self
            .client
            .head(self.url(image, &format!("blobs/{digest}"))?);
        let answer = self.send(request, image, Operation::Push).await?;
        let status = answer.status();
        if status.is_client_error()
            && status != StatusCode::UNAUTHORIZED
            && !told::is_late(status.as_u16())
        {
            // Also of those that refuse this method: what keeps a blob out is said of the upload.
            return Ok(false);
        }
        checked(answer).await.map(|_| true)
    }

    /// Takes a blob over from another repository of this registry.
    ///
    /// # Errors
    /// The registry does not do that, or not for this user.
    pub async fn mount(
        &self,
        image: &ImageReference,
        from: &ImageReference,
        digest: &str,
    ) -> Result<(), Cause> {
        let mut url = self.url(image, "blobs/uploads/")?;
        url.query_pairs_mut()
            .append_pair("mount", digest)
            .append_pair("from", &from.repository());
        let request = self.client.post(url).header(CONTENT_LENGTH, 0);
        let answer = checked(self.send(request, image, Operation::Push).await?).await?;
        match answer.status() {
            StatusCode::CREATED => Ok(()),
            other => Err(Cause::Odd(format!("it began an upload instead ({other})"))),
        }
    }

    /// Uploads a blob's bytes in one request, which every registry takes; some refuse pieces.
    pub async fn push(
        &self,
        image: &ImageReference,
        blob: &Descriptor,
        content: reqwest::Body,
    ) -> Result<(), Cause> {
        let begin = self
            .client
            .post(self.url(image, "blobs/uploads/")?)
            .header(CONTENT_LENGTH, 0);
        let answer = checked(self.send(begin, image, Operation::Push).await?).await?;
        let mut target = location(&answer)?;
        target.query_pairs_mut().append_pair("digest", &blob.digest);
        let upload = self
            .client
            .put(target)
            .header(CONTENT_LENGTH, blob.size)
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(content);
        checked(self.send(upload, image, Operation::Push).await?)
            .await
            .map(drop)
    }

    /// Uploads a manifest or an index under the reference's tag or digest.
    pub async fn push_manifest(
        &self,
        image: &ImageReference,
        manifest: &Blob,
    ) -> Result<(), Cause> {
        let request = self
            .client
            .request(Method::PUT, self.manifest_url(image)?)
            .header(CONTENT_TYPE, &manifest.descriptor.media_type)
            .body(manifest.content.clone());
        let answer = checked(self.send(request, image, Operation::Push).await?).await?;
        let ours = &manifest.descriptor.digest;
        let stored = content_digest(&answer).filter(|stored| image.by_digest(stored).is_ok());
        match stored.filter(|stored| stored != ours) {
            // What pods are to run is named by its digest.
            Some(other) => Err(Cause::Odd(format!(
                "it stored the manifest as {other} and not as {ours}"
            ))),
            None => Ok(()),
        }
    }
}

/// Where the registry of an image is; Docker Hub's is elsewhere than its name says.
fn host(image: &ImageReference) -> &str {
    match image.registry() {
        DOCKER_HUB => "index.docker.io",
        registry => registry,
    }
}

fn content_digest(answer: &Response) -> Option<String> {
    let header = answer.headers().get("docker-content-digest")?;
    header.to_str().ok().map(str::to_owned)
}

fn location(answer: &Response) -> Result<Url, Cause> {
    let header = answer.headers().get(LOCATION);
    target(answer.url(), header.and_then(|header| header.to_str().ok()))
}

/// Where an upload goes on: a whole URL, or a path, with or without a slash before it. Never from TLS to the clear.
fn target(from: &Url, location: Option<&str>) -> Result<Url, Cause> {
    let target = location.and_then(|location| from.join(location).ok());
    let usable = target.filter(|url| matches!(url.scheme(), "http" | "https"));
    let usable = usable
        .ok_or_else(|| Cause::Odd("it does not say where the upload goes (Location)".to_owned()))?;
    if from.scheme() == "https" && usable.scheme() == "http" {
        return Err(Cause::Odd(
            "it sends the upload to plain HTTP: a proxy before it has to set X-Forwarded-Proto"
                .to_owned(),
        ));
    }
    Ok(usable)
}

/// A client that goes by the environment's proxies, by the same rules as to a cluster.
fn client(protocol: Protocol) -> Result<Client, Cause> {
    let mut builder = Client::builder()
        .user_agent(concat!("tntc/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .proxy(reqwest::Proxy::custom(proxies::for_url));
    if protocol == Protocol::Http {
        // A registry that speaks plain HTTP has no certificate, though it may keep blobs with a cloud that has one. For
        // that Mozilla's authorities do, and reading the system's would take as long as all else of a build.
        let authorities = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        let authorities: Result<Vec<_>, _> = authorities
            .map(|der| reqwest::Certificate::from_der(der))
            .collect();
        builder = builder.tls_certs_only(authorities?);
    }
    Ok(builder.build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_goes_on_at_a_path_or_another_host_and_never_in_the_clear() {
        let from = |url: &str| url.parse::<Url>().expect("a URL");
        let tls = from("https://reg.io/v2/e/blobs/uploads/");
        for (location, expected) in [
            ("/v2/e/1?s=a", "https://reg.io/v2/e/1?s=a"),
            ("1", "https://reg.io/v2/e/blobs/uploads/1"),
            ("https://storage.io/1", "https://storage.io/1"),
            ("//storage.io/1", "https://storage.io/1"),
        ] {
            let found = target(&tls, Some(location)).expect("a place");
            assert_eq!(found.as_str(), expected);
        }
        for (location, told) in [
            (Some("http://reg.io/v2/e/1"), "X-Forwarded-Proto"),
            (Some("data:,x"), "Location"),
            (Some("http://["), "Location"),
            (None, "Location"),
        ] {
            let cause = target(&tls, location).expect_err("no place");
            assert!(cause.to_string().contains(told), "{cause}");
        }
        let clear = from("http://reg.io/v2/e/blobs/uploads/");
        assert!(target(&clear, Some("http://reg.io/1")).is_ok());
    }
}
