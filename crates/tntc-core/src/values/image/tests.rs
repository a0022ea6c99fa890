use super::*;

fn image(text: &str) -> ImageReference {
    text.parse().expect("a reference")
}

fn digest() -> String {
    format!("sha256:{}", "a0".repeat(32))
}

#[test]
fn the_defaults_are_valid() {
    for default in [
        ImageReference::DEFAULT,
        ImageReference::DEFAULT_BASE,
        ImageReference::DEFAULT_TRIGGER,
    ] {
        assert_eq!(image(default.as_str()), default);
    }
    assert!(ImageReference::DEFAULT_TRIGGER.is_pinned());
}

#[test]
fn with_tag_and_digest_the_pod_gets_the_digest_and_people_the_tag() {
    let digest = digest();
    let image = image(&format!("localhost:5000/team/engine:v2@{digest}"));
    assert_eq!(
        image.pinned(),
        format!("localhost:5000/team/engine@{digest}")
    );
    assert_eq!(
        image.tag_beside_digest(),
        Some("localhost:5000/team/engine:v2")
    );
}

#[test]
fn a_kind_node_knows_the_tag_alone() {
    let digest = digest();
    let loaded = |text: String| image(&text).loaded().to_string();
    assert_eq!(loaded(format!("engine:v2@{digest}")), "engine:v2");
    assert_eq!(loaded("engine:v2".to_owned()), "engine:v2");
    let pinned = format!("reg.io/engine@{digest}");
    assert_eq!(loaded(pinned.clone()), pinned);
}

#[test]
fn without_a_digest_nothing_changes() {
    for text in ["engine", "engine:v2", "localhost:5000/engine"] {
        assert_eq!(image(text).pinned(), text);
        assert_eq!(image(text).tag_beside_digest(), None);
    }
}

#[test]
fn a_registry_goes_in_front_of_an_image_that_names_none() {
    for (tag, registry, expected) in [
        ("e:v2", "reg.example.com", "reg.example.com/e:v2"),
        ("e:v2", "localhost:5000/team/", "localhost:5000/team/e:v2"),
        ("e:v2", "[::1]:5000", "[::1]:5000/e:v2"),
        (
            "other.example.com/e:v1",
            "reg.example.com",
            "other.example.com/e:v1",
        ),
        ("team/e:v1", "reg.example.com", "reg.example.com/team/e:v1"),
        ("e:v1", "", "e:v1"),
    ] {
        let found = image(tag).in_registry(registry).expect("a reference");
        assert_eq!(found.as_str(), expected);
    }
    for (registry, help) in [
        ("https://ghcr.io/team", "leave out the scheme: ghcr.io/team"),
        ("reg example", "write a host"),
        ("reg.io/Team", "write a host"),
    ] {
        let invalid = image("e").in_registry(registry).expect_err("no registry");
        assert!(invalid.message.contains(registry), "{invalid}");
        assert!(
            invalid.in_one_line().contains(help),
            "{}",
            invalid.in_one_line()
        );
    }
}

#[test]
fn parts_are_those_that_docker_reads() {
    let digest = digest();
    for (text, registry, repository, tag) in [
        ("e", "docker.io", "library/e", None),
        ("team/e:v1", "docker.io", "team/e", Some("v1")),
        ("docker.io/e", "docker.io", "library/e", None),
        ("index.docker.io/team/e", "docker.io", "team/e", None),
        ("localhost/e", "localhost", "e", None),
        (
            "localhost:5000",
            "docker.io",
            "library/localhost",
            Some("5000"),
        ),
        ("[::1]:5000/e:v1", "[::1]:5000", "e", Some("v1")),
        ("10.0.0.1/a/b", "10.0.0.1", "a/b", None),
    ] {
        let plain = image(text);
        assert_eq!(
            (
                plain.registry(),
                plain.repository().as_ref(),
                plain.tag(),
                plain.digest()
            ),
            (registry, repository, tag, None),
            "{text}"
        );
        let pinned = image(&format!("{text}@{digest}"));
        assert_eq!(
            (pinned.tag(), pinned.digest()),
            (tag, Some(digest.as_str()))
        );
        assert_eq!(plain.by_digest(&digest).expect("a digest").tag(), None);
    }
    assert_eq!(image("e").whole(), "docker.io/library/e:latest");
    let both = format!("reg.io/e:v1@{digest}");
    assert_eq!(image(&both).whole(), both);
}

