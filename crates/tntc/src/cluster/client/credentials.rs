//! What it means when the cluster refuses the credentials that a client sent.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use kube::core::Status;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use secrecy::{ExposeSecret, SecretString};
use tower::BoxError;
use webpki::{EndEntityCert, KeyUsage};

/// What is known of the user of a kubeconfig context, for telling why it was refused.
#[derive(Clone)]
pub struct Credentials {
    /// Whose they are, in words.
    pub owner: String,
    /// Its token, or the file that holds it.
    pub token: Option<Token>,
    /// Its certificate, in PEM.
    pub certificate: Option<Vec<u8>>,
    /// Whether a plugin gave them.
    pub by_plugin: bool,
}

/// A token, as far as it may be looked at.
#[derive(Clone)]
pub enum Token {
    /// In the kubeconfig itself.
    Inline(SecretString),
    /// In a file.
    File(PathBuf),
}

impl Credentials {
    /// Turns 401 into an error that tells whose credentials were refused and since when they are known to have expired.
    pub fn judge<B>(&self, answer: Result<Response<B>, BoxError>) -> Result<Response<B>, BoxError> {
        match answer {
            Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
                let status = Status::failure(&self.refusal(Timestamp::now()), "Unauthorized");
                let code = StatusCode::UNAUTHORIZED.as_u16();
                Err(kube::Error::Api(status.with_code(code).boxed()).into())
            }
            answer => answer,
        }
    }

    fn refusal(&self, now: Timestamp) -> String {
        let owner = &self.owner;
        let token = self.token_end().filter(|end| *end < now);
        let certificate = self
            .certificate
            .as_ref()
            .and_then(|pem| certificate_end(pem, now));
        match (token, certificate) {
            (Some(end), _) if self.by_plugin => {
                format!("Unauthorized: the token that the plugin of {owner} gave expired on {end}")
            }
            (Some(end), _) => format!("Unauthorized: the token of {owner} expired on {end}"),
            (None, Some(end)) => {
                format!("Unauthorized: the client certificate of {owner} expired on {end}")
            }
            (None, None) if self.by_plugin => format!(
                "Unauthorized: the credentials that the plugin of {owner} gave may have expired, or the cluster does not know them"
            ),
            (None, None) if self.token.is_none() && self.certificate.is_none() => {
                format!("Unauthorized: {owner} has no credentials that this cluster takes")
            }
            (None, None) => format!(
                "Unauthorized: the credentials of {owner} may have expired, or the cluster does not know them"
            ),
        }
    }

    fn token_end(&self) -> Option<Timestamp> {
        match self.token.as_ref()? {
            Token::Inline(token) => token_end(token.expose_secret()),
            Token::File(file) => token_end(std::fs::read_to_string(file).ok()?.trim()),
        }
    }
}

/// When a JSON Web Token ends (RFC 7519, 4.1.4); nothing for other tokens.
pub fn token_end(token: &str) -> Option<Timestamp> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    Timestamp::from_second(claims.get("exp")?.as_i64()?).ok()
}

/// When a certificate ended; nothing for one that is still good. Its times are looked at before who signed it, so nobody
/// has to be trusted for that.
fn certificate_end(pem: &[u8], now: Timestamp) -> Option<Timestamp> {
    let der = CertificateDer::from_pem_slice(pem).ok()?;
    let certificate = EndEntityCert::try_from(&der).ok()?;
    let seconds = now.as_second().try_into().ok()?;
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let usage = KeyUsage::client_auth();
    match certificate.verify_for_usage(&[], &[], &[], now, usage, None, None) {
        Err(webpki::Error::CertExpired { not_after, .. }) => {
            Timestamp::from_second(not_after.as_secs().try_into().ok()?).ok()
        }
        _ => None,
    }
}
