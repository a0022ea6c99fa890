//! Image references: putting a registry in front of a tag, and keeping a digest behind it.

use oci_spec::distribution::Reference;
use regex_lite::Regex;

use crate::outcome::{Error, Result};

/// The registry of images that name none.
const DOCKER_HUB: &str = "docker.io";

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

/// Reads a reference as Docker does: without a registry it is Docker Hub's, without a tag `latest`.
///
/// `oci-spec` can read one, too, and takes longer to compile its regular expression than the rest of a build that finds
/// nothing to do.
///
/// # Errors
/// It is against the grammar.
pub fn parse(image: &str) -> Result<Reference> {
    let Some(parts) = grammar()?.captures(image) else {
        return Err(Error::usage(format!("`{image}` is not a valid image reference"))
            .hint("write one such as my-engine:v2 or registry.example.com/team/my-engine:v2")
            .hint("a repository is in lower case; a tag is of at most 128 letters, digits, `_`, `.` and `-`"));
    };
    let part = |name| parts.name(name).map(|found| found.as_str().to_owned());
    let (registry, repository) = located(&parts["name"]);
    Ok(match (part("tag"), part("digest")) {
        (tag, None) => {
            let tag = tag.unwrap_or_else(|| "latest".to_owned());
            Reference::with_tag(registry, repository, tag)
        }
        (None, Some(digest)) => Reference::with_digest(registry, repository, digest),
        (Some(tag), Some(digest)) => {
            Reference::with_tag_and_digest(registry, repository, tag, digest)
        }
    })
}

/// What has this digest in the repository of an image.
pub fn by_digest(target: &Reference, digest: String) -> Reference {
    Reference::with_digest(
        target.registry().to_owned(),
        target.repository().to_owned(),
        digest,
    )
}

/// The grammar at the head of `reference.go` in `distribution/reference`, with digests of SHA-256 alone.
fn grammar() -> Result<Regex> {
    let label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
    let host = format!(r"(?:{label}(?:\.{label})*|\[[0-9a-fA-F:]+\])");
    let path = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
    let name = format!("(?<name>(?:{host}(?::[0-9]+)?/)?{path}(?:/{path})*)");
    let tag = r"(?<tag>\w[\w.-]{0,127})";
    let digest = "(?<digest>sha256:[0-9a-f]{64})";
    let whole = Regex::new(&format!("^{name}(?::{tag})?(?:@{digest})?$"));
    whole.map_err(|cause| Error::failed(cause.to_string()))
}

/// Registry and repository; images of Docker Hub that name no user are in `library`.
fn located(name: &str) -> (String, String) {
    let (registry, repository) = match name.split_once('/') {
        Some((registry, rest)) if names_registry(name) => (registry, rest),
        _ => (DOCKER_HUB, name),
    };
    match registry {
        DOCKER_HUB | "index.docker.io" if !repository.contains('/') => {
            (DOCKER_HUB.to_owned(), format!("library/{repository}"))
        }
        "index.docker.io" => (DOCKER_HUB.to_owned(), repository.to_owned()),
        _ => (registry.to_owned(), repository.to_owned()),
    }
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

    /// Every name, tag and digest with every other, of which most are none.
    #[test]
    fn references_are_read_as_the_reference_library_reads_them() {
        let names = [
            "e",
            "e.f_g__h---i",
            "team/e",
            "a/b/c",
            "localhost/e",
            "localhost:5000/e",
            "docker.io/e",
            "docker.io/team/e",
            "index.docker.io/e",
            "index.docker.io/team/e",
            "Reg.Example.com/e",
            "reg-1.example.com:80/a/b",
            "10.0.0.1/e",
            "reg.example.com",
            "foo_bar.com:8080",
            "",
            "/e",
            "e/",
            "a//b",
            "E",
            "a/E",
            "e.",
            "-e",
            "e..f",
            "e___f",
            "-reg.com/e",
            "reg-.com/e",
            "reg..com/e",
            "reg.com:/e",
            "reg.com:x/e",
            "e f",
            "e\n",
            "\u{e9}",
            "e@",
        ];
        let tags = [
            "", ":v1", ":V_1.2-3", ":_", ":", ":-v", ":.v", ":v 1", ":v1\n", ":v:w",
        ];
        let digests = [
            "",
            &format!("@sha256:{}", "a0".repeat(32)),
            "@sha256:a0",
            "@",
            "@sha256:",
        ];
        let long = format!(":{}", "v".repeat(129));
        for name in names {
            for tag in tags.into_iter().chain([long.as_str(), &long[..129]]) {
                for digest in digests {
                    let image = format!("{name}{tag}{digest}");
                    assert_eq!(parse(&image).ok(), image.parse().ok(), "{image:?}");
                }
            }
        }
    }

    #[test]
    fn a_registry_may_be_an_address_of_ipv6() {
        let image = parse("[::1]:5000/e:v1").expect("a reference");
        assert_eq!((image.registry(), image.repository()), ("[::1]:5000", "e"));
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