#[test]
fn a_digest_that_somebody_else_names_is_no_path() {
    for evil in ["../../x", "sha256:../x", "sha256:", "", "sha256:a0/../x"] {
        assert!(image("reg.io/e").by_digest(evil).is_err(), "{evil}");
        assert!(image("reg.io/e").with_digest(evil).is_err(), "{evil}");
    }
}

#[test]
fn a_suffix_goes_behind_the_tag() {
    for (text, expected) in [
        ("localhost:5000/e", "localhost:5000/e:latest-x"),
        ("e:v1", "e:v1-x"),
    ] {
        let suffixed = image(text).with_tag_suffix("x").expect("a reference");
        assert_eq!(suffixed.as_str(), expected);
    }
    let long = image(&format!("e:{}", "v".repeat(128)));
    assert!(long.with_tag_suffix("x").is_err());
}

#[test]
fn what_is_not_a_reference_comes_with_what_to_write() {
    for (text, help) in [
        ("https://ghcr.io/x", "leave out `https://`: ghcr.io/x"),
        ("docker://x", "leave out `docker://`: x"),
        ("oci://ghcr.io/x:v1", "leave out `oci://`: ghcr.io/x:v1"),
        ("img:", "write a tag behind the colon: img:latest"),
        (
            "reg.io:5000/img:",
            "write a tag behind the colon: reg.io:5000/img:latest",
        ),
        ("im g", "leave out the blanks"),
        ("img:v1\n", "leave out the blanks"),
        ("", "name an image"),
        ("img@sha256:abc", "64 hexadecimal digits, not 3"),
        ("img@md5:abc", "a digest is sha256:"),
        ("img@sha256:ABC", "a digest is sha256:"),
        ("img@", "a digest is sha256:"),
        (
            "ghcr.io/Owner/x",
            "a repository is in lower case: ghcr.io/owner/x",
        ),
        ("Owner/x:V1", "a repository is in lower case: owner/x:V1"),
        ("img:${TAG}", "variables are not expanded here"),
        ("$REGISTRY/img", "variables are not expanded here"),
        ("img:{{ .Values.tag }}", "variables are not expanded here"),
        ("img:-v", "a tag is of at most 128"),
        ("/img", "write one such as"),
        ("img:a:b", "a tag is of at most 128"),
        ("reg.io//img", "write one such as"),
        (&"ab".repeat(32), "the ID of an image"),
        (&"a".repeat(256), "at most 255 characters, not 256"),
    ] {
        let invalid = text.parse::<ImageReference>().expect_err(text);
        assert!(
            invalid.message.ends_with("is not a valid image reference"),
            "{invalid}"
        );
        let told = invalid.help.unwrap_or_default();
        assert!(told.contains(help), "{text:?}: {told}");
    }
}

#[test]
fn a_message_repeats_nothing_that_steers_a_terminal() {
    let invalid = "e\u{1b}[2J:v1"
        .parse::<ImageReference>()
        .expect_err("no name");
    assert!(!invalid.in_one_line().contains('\u{1b}'), "{invalid}");
}

/// Every name, tag and digest with every other, of which most are none. The library does not read addresses of IPv6.
#[test]
fn references_are_read_as_the_reference_library_reads_them() {
    use oci_spec::distribution::Reference;
    let names = "e e.f_g__h---i team/e a/b/c localhost/e localhost:5000/e docker.io/e docker.io/team/e \
        index.docker.io/e index.docker.io/team/e Reg.Example.com/e reg-1.example.com:80/a/b 10.0.0.1/e \
        reg.example.com foo_bar.com:8080 /e e/ a//b E a/E e. -e e..f e___f e-_f -reg.com/e reg-.com/e \
        reg..com/e reg.com:/e reg.com:x/e e\u{a0}f \u{e9} e@ a/b:1/c []/e a:5:6/e localhost/ reg.com/e/ reg_x.com/e";
    let names = names.split(' ').chain(["", "e f", "e\n"]);
    let tags = [
        "", ":v1", ":V_1.2-3", ":_", ":", ":-v", ":.v", ":v 1", ":v1\n", ":v:w",
    ];
    let digests = [
        "",
        &format!("@{}", digest()),
        "@sha256:a0",
        "@",
        "@sha256:",
        "@a@b",
    ];
    let long = format!(":{}", "v".repeat(129));
    for name in names {
        for tag in tags.into_iter().chain([long.as_str(), &long[..129]]) {
            for digest in digests {
                let text = format!("{name}{tag}{digest}");
                let ours = text.parse::<ImageReference>();
                let theirs = text.parse::<Reference>();
                let ours = ours.ok().map(|image| image.whole());
                assert_eq!(ours, theirs.ok().map(|image| image.whole()), "{text:?}");
            }
        }
    }
}
