//! Image references with a tag, a digest, or both: `reg.io/engine:v2@sha256:…`.
//!
//! With both, a pod gets the digest, so that what was tested is what runs, and people get to see the tag.

/// A reference, taken apart at its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageReference<'a> {
    whole: &'a str,
    tagged: &'a str,
    digest: Option<&'a str>,
}

impl<'a> ImageReference<'a> {
    /// Takes any text apart; whether an image of that name exists is the cluster's to say.
    #[must_use]
    pub fn of(whole: &'a str) -> Self {
        match whole.split_once('@') {
            Some((tagged, digest)) => Self {
                whole,
                tagged,
                digest: Some(digest),
            },
            None => Self {
                whole,
                tagged: whole,
                digest: None,
            },
        }
    }

    /// What a pod runs: by digest alone where there is one.
    #[must_use]
    pub fn pinned(&self) -> String {
        match self.digest {
            Some(digest) => format!("{}@{digest}", self.repository()),
            None => self.whole.to_owned(),
        }
    }

    /// Whether it names one image for ever.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.digest.is_some()
    }

    /// The tag that a digest was given beside, to be shown to people.
    #[must_use]
    pub fn tag_beside_digest(&self) -> Option<&'a str> {
        (self.digest.is_some() && self.tagged != self.repository()).then_some(self.tagged)
    }

    /// What an image loaded into a node by hand is called there: its tag. A digest without a tag stays, since there is
    /// no other name.
    #[must_use]
    pub fn loaded(&self) -> &'a str {
        self.tag_beside_digest().unwrap_or(self.whole)
    }

    /// Without tag and digest. A colon before the last `/` belongs to a registry's port.
    fn repository(&self) -> &'a str {
        let name = self.tagged.rfind('/').map_or(0, |slash| slash + 1);
        match self.tagged[name..].find(':') {
            Some(colon) => &self.tagged[..name + colon],
            None => self.tagged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_tag_and_digest_the_pod_gets_the_digest_and_people_the_tag() {
        let image = ImageReference::of("localhost:5000/team/engine:v2@sha256:ab");
        assert_eq!(image.pinned(), "localhost:5000/team/engine@sha256:ab");
        assert_eq!(
            image.tag_beside_digest(),
            Some("localhost:5000/team/engine:v2")
        );
    }

    #[test]
    fn a_kind_node_knows_the_tag_alone() {
        let loaded = |text| ImageReference::of(text).loaded();
        assert_eq!(loaded("engine:v2@sha256:ab"), "engine:v2");
        assert_eq!(loaded("engine:v2"), "engine:v2");
        assert_eq!(loaded("reg.io/engine@sha256:ab"), "reg.io/engine@sha256:ab");
    }

    #[test]
    fn without_a_digest_nothing_changes() {
        for text in ["engine", "engine:v2", "localhost:5000/engine"] {
            let image = ImageReference::of(text);
            assert_eq!(image.pinned(), text);
            assert_eq!(image.tag_beside_digest(), None);
        }
    }
}
