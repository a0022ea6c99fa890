//! The header `Authorization` of each request.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tntc_core::kubeconfig::Identity;

use super::credentials::token_end;
use super::plugin::Plugin;
use crate::outcome::{Error, Result};

/// Where the header comes from.
#[derive(Clone)]
pub enum Login {
    /// There is none.
    Nothing,
    /// Always the same.
    Fixed(HeaderValue),
    /// A token in a file, which others may renew.
    File {
        /// The file.
        path: PathBuf,
        /// What counts while it cannot be read.
        otherwise: Option<HeaderValue>,
        /// Whose it is, in words.
        owner: String,
    },
    /// What a plugin gives.
    Plugin(Arc<Plugin>, String),
}

impl Login {
    /// The login of a user, named in words by `owner`.
    ///
    /// # Errors
    /// Its token cannot be sent, cannot be read, or has expired.
    pub fn new(identity: Identity, owner: &str, plugin: Option<Arc<Plugin>>) -> Result<Self> {
        Ok(match identity {
            Identity::None => Self::Nothing,
            Identity::Token(token) => Self::Fixed(bearer(&token, owner)?),
            Identity::IdToken(token) => Self::Fixed(unexpired(&token, owner)?),
            Identity::Basic(user, password) => Self::Fixed(basic(&user, &password, owner)?),
            Identity::Exec(_) => match plugin {
                Some(plugin) => Self::Plugin(plugin, owner.to_owned()),
                None => Self::Nothing,
            },
            Identity::TokenFile { path, otherwise } => {
                let otherwise = otherwise.map(|token| bearer(&token, owner)).transpose()?;
                let owner = owner.to_owned();
                Self::File {
                    path,
                    otherwise,
                    owner,
                }
            }
        })
    }

    /// The header of a request that is sent now.
    ///
    /// # Errors
    /// The file cannot be read, or the plugin fails.
    pub async fn header(&self) -> Result<Option<HeaderValue>> {
        match self {
            Self::Nothing => Ok(None),
            Self::Fixed(header) => Ok(Some(header.clone())),
            Self::File {
                path,
                otherwise,
                owner,
            } => {
                let read = tokio::fs::read_to_string(path).await;
                let token = read.map(|text| SecretString::from(text.trim()));
                match (token, otherwise) {
                    (Ok(token), _) if !token.expose_secret().is_empty() => {
                        bearer(&token, owner).map(Some)
                    }
                    (_, Some(header)) => Ok(Some(header.clone())),
                    (Ok(_), None) => Err(unusable(owner, &format!("{} is empty", path.display()))),
                    (Err(cause), None) => Err(unusable(
                        owner,
                        &format!("cannot read {}: {cause}", path.display()),
                    )),
                }
            }
            Self::Plugin(plugin, owner) => {
                let plugin = Arc::clone(plugin);
                let given = tokio::task::spawn_blocking(move || plugin.credentials()).await;
                let given = given.map_err(|cause| unusable(owner, &cause.to_string()))??;
                given.token.map(|token| bearer(&token, owner)).transpose()
            }
        }
    }
}

fn bearer(token: &SecretString, owner: &str) -> Result<HeaderValue> {
    header(&format!("Bearer {}", token.expose_secret()), owner)
}

fn basic(user: &str, password: &SecretString, owner: &str) -> Result<HeaderValue> {
    let login = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
    header(&format!("Basic {login}"), owner)
}

/// A header holds no line break; a token that does was copied with one.
fn header(text: &str, owner: &str) -> Result<HeaderValue> {
    let header = HeaderValue::from_bytes(text.as_bytes());
    let mut header = header.map_err(|_| {
        let why = "its token holds a line break or another control character";
        unusable(owner, why).hint("write the token on one line, without a break at its end")
    })?;
    header.set_sensitive(true);
    Ok(header)
}

fn unexpired(token: &SecretString, owner: &str) -> Result<HeaderValue> {
    match token_end(token.expose_secret()) {
        Some(end) if end < Timestamp::now() => Err(unusable(
            owner,
            &format!("the id-token of its auth-provider `oidc` expired on {end}"),
        )
        .hint("use the exec plugin kubelogin, which renews it (kubectl oidc-login setup)")),
        _ => bearer(token, owner),
    }
}

fn unusable(owner: &str, why: &str) -> Error {
    Error::surroundings(format!("cannot authenticate as {owner}: {why}"))
}
