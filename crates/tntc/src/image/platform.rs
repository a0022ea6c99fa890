//! Platforms that images are built for, written as Docker writes them: `linux/arm64`, `linux/arm/v7`.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

/// An operating system, an architecture and sometimes a variant of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// Such as `linux`.
    pub os: String,
    /// As Go names it: `amd64`, `arm64`.
    pub architecture: String,
    /// Such as `v7`.
    pub variant: Option<String>,
}

impl Platform {
    /// What the containers of this machine run: Linux, also where Docker runs them in a virtual machine.
    pub fn host() -> Self {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        Self {
            os: "linux".to_owned(),
            architecture: architecture.to_owned(),
            variant: None,
        }
    }

    /// The platform that an image's config, or an entry of an index, names.
    pub fn of(described: &Value) -> Option<Self> {
        let text = |name: &str| described[name].as_str().filter(|text| !text.is_empty());
        Some(Self {
            os: text("os")?.to_owned(),
            architecture: text("architecture")?.to_owned(),
            variant: text("variant").map(str::to_owned),
        })
    }

    /// Whether an image of platform `other` is what was asked for: a variant counts only when one was asked for.
    pub fn accepts(&self, other: &Self) -> bool {
        let variant = self.variant.is_none() || self.variant == other.variant;
        self.os == other.os && self.architecture == other.architecture && variant
    }

    /// Fit to end a tag: `linux-arm64`.
    pub fn tag_suffix(&self) -> String {
        self.to_string().replace('/', "-")
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<_> = text.trim().split('/').collect();
        let fine =
            |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match parts.as_slice() {
            [os, architecture, variant @ ..] if variant.len() < 2 && parts.iter().all(fine) => {
                Ok(Self {
                    os: (*os).to_owned(),
                    architecture: (*architecture).to_owned(),
                    variant: variant.first().map(|variant| (*variant).to_owned()),
                })
            }
            _ => Err(format!(
                "`{text}` is not a valid platform; write one such as linux/amd64 or linux/arm64"
            )),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(out, "/{variant}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_reads_as_it_is_written() {
        for text in ["linux/amd64", "linux/arm64", "linux/arm/v7"] {
            let platform: Platform = text.parse().expect("a platform");
            assert_eq!(platform.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_platform_is_refused() {
        for text in ["", "linux", "linux/", "linux/arm/v7/x", "linux/arm 64"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_variant_counts_only_when_one_was_asked_for() {
        let parse = |text: &str| text.parse::<Platform>().expect("a platform");
        assert!(parse("linux/arm64").accepts(&parse("linux/arm64/v8")));
        assert!(!parse("linux/arm/v7").accepts(&parse("linux/arm/v6")));
        assert!(!parse("linux/arm64").accepts(&parse("linux/amd64")));
    }
}
