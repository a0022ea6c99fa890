//! Identity tokens: what some registries leave in the place of a password. Each is traded for a token that opens one
//! repository (<https://distribution.github.io/distribution/spec/auth/oauth/>).

use http_auth::parser::ChallengeParser;
use oci_client::client::ClientProtocol;
use oci_client::errors::OciDistributionError as Cause;
use oci_client::secrets::RegistryAuth;
use oci_client::{Reference, RegistryOperation};
use reqwest::header::WWW_AUTHENTICATE;
use reqwest::{Client, Response, Url};
use serde::Deserialize;

use super::registry::{CONNECT, SILENCE};

#[derive(Deserialize)]
struct Granted {
    access_token: String,
}

/// Where a registry sends those who have no token.
struct Challenge {
    realm: Url,
    service: String,
}

/// Trades an identity token for one to push to, or pull from, the repository of an image.
///
/// # Errors
/// The registry or its realm does not answer, or refuses the token.
pub async fn trade(
    identity: &str,
    image: &Reference,
    operation: RegistryOperation,
    protocol: &ClientProtocol,
) -> Result<RegistryAuth, Cause> {
    let client = Client::builder()
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .build()?;
    let scheme = match protocol {
        ClientProtocol::Http => "http",
        _ => "https",
    };
    let registry = format!("{scheme}://{}/v2/", image.resolve_registry());
    let Some(challenge) = challenge(&client.get(registry).send().await?) else {
        let reason = "an identity token is of no use with a registry that gives no tokens";
        return Err(Cause::AuthenticationFailure(reason.to_owned()));
    };
    let actions = match operation {
        RegistryOperation::Push => "pull,push",
        RegistryOperation::Pull => "pull",
    };
    let scope = format!("repository:{}:{actions}", image.repository());
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "tntc"),
        ("service", challenge.service.as_str()),
        ("scope", &scope),
        ("refresh_token", identity),
    ];
    let answer = client.post(challenge.realm).form(&form).send().await?;
    match answer.error_for_status_ref().map(drop) {
        Err(cause) if cause.status().is_some_and(|it| it.is_client_error()) => {
            Err(Cause::AuthenticationFailure(cause.to_string()))
        }
        Err(cause) => Err(cause.into()),
        Ok(()) => {
            let granted: Granted = serde_json::from_slice(&answer.bytes().await?)
                .map_err(|cause| Cause::RegistryTokenDecodeError(cause.to_string()))?;
            Ok(RegistryAuth::Bearer(granted.access_token))
        }
    }
}

/// `Bearer realm="…",service="…"` (RFC 6750, section 3).
fn challenge(answer: &Response) -> Option<Challenge> {
    let headers = answer.headers().get_all(WWW_AUTHENTICATE).iter();
    let texts = headers.filter_map(|header| header.to_str().ok());
    let mut challenges = texts.flat_map(|text| ChallengeParser::new(text).flatten());
    let bearer = challenges.find(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"))?;
    let value = |name: &str| {
        let mut parameters = bearer.params.iter();
        let (_, value) = parameters.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value.to_unescaped())
    };
    Some(Challenge {
        realm: value("realm")?.parse().ok()?,
        service: value("service").unwrap_or_default(),
    })
}
