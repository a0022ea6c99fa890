//! What registries want for a password, and how they refuse it.

use serde_json::json;
use wiremock::ResponseTemplate;

use super::fake::{Ask, answer, error};
use super::{Behaviour, arrives, fails, judge};

const BASIC: &str = "Basic dXNlcjpzZXNhbWU=";

/// Refuses whoever does not send this, with this challenge.
fn wants(ask: &Ask, header: &str, challenge: &str) -> Option<ResponseTemplate> {
    let challenge = challenge.replace("REALM", &format!("http://{}/token", ask.registry));
    (ask.authorization != header).then(|| {
        error(401, "UNAUTHORIZED", "who are you?")
            .insert_header("www-authenticate", challenge.as_str())
    })
}

const BEARER: &str = "Bearer realm=\"REALM\",service=\"registry\"";

/// A registry with this challenge, whose realm gives everybody a token.
fn challenges(ask: &Ask, challenge: &str) -> Option<ResponseTemplate> {
    if ask.line == "GET /token" {
        return Some(granted(json!({"token": "t"})));
    }
    wants(ask, "Bearer t", challenge)
}

/// A registry whose realm answers this to whoever has the password.
fn tokens(ask: &Ask, granted: ResponseTemplate) -> Option<ResponseTemplate> {
    if ask.line != "GET /token" {
        return wants(ask, "Bearer t", BEARER);
    }
    let is_known = ask.authorization == BASIC && ask.query.contains("scope=repository%3A");
    Some(if is_known { granted } else { answer(401) })
}

fn granted(body: serde_json::Value) -> ResponseTemplate {
    answer(200).set_body_json(body)
}

pub const BEHAVIOURS: &[Behaviour] = &[
    arrives(
        "wants the password itself",
        "ECR, Artifactory, Nexus",
        |ask| {
            wants(
                ask,
                BASIC,
                "Basic realm=\"https://registry/\",service=\"ecr\"",
            )
        },
    ),
    arrives(
        "gives a token, in `token`",
        "Docker Hub, GHCR, Quay, Harbor",
        |ask| {
            tokens(
                ask,
                granted(
                    json!({"token": "t", "expires_in": 300, "issued_at": "2026-01-01T00:00:00Z"}),
                ),
            )
        },
    ),
    arrives("gives a token, in `access_token`", "Azure", |ask| {
        tokens(ask, granted(json!({"access_token": "t"})))
    }),
    arrives(
        "gives a token in one field and leaves the other empty or null",
        "some",
        |ask| {
            tokens(
                ask,
                granted(json!({"token": "", "access_token": "t", "expires_in": null})),
            )
        },
    ),
    arrives("gives a token, in both fields", "Docker Hub", |ask| {
        tokens(ask, granted(json!({"token": "t", "access_token": "t"})))
    }),
    arrives(
        "writes its challenge in lower case, with few quotes and parameters that mean nothing",
        "some",
        |ask| {
            challenges(
                ask,
                "bearer error=invalid_token, Realm=\"REALM\", service=registry, x-y=z",
            )
        },
    ),
    arrives("names no service in its challenge", "some", |ask| {
        challenges(ask, "Bearer realm=\"REALM\"")
    }),
    arrives(
        "offers tokens beside other ways in one header",
        "some",
        |ask| {
            challenges(
                ask,
                "Basic realm=\"r\", Bearer realm=\"REALM\",service=\"s\"",
            )
        },
    ),
    arrives(
        "greets everybody at `/v2/` and wants a token for a push",
        "some that let anybody read",
        |ask| match ask.line.as_str() {
            "GET /v2/" => None,
            _ if ask.line.contains("/base/") => None,
            _ => challenges(ask, BEARER),
        },
    ),
    arrives(
        "greets everybody at `/v2/` and wants the password for everything else",
        "the reference registry behind a proxy",
        |ask| match ask.line.as_str() {
            "GET /v2/" => None,
            _ => wants(ask, BASIC, "Basic realm=\"Artifactory Realm\""),
        },
    ),
    arrives(
        "gives tokens that expire between two requests",
        "any: after minutes",
        |ask| match ask.line.as_str() {
            "GET /token" => Some(granted(json!({"token": format!("t{}", ask.before)}))),
            "GET /v2/" => wants(ask, "none", BEARER),
            // What was good for the request that began the upload.
            _ if ask.is("PUT", "/v2/upload/") && ask.before == 0 => wants(ask, "another", BEARER),
            _ => None,
        },
    ),
    arrives(
        "gives no token at the first attempt",
        "any, for a moment",
        |ask| match ask.line.as_str() {
            "GET /token" if ask.before == 0 => Some(answer(503)),
            _ => tokens(ask, granted(json!({"token": "t"}))),
        },
    ),
    fails(
        "does not take the password",
        "any",
        |ask| wants(ask, "Basic other", "Basic realm=\"r\""),
        "refuses these credentials, or wants some",
    ),
    fails(
        "gives no token for the password",
        "Docker Hub, Quay, Harbor",
        |ask| {
            tokens(
                ask,
                answer(401).set_body_json(json!({"details": "incorrect username or password"})),
            )
        },
        "refuses these credentials, or wants some",
    ),
    fails(
        "denies a token",
        "GHCR",
        |ask| {
            tokens(
                ask,
                error(403, "DENIED", "requested access to the resource is denied"),
            )
        },
        "refuses these credentials, or wants some",
    ),
    fails(
        "gives out no more tokens for now",
        "Docker Hub",
        |ask| tokens(ask, answer(429)),
        "asks for fewer requests",
    ),
    fails(
        "answers a page where a token should be",
        "a proxy that wants a login",
        |ask| tokens(ask, answer(200).set_body_string("<html>Log in</html>")),
        "answers no token",
    ),
    fails(
        "answers an empty token",
        "any, misconfigured",
        |ask| tokens(ask, granted(json!({"token": "", "access_token": null}))),
        "answers no token",
    ),
    fails(
        "gives a token that does not allow a push",
        "any, for what the user may not",
        |ask| match ask.line.as_str() {
            "GET /token" => Some(granted(json!({"token": "t"}))),
            _ if ask.line.starts_with("POST") => wants(
                ask,
                "never",
                "Bearer realm=\"REALM\",service=\"s\",error=\"insufficient_scope\"",
            ),
            _ => wants(ask, "Bearer t", BEARER),
        },
        "refuses these credentials, or wants some",
    ),
    fails(
        "wants a way of logging in that containers have not",
        "a proxy with Kerberos",
        |ask| wants(ask, "never", "Negotiate"),
        "refuses these credentials, or wants some",
    ),
    fails(
        "says that a password is too old",
        "ECR: after twelve hours",
        |_| {
            Some(error(
                403,
                "DENIED",
                "Your authorization token has expired. Reauthenticate and try again.",
            ))
        },
        "does not allow it: DENIED Your authorization token has expired.",
    ),
];

#[test]
fn registries_are_logged_in_to_as_they_are_known_to_want_it() {
    judge(BEHAVIOURS);
}
