//! Bases whose manifest is not the image's itself: indexes, and indexes in indexes.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::images::{Registry, program, tiny_base};
use crate::support::{Workflow, tntc};

use super::fake::{Fake, Rule, answer, architecture, config, digest, home, manifest, push};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn entry(content: &str, platform: Option<Value>) -> Value {
    let media_type = if content.contains("\"manifests\"") {
        INDEX
    } else {
        "application/vnd.oci.image.manifest.v1+json"
    };
    let mut entry = json!({"mediaType": media_type, "digest": digest(content.as_bytes()), "size": content.len()});
    if let Some(platform) = platform {
        entry["platform"] = platform;
    }
    entry
}

fn index(entries: &[Value]) -> String {
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string()
}

fn here() -> Value {
    json!({"os": "linux", "architecture": architecture()})
}

fn elsewhere() -> Value {
    json!({"os": "linux", "architecture": "s390x"})
}

fn attestation() -> Value {
    entry(
        "{}",
        Some(json!({"os": "unknown", "architecture": "unknown"})),
    )
}

/// An artifact that says nothing of a platform, neither in the index nor in its config.
fn artifact() -> String {
    let config = json!({"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest(b"{}"), "size": 2});
    json!({"schemaVersion": 2, "config": config, "layers": []}).to_string()
}

/// An image of another platform that only its config tells.
fn foreign_config() -> String {
    config().replace(architecture(), "s390x")
}

fn foreign() -> String {
    let (ours, theirs) = (config(), foreign_config());
    manifest()
        .replace(&digest(ours.as_bytes()), &digest(theirs.as_bytes()))
        .replace(
            &format!("\"size\":{}", ours.len()),
            &format!("\"size\":{}", theirs.len()),
        )
}

/// An image, an index that lists it, one that lists that, and so on.
static DEEP: LazyLock<Vec<String>> = LazyLock::new(|| {
    let above = |inner: &String| Some(index(&[attestation(), entry(inner, None)]));
    std::iter::successors(Some(manifest()), above)
        .take(70)
        .collect()
});

/// A registry whose base is this manifest, and which has these by their digests.
fn serves(line: &str, top: &str, others: &[String]) -> Option<wiremock::ResponseTemplate> {
    let body = |content: &str| Some(answer(200).set_body_string(content));
    if line.ends_with("/base/manifests/v1") {
        let named = digest(top.as_bytes());
        return body(top).map(|it| it.insert_header("docker-content-digest", named.as_str()));
    }
    let mut all = others.iter().map(String::as_str).chain([top, "{}"]);
    all.find(|content| line.contains("/base/") && line.ends_with(&digest(content.as_bytes())))
        .and_then(body)
}

fn pushed(rule: Rule) -> crate::support::Answer {
    let fake = Fake::start(rule);
    push(&home(), &fake.name(), &[])
}

#[test]
fn an_image_is_found_in_an_index_and_in_those_that_it_lists() {
    let rules: [Rule; 5] = [
        |ask| {
            serves(
                &ask.line,
                &index(&[attestation(), entry(&manifest(), Some(here()))]),
                &[],
            )
        },
        |ask| {
            let inner = index(&[entry(&manifest(), Some(here()))]);
            serves(&ask.line, &index(&[entry(&inner, None)]), &[inner])
        },
        // What is inside an index of a platform need not say it again.
        |ask| {
            let inner = index(&[entry(&manifest(), None)]);
            let outer = index(&[entry("{}", Some(elsewhere())), entry(&inner, Some(here()))]);
            serves(&ask.line, &outer, &[inner])
        },
        |ask| {
            let entries = [
                entry(&artifact(), None),
                entry(&foreign(), None),
                entry(&manifest(), None),
            ];
            serves(
                &ask.line,
                &index(&entries),
                &[artifact(), foreign(), foreign_config()],
            )
        },
        |ask| serves(&ask.line, &DEEP[4], &DEEP[..4]),
    ];
    for rule in rules {
        pushed(rule).exits(0);
    }
}

/// Puts an index into a real registry, beside what it lists.
fn put(registry: &str, reference: &str, index: &str) {
    let url = format!("http://{registry}/v2/deno/manifests/{reference}");
    let kind = format!("content-type: {INDEX}");
    program(
        "curl",
        ["-sS", "--fail", "-X", "PUT", "-H", &kind, "-d", index, &url],
    );
}

#[test]
fn a_real_registry_has_indexes_in_indexes() {
    let registry = Registry::open();
    tiny_base(&registry.name, "deno", &[architecture()]);
    let named = registry.get("deno/manifests/base")["manifests"][0].clone();
    let mut nameless = named;
    nameless
        .as_object_mut()
        .and_then(|entry| entry.remove("platform"))
        .expect("a platform");
    let inner = index(&[nameless]);
    put(&registry.name, &digest(inner.as_bytes()), &inner);
    put(&registry.name, "outer", &index(&[entry(&inner, None)]));
    let (workflow, home) = (Workflow::of_one_node("nested", "return 1;"), home());
    let base = format!("{}/deno:outer", registry.name);
    let build = ["build", workflow.path(), "--builder", "oci", "--push"];
    let flags = ["--tag", "e:v1", "-r", &registry.name, "--base", &base];
    tntc(build.into_iter().chain(flags))
        .env("KUBECONFIG", "/dev/null")
        .env("XDG_CACHE_HOME", home.path())
        .run()
        .exits(0);
    let layers = registry.get("e/manifests/v1")["layers"].clone();
    assert_eq!(layers.as_array().map(Vec::len), Some(4), "{layers}");
}

#[test]
fn a_platform_that_is_only_in_the_configs_of_others_is_told_with_those() {
    let rule: Rule = |ask| {
        let index = index(&[
            attestation(),
            entry(&foreign(), None),
            entry(&artifact(), None),
        ]);
        serves(
            &ask.line,
            &index,
            &[foreign(), foreign_config(), artifact()],
        )
    };
    pushed(rule)
        .exits(3)
        .says("does not have platform linux/")
        .says("it has: linux/s390x");
}

#[test]
fn a_base_without_any_image_says_so() {
    let rule: Rule = |ask| serves(&ask.line, &index(&[attestation()]), &[]);
    pushed(rule)
        .exits(3)
        .says("nothing in it says for which platform it is");
}

#[test]
fn an_index_without_an_end_is_given_up() {
    let rule: Rule = |ask| serves(&ask.line, &DEEP[69], &DEEP);
    pushed(rule)
        .exits(3)
        .says("its index lists too much that names no platform");
}

/// Digests become file names of the cache.
#[test]
fn a_digest_of_a_manifest_is_no_path() {
    let in_index: Rule = |ask| {
        if ask.line.ends_with("/planted") {
            return Some(answer(200).set_body_string("planted"));
        }
        let mut entry = entry(&manifest(), Some(here()));
        entry["digest"] = json!("../../planted");
        serves(&ask.line, &index(&[entry]), &[])
    };
    let in_header: Rule = |ask| {
        if ask.line.ends_with("/planted") {
            return Some(answer(200).set_body_string("planted"));
        }
        let is_asked = ask.is("HEAD", "/base/manifests/v1");
        is_asked.then(|| answer(200).insert_header("docker-content-digest", "../../planted"))
    };
    for rule in [in_index, in_header] {
        let (home, fake) = (home(), Fake::start(rule));
        push(&home, &fake.name(), &[]);
        for place in ["cache/planted", "cache/tentacular/planted"] {
            assert!(!home.path().join(place).exists(), "{place} was written");
        }
        let mut asked = fake.requests().into_iter();
        assert!(asked.all(|request| !request.url.path().ends_with("/planted")));
    }
}
