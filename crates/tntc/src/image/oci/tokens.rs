//! What a registry wants in the header `Authorization`: a password, or a token that its realm gives for it, or for an
//! identity token (<https://distribution.github.io/distribution/spec/auth/>).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_auth::parser::ChallengeParser;
use hyper::header::{HeaderValue, WWW_AUTHENTICATE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;
use tntc_core::values::ImageReference;

use super::credentials::Login;
use super::response::{self, ANSWER, Cause};
use crate::process::proxies;

/// What is done with a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Read it.
    Pull,
    /// Write to it.
    Push,
}

/// What a realm answers; older ones call it `token`.
#[derive(Deserialize)]
struct Granted {
    token: Option<String>,
    access_token: Option<String>,
}

/// Where a registry sends those who have no token.
struct Challenge {
    realm: Url,
    service: String,
}

/// The header for an operation on an image's repository, as an answer of the registry asks for it; none where it asks for
/// nothing, or for what this user has not.
///
/// # Errors
/// The registry's realm does not answer, refuses the credentials, or gives a token that cannot be sent.
pub async fn header(
    client: &Client,
    answer: &Response,
    login: &Login,
    image: &ImageReference,
    operation: Operation,
) -> Result<Option<HeaderValue>, Cause> {
    let Some(challenge) = challenge(answer) else {
        let is_asked = answer.headers().contains_key(WWW_AUTHENTICATE);
        return match login {
            Login::Identity(_) if is_asked => Err(Cause::Refused(
                "an identity token is of no use with a registry that gives no tokens".to_owned(),
            )),
            Login::Password(user, password) if is_asked => basic(user, password).map(Some),
            _ => Ok(None),
        };
    };
    let actions = match operation {
        Operation::Push => "pull,push",
        Operation::Pull => "pull",
    };
    let scope = format!("repository:{}:{actions}", image.repository());
    let answer = match login {
        Login::Identity(identity) => trade(identity, challenge, &scope).await?,
        _ => ask(client, login, challenge, &scope).await?,
    };
    granted(answer).await.map(Some)
}

/// Trades an identity token. It is in the body, which would follow a redirect to anybody.
async fn trade(identity: &str, challenge: Challenge, scope: &str) -> Result<Response, Cause> {
    let client = Client::builder()
        .redirect(Policy::none())
        .proxy(reqwest::Proxy::custom(proxies::for_url))
        .connect_timeout(std::time::Duration::from_secs(10))
        .read_timeout(std::time::Duration::from_mins(1))
        .build()?;
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "tntc"),
        ("service", challenge.service.as_str()),
        ("scope", scope),
        ("refresh_token", identity),
    ];
    Ok(client.post(challenge.realm).form(&form).send().await?)
}

async fn ask(
    client: &Client,
    login: &Login,
    challenge: Challenge,
    scope: &str,
) -> Result<Response, Cause> {
    let mut realm = challenge.realm;
    realm.query_pairs_mut().append_pair("scope", scope);
    if !challenge.service.is_empty() {
        realm
            .query_pairs_mut()
            .append_pair("service", &challenge.service);
    }
    let request = client.get(realm);
    let request = match login {
        Login::Password(user, password) => request.basic_auth(user, Some(password)),
        _ => request,
    };
    Ok(request.send().await?)
}

async fn granted(answer: Response) -> Result<HeaderValue, Cause> {
    let status = answer.status();
    let is_late = status == StatusCode::TOO_MANY_REQUESTS;
    if status.is_client_error() && !is_late || status.is_redirection() {
        return Err(Cause::Refused(format!(
            "the registry's realm answers {status}"
        )));
    }
    let body = response::bytes(response::checked(answer).await?, ANSWER, "a token").await?;
    let granted: Option<Granted> = serde_json::from_slice(&body).ok();
    let tokens = granted.map(|granted| [granted.token, granted.access_token]);
    let mut tokens = tokens.into_iter().flatten().flatten();
    let token = tokens.find(|token| !token.is_empty());
    let token =
        token.ok_or_else(|| Cause::Odd("the registry's realm answers no token".to_owned()))?;
    sendable(&format!("Bearer {token}"))
}

fn basic(user: &str, password: &str) -> Result<HeaderValue, Cause> {
    sendable(&format!(
        "Basic {}",
        STANDARD.encode(format!("{user}:{password}"))
    ))
}

fn sendable(text: &str) -> Result<HeaderValue, Cause> {
    let header = HeaderValue::from_str(text);
    let mut header = header
        .map_err(|_| Cause::Odd("the registry's token holds a control character".to_owned()))?;
    header.set_sensitive(true);
    Ok(header)
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
    let realm: Url = value("realm")?.parse().ok()?;
    matches!(realm.scheme(), "http" | "https").then_some(Challenge {
        realm,
        service: value("service").unwrap_or_default(),
    })
}
