//! Registries that go for credentials: none learns one that is not for it.

use serde_json::json;
use wiremock::{Request, ResponseTemplate};

use super::listener::{Listener, http};
use crate::registries::fake::{Fake, LAYER, digest, good, home, log_in, push};

/// Leads to a realm that answers this.
fn with_realm(realm: fn() -> ResponseTemplate) -> Fake {
    let fake = Fake::start(|_| None);
    let challenge = format!(
        "Bearer realm=\"http://{}/token\",service=\"s\"",
        fake.name()
    );
    let answer = move |request: &Request| match request.url.path() {
        "/token" => realm(),
        "/v2/" => ResponseTemplate::new(401).insert_header("www-authenticate", challenge.as_str()),
        path => good(&format!("{} {path}", request.method)),
    };
    fake.answers(answer);
    fake
}

#[test]
fn a_token_that_cannot_be_sent_is_told() {
    let fake = with_realm(|| ResponseTemplate::new(200).set_body_json(json!({"token": "a\nb"})));
    push(&home(), &fake.name(), &[])
        .exits(3)
        .says("token holds a control character");
}

#[test]
fn an_identity_token_follows_no_redirect() {
    let fake = with_realm(|| ResponseTemplate::new(307).insert_header("location", "/stolen"));
    let home = home();
    log_in(
        &home,
        &fake.name(),
        json!({"auth": "dXNlcjo=", "identitytoken": "identity-sesame"}),
    );
    let answer = push(&home, &fake.name(), &[]).exits(3);
    assert!(
        !answer.stderr.contains("identity-sesame"),
        "{}",
        answer.stderr
    );
    assert!(
        fake.requests()
            .iter()
            .all(|request| request.url.path() != "/stolen")
    );
}

/// What a base leads to that is stored somewhere else.
#[test]
fn credentials_stay_with_the_registry() {
    let elsewhere = Listener::start(http(
        "200 OK",
        "",
        std::str::from_utf8(LAYER).expect("text"),
    ));
    let location = format!("http://localhost:{}/layer", elsewhere.port);
    let fake = Fake::start(|_| None);
    let answer = move |request: &Request| {
        let path = request.url.path();
        if path == "/v2/" {
            return ResponseTemplate::new(401)
                .insert_header("www-authenticate", "Basic realm=\"r\"");
        }
        let is_layer = request.method.as_str() == "GET" && path.ends_with(&digest(LAYER));
        if is_layer {
            return ResponseTemplate::new(307).insert_header("location", location.as_str());
        }
        good(&format!("{} {path}", request.method))
    };
    fake.answers(answer);
    let home = home();
    // ada:sesame
    log_in(&home, &fake.name(), json!({"auth": "YWRhOnNlc2FtZQ=="}));
    push(&home, &fake.name(), &[]).exits(0);
    let with_password = |request: &Request| request.headers.contains_key("authorization");
    assert!(fake.requests().iter().any(with_password));
    let asked = elsewhere.requests().join("\n").to_lowercase();
    assert!(asked.contains("get /layer"), "{asked}");
    assert!(!asked.contains("authorization"), "{asked}");
}

#[test]
fn a_realm_on_another_host_is_asked_as_docker_asks_it() {
    let realm = Listener::start(http("200 OK", "", "{\"token\": \"t\"}"));
    let challenge = format!(
        "Bearer realm=\"http://localhost:{}/token\",service=\"s\"",
        realm.port
    );
    let fake = Fake::start(|_| None);
    fake.answers(move |request: &Request| match request.url.path() {
        "/v2/" => ResponseTemplate::new(401).insert_header("www-authenticate", challenge.as_str()),
        path => good(&format!("{} {path}", request.method)),
    });
    let home = home();
    log_in(&home, &fake.name(), json!({"auth": "YWRhOnNlc2FtZQ=="}));
    push(&home, &fake.name(), &[]).exits(0);
    assert!(realm.requests()[0].contains("YWRhOnNlc2FtZQ=="));
}

#[test]
fn no_credential_helper_is_a_path_or_a_command() {
    let home = home();
    let planted = home.path().join("planted");
    let script = format!("#!/bin/sh\ntouch {}/ran\n", home.path().display());
    crate::images::executable(&planted, &script);
    let planted = planted.display().to_string();
    let fake = Fake::start(|_| None);
    for helper in [
        format!("/../..{planted}"),
        format!("$({planted})"),
        format!("; {planted}"),
        format!("-x {planted}"),
    ] {
        let config = json!({"credHelpers": {fake.name(): helper}});
        std::fs::create_dir_all(home.path().join("docker")).expect("a directory");
        std::fs::write(home.path().join("docker/config.json"), config.to_string()).expect("a file");
        push(&home, &fake.name(), &[]).exits(3);
        assert!(!home.path().join("ran").exists(), "{helper} ran");
    }
}
