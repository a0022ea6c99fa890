//! Image references with a tag, a digest, or both: `reg.io/engine:v2@sha256:…`.
//!
//! With both, a pod gets the digest, so that what was tested is what runs, and people get to see the tag.

mod grammar;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::diagnostic::Invalid;

/// The registry of images that name none.
pub const DOCKER_HUB: &str = "docker.io";

/// A reference by the grammar of `distribution/reference`, which Docker, containerd and the kubelet share, as it was
/// written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ImageReference(Cow<'static, str>);

impl ImageReference {
    /// The engine image when nothing names another one; what `tntc build` tags by default.
    pub const DEFAULT: Self = Self(Cow::Borrowed("tentacular-engine:latest"));
    /// The image that the engine's is built on.
    pub const DEFAULT_BASE: Self = Self(Cow::Borrowed("denoland/deno:distroless"));
    /// The image of the pods that trigger a workflow. By digest, since it sees what runs get and give; the test cluster
    /// gives its own image this name.
    pub const DEFAULT_TRIGGER: Self = Self(Cow::Borrowed(
        "curlimages/curl:8.21.0@sha256:7c12af72ceb38b7432ab85e1a265cff6ae58e06f95539d539b654f2cfa64bb13",
    ));

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The registry, `docker.io` where none is named.
    #[must_use]
    pub fn registry(&self) -> &str {
        match grammar::split_registry(self.name()) {
            None | Some(("index.docker.io", _)) => DOCKER_HUB,
            Some((registry, _)) => registry,
        }
    }

    /// Whether a registry is named.
    #[must_use]
    pub fn names_registry(&self) -> bool {
        grammar::split_registry(self.name()).is_some()
    }

    /// The repository within the registry; Docker Hub's own images are in `library`.
    #[must_use]
    pub fn repository(&self) -> Cow<'_, str> {
        let path = grammar::split_registry(self.name()).map_or(self.name(), |(_, path)| path);
        if self.registry() == DOCKER_HUB && !path.contains('/') {
            return Cow::Owned(format!("library/{path}"));
        }
        Cow::Borrowed(path)
    }

    /// The tag, where one is written.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        grammar::split_tag(self.tagged()).1
    }

    /// The digest, where one is written.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        grammar::split_digest(self.as_str()).1
    }

    /// Without the digest.
    fn tagged(&self) -> &str {
        grammar::split_digest(self.as_str()).0
    }

    /// Without tag and digest, as it is written.
    fn name(&self) -> &str {
        grammar::split_tag(self.tagged()).0
    }

    /// With registry and tag written out: `docker.io/library/e:latest`.
    #[must_use]
    pub fn whole(&self) -> String {
        let name = format!("{}/{}", self.registry(), self.repository());
        let tag = self.tag().map(|tag| format!(":{tag}"));
        let digest = self.digest().map(|digest| format!("@{digest}"));
        match (tag, digest) {
            (None, None) => format!("{name}:latest"),
            (tag, digest) => name + &tag.unwrap_or_default() + &digest.unwrap_or_default(),
        }
    }

    /// What a pod runs: by digest alone where there is one.
    #[must_use]
    pub fn pinned(&self) -> String {
        match self.digest() {
            Some(digest) => format!("{}@{digest}", self.name()),
            None => self.to_string(),
        }
    }

    /// Whether it names one image for ever.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.digest().is_some()
    }

    /// The tag that a digest was given beside, to be shown to people.
    #[must_use]
    pub fn tag_beside_digest(&self) -> Option<&str> {
        (self.is_pinned() && self.tag().is_some()).then(|| self.tagged())
    }

    /// What an image loaded into a node by hand is called there: its tag. A digest without a tag stays, since there is
    /// no other name.
    #[must_use]
    pub fn loaded(&self) -> Self {
        match self.tag_beside_digest() {
            Some(tagged) => Self(Cow::Owned(tagged.to_owned())),
            None => self.clone(),
        }
    }

    /// What has this digest in the same repository.
    ///
    /// # Errors
    /// It is not a digest: whoever named it is not to choose a path.
    pub fn by_digest(&self, digest: &str) -> Result<Self, Invalid> {
        format!("{}@{digest}", self.name()).parse()
    }

    /// The same image with its digest beside the tag.
    ///
    /// # Errors
    /// It is not a digest.
    pub fn with_digest(&self, digest: &str) -> Result<Self, Invalid> {
        format!("{}@{digest}", self.tagged()).parse()
    }

    /// The same image of the same repository, with a suffix to its tag.
    ///
    /// # Errors
    /// The tag gets longer than tags are.
    pub fn with_tag_suffix(&self, suffix: &str) -> Result<Self, Invalid> {
        let tag = self.tag().unwrap_or("latest");
        format!("{}:{tag}-{suffix}", self.name()).parse()
    }

    /// The same image in a registry, or below a path of one, unless it names a registry itself.
    ///
    /// # Errors
    /// It is not a registry.
    pub fn in_registry(&self, registry: &str) -> Result<Self, Invalid> {
        let registry = registry.trim_end_matches('/');
        if registry.is_empty() || self.names_registry() {
            return Ok(self.clone());
        }
        grammar::check_registry(registry)?;
        format!("{registry}/{self}").parse()
    }
}

impl FromStr for ImageReference {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        grammar::check(text)?;
        Ok(Self(Cow::Owned(text.to_owned())))
    }
}

impl TryFrom<String> for ImageReference {
    type Error = String;

    /// For a file's reader, which has one line for what is wrong and what to write.
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
            .map_err(|invalid: Invalid| invalid.in_one_line())
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text in every schema.
impl JsonSchema for ImageReference {
    fn inline_schema() -> bool {
        String::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        String::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests;
