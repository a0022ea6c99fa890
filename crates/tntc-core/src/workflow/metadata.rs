//! The `metadata` section: whose a workflow is and where it belongs. Nothing that runs depends on it.

use serde_json::{Map, Value};

use crate::values::MAX_LABEL;

/// Most bytes of one text. Kubernetes allows an object 256 KiB of annotations (`TotalAnnotationSizeLimitB`); four texts and
/// [`MAX_TAGS`] tags stay far below.
pub const MAX_METADATA: usize = 4096;

/// Most tags of a workflow.
pub const MAX_TAGS: usize = 64;

/// Most bytes of one tag.
pub const MAX_TAG: usize = 256;

/// Whose a workflow is and where it belongs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// Who answers for it.
    pub owner: Option<String>,
    /// The team of the owner.
    pub team: Option<String>,
    /// What it belongs to.
    pub group: Option<String>,
    /// Where it is meant to run; a word for people, not one of the config's environments.
    pub environment: Option<String>,
    /// Words to find it by, in the order of the file.
    pub tags: Vec<String>,
    /// The user's own `x-` keys.
    pub extensions: Map<String, Value>,
}

impl Metadata {
    /// The texts that are set, by the keys of the file and in their order.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("owner", &self.owner),
            ("team", &self.team),
            ("group", &self.group),
            ("environment", &self.environment),
        ]
        .into_iter()
        .filter_map(|(key, text)| Some((key, text.as_deref()?)))
    }
}

/// Prefix of our labels and annotations.
pub const OWN_LABELS: &str = "tentacular.dev/";

/// The label by which objects with a tag are found: the tag behind `tentacular.dev/tag-`. Nothing for a tag that no
/// label can hold (Kubernetes: `IsQualifiedName`).
#[must_use]
pub fn tag_label(tag: &str) -> Option<String> {
    let name = format!("tag-{tag}");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let fits = name.len() <= MAX_LABEL
        && name.bytes().all(is_plain)
        && tag.ends_with(|c: char| c.is_ascii_alphanumeric());
    fits.then(|| format!("{OWN_LABELS}{name}"))
}
