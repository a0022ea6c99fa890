//! What an image is called that `build` makes, and which registries are on this machine.

use tntc_core::settings::{Origin, Setting};
use tntc_core::values::ImageReference;

use crate::outcome::{Error, Result};

/// The full reference: a registry goes in front of a tag that names none itself.
///
/// # Errors
/// The tag names a digest, or the registry is not one.
pub fn tagged(tag: &ImageReference, registry: Option<&Setting<String>>) -> Result<ImageReference> {
    if tag.is_pinned() {
        return Err(Error::usage(format!(
            "`{tag}` names a digest, which is what a build makes, not what it is given"
        ))
        .hint("name a tag, such as my-engine:v2"));
    }
    let Some(Setting { value, origin }) = registry else {
        return Ok(tag.clone());
    };
    tag.in_registry(value).map_err(|invalid| {
        let place = match origin {
            Origin::Flag => "--registry".to_owned(),
            other => format!("`registry` of the {other}"),
        };
        let error = Error::usage(format!("{place}: {invalid}"));
        invalid.help.into_iter().fold(error, Error::hint)
    })
}

/// Whether a registry is on this machine, where Docker speaks plain HTTP, too.
pub fn is_local(registry: &str) -> bool {
    let host = match registry.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => registry.split(':').next().unwrap_or_default(),
    };
    let loopback = host.parse::<std::net::IpAddr>();
    host == "localhost" || loopback.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> ImageReference {
        text.parse().expect("a reference")
    }

    #[test]
    fn a_digest_is_not_what_a_build_is_given() {
        let digest = format!("e@sha256:{}", "0".repeat(64));
        assert!(tagged(&tag(&digest), None).is_err());
    }

    #[test]
    fn a_registry_that_is_not_one_is_told_with_its_place() {
        for (origin, place) in [
            (Origin::Flag, "--registry: "),
            (Origin::User, "`registry` of the user config: "),
        ] {
            let registry = Setting {
                value: "https://ghcr.io/team".to_owned(),
                origin,
            };
            let error = tagged(&tag("e:v1"), Some(&registry)).expect_err("no registry");
            let expected = format!("{place}`https://ghcr.io/team` is not a valid registry");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn only_this_machine_is_local() {
        for name in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:5100",
            "[::1]:5000",
        ] {
            assert!(is_local(name), "{name}");
        }
        for name in [
            "localhost.example.com",
            "reg.example.com:5000",
            "10.0.0.1:5000",
        ] {
            assert!(!is_local(name), "{name}");
        }
    }
}
