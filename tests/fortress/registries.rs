//! Registries that behave badly: none of their answers ends the process, fills the memory, reaches a terminal raw or
//! learns a credential that is not for it.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use wiremock::{Request, ResponseTemplate};

use super::attack::Layer::Tntc;
use super::attack::Outcome::{Blocked, Limit};
use super::attack::{Attack, tested};
use crate::registries::fake::{Fake, LAYER, Rule, archive, digest, good, home, manifest, push};
use crate::support::{Workflow, wait_for};

const HERE: &str = "tests/fortress/registries.rs";
const CREDENTIALS: &str = "tests/fortress/registry_credentials.rs";
const RULED: &str = "no_answer_of_a_registry_ends_the_process_or_fills_the_memory";

const fn ruled(name: &'static str, what: &'static str) -> Attack {
    tested(name, what, Blocked(Tntc), HERE, RULED)
}

const fn own(name: &'static str, what: &'static str, test: &'static str) -> Attack {
    tested(name, what, Blocked(Tntc), CREDENTIALS, test)
}

/// What registries try against `tntc build`.
pub const ATTACKS: &[Attack] = &[
    ruled("upload-nowhere", "begins an upload without a place"),
    ruled("upload-to-data", "sends an upload to a `data:` URL"),
    ruled("large-manifest", "answers a manifest without an end"),
    ruled("large-layer", "sends more of a layer than it said"),
    ruled("other-layer", "sends another layer than was asked for"),
    ruled(
        "other-manifest",
        "sends another manifest than its digest says",
    ),
    ruled("path-in-digest", "names a layer by a digest that is a path"),
    tested(
        "path-in-index",
        "names a manifest by a digest that is a path, in an index or a header",
        Blocked(Tntc),
        "tests/registries/bases.rs",
        "a_digest_of_a_manifest_is_no_path",
    ),
    ruled("escapes", "puts escape sequences into an error"),
    ruled("page-as-error", "answers a page instead of an error"),
    ruled("broken-manifest", "sends a manifest that is not JSON"),
    ruled("redirect-loop", "redirects without an end"),
    ruled("redirect-to-file", "redirects to a file of this machine"),
    own(
        "token-with-line-break",
        "gives a token that cannot be sent",
        "a_token_that_cannot_be_sent_is_told",
    ),
    own(
        "redirect-of-identity",
        "redirects an identity token to another host",
        "an_identity_token_follows_no_redirect",
    ),
    own(
        "redirect-with-credentials",
        "redirects a request with credentials to another host",
        "credentials_stay_with_the_registry",
    ),
    own(
        "helper-is-a-path",
        "is configured with a credential helper that is a path or a command",
        "no_credential_helper_is_a_path_or_a_command",
    ),
    tested(
        "realm-elsewhere",
        "sends for a token to another host, which gets the password",
        Limit("as with Docker: a registry names who gives its tokens"),
        CREDENTIALS,
        "a_realm_on_another_host_is_asked_as_docker_asks_it",
    ),
];

#[test]
fn what_a_killed_pull_leaves_is_removed_by_the_next_build() {
    let slow: Rule = |ask| {
        let is_layer = ask.line.ends_with(&digest(LAYER));
        is_layer.then(|| ResponseTemplate::new(200).set_delay(Duration::from_mins(10)))
    };
    let (home, registry) = (home(), Fake::start(slow));
    let workflow = Workflow::of_one_node("killed", "return 1;");
    let mut build = archive(&home, &registry.name(), &workflow).command();
    build.stdout(Stdio::null()).stderr(Stdio::null());
    let mut build = build.spawn().expect("tntc starts");
    wait_for("the request for the layer", || {
        let mut requests = registry.requests().into_iter();
        requests.find(|it| it.url.path().ends_with(&digest(LAYER)))
    });
    build.kill().expect("a process");
    build.wait().expect("tntc ends");
    let left = || {
        let blobs = std::fs::read_dir(home.path().join("cache/tentacular/blobs"));
        let names = blobs
            .expect("a directory")
            .map(|it| it.expect("an entry").file_name());
        let names = names.filter(|it| !it.to_string_lossy().starts_with("sha256-"));
        names.collect::<Vec<_>>()
    };
    assert_eq!(left().len(), 1, "a killed process cannot clean up");
    let registry = Fake::start(|_| None);
    archive(&home, &registry.name(), &workflow).run().exits(0);
    assert_eq!(left(), Vec::<std::ffi::OsString>::new());
}

#[test]
fn an_upload_goes_on_where_the_registry_says_however_it_is_written() {
    for location in [
        "/v2/upload/1",
        "1?state=a",
        "./1",
        "?state=b",
        "//127.0.0.1:PORT/v2/x",
    ] {
        let fake = Fake::start(|_| None);
        let name = fake.name();
        let port = name.rsplit(':').next().expect("a port").to_owned();
        let location = location.replace("PORT", &port);
        let answer = move |request: &Request| {
            let line = format!("{} {}", request.method, request.url.path());
            if line.starts_with("POST") {
                return ResponseTemplate::new(202).insert_header("location", location.as_str());
            }
            good(&line)
        };
        fake.answers(answer);
        push(&home(), &name, &[]).exits(0);
    }
}

