//! Whose credentials a client sends, and what it means when the cluster refuses them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use kube::client::AuthError;
use kube::config::AuthInfo;
use kube::core::Status;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use secrecy::ExposeSecret;
use tower::BoxError;
use webpki::{EndEntityCert, KeyUsage};

/// The user of a kubeconfig context.
#[derive(Clone)]
pub struct Credentials {
    /// Its name there; without one, the credentials are a pod's own.
    user: Option<String>,
    info: AuthInfo,
}

impl Credentials {
    /// Those of this user.
    pub fn of(user: Option<String>, info: AuthInfo) -> Self {
        Self { user, info }
    }

    /// Turns 401 into an error that tells whose credentials were refused and since when they are known to have expired,
    /// and what a credential plugin failed with during a request into the kind of error that it is before one.
    pub fn judge<B>(&self, answer: Result<Response<B>, BoxError>) -> Result<Response<B>, BoxError> {
        match answer {
            Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
                let status = Status::failure(&self.refusal(Timestamp::now()), "Unauthorized");
                let code = StatusCode::UNAUTHORIZED.as_u16();
                Err(kube::Error::Api(status.with_code(code).boxed()).into())
            }
            Err(cause) => Err(match cause.downcast::<AuthError>() {
                Ok(cause) => kube::Error::Auth(*cause).into(),
                Err(cause) => cause,
            }),
            answer => answer,
        }
    }

    fn refusal(&self, now: Timestamp) -> String {
        let owner = match &self.user {
            Some(user) => format!("kubeconfig user `{user}`"),
            None => "this pod's service account".to_owned(),
        };
        let token = self.token_end().filter(|end| *end < now);
        let certificate = self.certificate_end(now);
        match (token, certificate) {
            (Some(end), _) => format!("Unauthorized: the token of {owner} expired on {end}"),
            (None, Some(end)) => {
                format!("Unauthorized: the client certificate of {owner} expired on {end}")
            }
            (None, None) if self.info.exec.is_some() => format!(
                "Unauthorized: the credentials that the plugin of {owner} gave may have expired, or the cluster does not know them"
            ),
            (None, None) => format!(
                "Unauthorized: the credentials of {owner} may have expired, or the cluster does not know them"
            ),
        }
    }

    fn token_end(&self) -> Option<Timestamp> {
        let inline = self.info.token.as_ref();
        let token = match (inline, &self.info.token_file) {
            (Some(token), _) => token.expose_secret().to_owned(),
            (None, Some(file)) => std::fs::read_to_string(file).ok()?,
            (None, None) => return None,
        };
        token_end(token.trim())
    }

    fn certificate_end(&self, now: Timestamp) -> Option<Timestamp> {
        let pem = match (
            &self.info.client_certificate_data,
            &self.info.client_certificate,
        ) {
            (Some(data), _) => STANDARD.decode(data).ok()?,
            (None, Some(file)) => std::fs::read(file).ok()?,
            (None, None) => return None,
        };
        certificate_end(&pem, now)
    }
}

/// When a JSON Web Token ends (RFC 7519, 4.1.4); nothing for other tokens.
fn token_end(token: &str) -> Option<Timestamp> {
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
