//! Image references: putting a registry in front of a tag, and keeping a digest behind it.

use oci_client::Reference;

use crate::error::{Error, Result};

/// The full reference: a registry goes in front of a tag that names none itself.
///
/// # Errors
/// What results is no image reference, or names a digest.
pub fn tagged(tag: &str, registry: Option<&str>) -> Result<String> {
    let registry = registry.map(|registry| registry.trim_end_matches('/'));
    let image = match registry.filter(|registry| !registry.is_empty()) {
        Some(registry) if !names_registry(tag) => format!("{registry}/{tag}"),
        _ => tag.to_owned(),
    };
    match parse(&image)?.digest() {
        None => Ok(image),
        Some(_) => Err(Error::usage(format!(
            "`{tag}` names a digest, which is what a build makes, not what it is given"
        ))
        .hint("name a tag, such as my-engine:v2")),
    }
}

/// Reads a reference as Docker does: without a registry it is Docker Hub's.
pub fn parse(image: &str) -> Result<Reference> {
    image.parse().map_err(|cause| {
        Error::usage(format!("`{image}` is no image reference: {cause}"))
            .hint("write one such as my-engine:v2 or registry.example.com/team/my-engine:v2")
    })
}

/// The same image of the same repository, under another tag.
pub fn with_tag_suffix(image: &str, suffix: &str) -> String {
    let has_tag = image
        .rsplit('/')
        .next()
        .is_some_and(|last| last.contains(':'));
    if has_tag {
        format!("{image}-{suffix}")
    } else {
        format!("{image}:latest-{suffix}")
    }
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

/// As Docker reads a reference: a first part with a dot or a port, or `localhost`, is a registry.
fn names_registry(tag: &str) -> bool {
    tag.split_once('/')
        .is_some_and(|(first, _)| first.contains(['.', ':']) || first == "localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(tag: &str, registry: Option<&str>) -> String {
        tagged(tag, registry).expect("a reference")
    }

    #[test]
    fn a_registry_goes_in_front_of_a_tag() {
        assert_eq!(
            image("e:v2", Some("reg.example.com")),
            "reg.example.com/e:v2"
        );
        assert_eq!(
            image("my-engine:v2", Some("localhost:5000/team/")),
            "localhost:5000/team/my-engine:v2"
        );
    }

    #[test]
    fn a_tag_that_names_a_registry_keeps_it() {
        assert_eq!(
            image("other.example.com/e:v1", Some("reg.example.com")),
            "other.example.com/e:v1"
        );
        assert_eq!(
            image("team/e:v1", Some("reg.example.com")),
            "reg.example.com/team/e:v1"
        );
    }

    #[test]
    fn without_a_registry_the_tag_stands() {
        assert_eq!(image("e:v1", None), "e:v1");
        assert_eq!(image("e:v1", Some("")), "e:v1");
    }

    #[test]
    fn what_is_no_reference_is_refused_before_anything_is_built() {
        for tag in ["Upper:v1", "e:", "e:v1 --push", "e:v1\nRUN x"] {
            assert!(tagged(tag, None).is_err(), "{tag}");
        }
        let digest = format!("e@sha256:{}", "0".repeat(64));
        assert!(tagged(&digest, None).is_err());
    }

    #[test]
    fn a_suffix_goes_behind_the_tag() {
        assert_eq!(
            with_tag_suffix("localhost:5000/e", "x"),
            "localhost:5000/e:latest-x"
        );
        assert_eq!(with_tag_suffix("e:v1", "x"), "e:v1-x");
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