/// What a registry does, and what is said of it.
const RULES: [(Rule, &str); 12] = [
    (
        |ask| {
            ask.line
                .starts_with("POST")
                .then(|| ResponseTemplate::new(202))
        },
        "where the upload goes",
    ),
    (
        |ask| {
            ask.line
                .starts_with("POST")
                .then(|| ResponseTemplate::new(202).insert_header("location", "data:,x"))
        },
        "where the upload goes",
    ),
    (
        |ask| {
            let is_manifest = ask.line.starts_with("GET") && ask.line.contains("/base/manifests/");
            is_manifest.then(|| ResponseTemplate::new(200).set_body_bytes(vec![b' '; 5 << 20]))
        },
        "the manifest is larger than 4 MiB",
    ),
    (
        |ask| {
            let is_layer = ask.line.starts_with("GET") && ask.line.ends_with(&digest(LAYER));
            is_layer.then(|| ResponseTemplate::new(200).set_body_bytes(vec![b' '; 1 << 20]))
        },
        "is larger than its 7 bytes",
    ),
    (
        |ask| {
            let is_layer = ask.line.starts_with("GET") && ask.line.ends_with(&digest(LAYER));
            is_layer.then(|| ResponseTemplate::new(200).set_body_bytes(b"another".to_vec()))
        },
        "what came is not sha256:",
    ),
    (
        |ask| {
            let refusal =
                json!({"errors": [{"code": "DENIED", "message": "\u{1b}[2J\u{9b}31m\u{202e}no"}]});
            ask.line
                .starts_with("PUT")
                .then(|| ResponseTemplate::new(400).set_body_json(refusal))
        },
        "DENIED",
    ),
    (
        |ask| {
            ask.line
                .starts_with("PUT")
                .then(|| ResponseTemplate::new(413).set_body_string("<html>\u{1b}[2J</html>"))
        },
        "status 413",
    ),
    (
        |ask| {
            ask.line
                .contains("/base/manifests/")
                .then(|| ResponseTemplate::new(200).set_body_string("[1"))
        },
        "cannot be read",
    ),
    (
        |ask| {
            let is_manifest = ask.line.contains("/base/manifests/");
            let evil = manifest().replace(&digest(LAYER), "sha256:../../../../etc/passwd");
            is_manifest.then(|| ResponseTemplate::new(200).set_body_string(evil))
        },
        "sha256:../../../../etc/passwd",
    ),
    (
        |ask| {
            let pinned =
                ask.line.starts_with("GET") && ask.line.contains("/base/manifests/sha256:");
            pinned.then(|| ResponseTemplate::new(200).set_body_string("{\"schemaVersion\": 2}"))
        },
        "digest",
    ),
    (
        |ask| {
            let target = ask.line.split(' ').nth(1).unwrap_or_default().to_owned();
            target
                .contains("/base/manifests/")
                .then(|| ResponseTemplate::new(307).insert_header("location", target.as_str()))
        },
        "redirect",
    ),
    (
        |ask| {
            ask.line
                .contains("/base/manifests/")
                .then(|| ResponseTemplate::new(307).insert_header("location", "file:///etc/passwd"))
        },
        "",
    ),
];

#[test]
fn no_answer_of_a_registry_ends_the_process_or_fills_the_memory() {
    for (rule, told) in RULES {
        let fake = Fake::start(rule);
        let answer = push(&home(), &fake.name(), &[]).exits(3);
        let active = answer
            .stderr
            .chars()
            .find(|it| tntc_core::terminal::is_active(*it));
        assert_eq!(active, None, "{:?}", answer.stderr);
        answer.says(told);
    }
}

#[test]
fn a_registry_is_reached_by_the_environments_proxy_and_past_it() {
    // A registry that is asked as a proxy gets whole URLs, and answers them by their paths.
    let fake = Fake::start(|_| None);
    let proxy = format!("http://ada:p%40ss@{}", fake.name());
    push(&home(), "registry.test", &[("HTTP_PROXY", proxy.clone())]).exits(0);
    let login = "Basic YWRhOnBAc3M=";
    let logged_in = |request: &Request| {
        let header = request.headers.get("proxy-authorization");
        header.is_some_and(|header| header.as_bytes() == login.as_bytes())
    };
    assert!(fake.requests().iter().all(logged_in));
    for no_proxy in ["registry.test", ".test", "registry.test:80", "*"] {
        let environment = [
            ("HTTP_PROXY", proxy.clone()),
            ("NO_PROXY", no_proxy.to_owned()),
        ];
        push(&home(), "registry.test", &environment).exits(3);
    }
    // The registry's own address is this machine's, which no proxy is for.
    let nobody = "http://127.0.0.1:9".to_owned();
    push(&home(), &fake.name(), &[("HTTP_PROXY", nobody)]).exits(0);
}
