//! Credentials of a registry: `~/.docker/config.json` and its helpers, then podman's own file.

use std::path::{Path, PathBuf};

use docker_credential::{CredentialRetrievalError as Missing, DockerCredential};
use tntc_core::project::without_bom;

use crate::outcome::{Error, Result};

/// Under which name `docker login` keeps Docker Hub's credentials.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// What the user's configuration holds for a registry.
pub enum Login {
    /// Nothing.
    Anonymous,
    /// User name and password.
    Password(String, String),
    /// A token to be traded for those of a repository.
    Identity(String),
}

/// Looks up the credentials of a registry.
///
/// # Errors
/// There is something, but it cannot be read: pushing anonymously would fail with a message that misleads.
pub async fn of(registry: &str) -> Result<Login> {
    let server = match registry {
        "docker.io" | "index.docker.io" => DOCKER_HUB.to_owned(),
        other => other.to_owned(),
    };
    // A helper is another program, which may ask the user something.
    let found = tokio::task::spawn_blocking(move || lookup(&server)).await;
    let found = found.map_err(|cause| Error::surroundings(cause.to_string()))?;
    match found {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            Ok(Login::Password(user, password))
        }
        Ok(DockerCredential::IdentityToken(token)) => Ok(Login::Identity(token)),
        Err(cause) if absent(&cause) => Ok(Login::Anonymous),
        Err(cause) => Err(unreadable(registry, &cause)),
    }
}

fn lookup(server: &str) -> std::result::Result<DockerCredential, Missing> {
    match docker_config(server) {
        Err(cause) if absent(&cause) => {
            let podman = docker_credential::get_podman_credential(server);
            podman.map_err(|other| if absent(&other) { cause } else { other })
        }
        found => found,
    }
}

/// Reads the file itself, which may begin with a byte-order mark.
fn docker_config(server: &str) -> std::result::Result<DockerCredential, Missing> {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".docker"));
    let directory = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let directory = directory.or_else(home).ok_or(Missing::ConfigNotFound)?;
    let file = std::fs::read(directory.join("config.json"));
    let file = file.map_err(|_| Missing::ConfigReadError)?;
    docker_credential::get_credential_from_reader(without_bom(&file), server)
}

/// Helpers say by their output that they know nothing of a server (docker-credential-helpers, `errors.go`).
fn absent(cause: &Missing) -> bool {
    match cause {
        Missing::NoCredentialConfigured | Missing::ConfigNotFound | Missing::ConfigReadError => {
            true
        }
        Missing::HelperFailure { stdout, stderr, .. } => {
            format!("{stdout}{stderr}").contains("credentials not found")
        }
        _ => false,
    }
}

fn unreadable(registry: &str, cause: &Missing) -> Error {
    let error = Error::surroundings(format!(
        "cannot read the credentials of {registry}: {cause}"
    ));
    match cause {
        Missing::HelperFailure {
            helper,
            stdout,
            stderr,
        } => error.cause(format!("{stdout}{stderr}")).hint(format!(
            "the credential helper is {helper}; see whether it works by itself"
        )),
        _ => error.hint(format!("log in again: docker login {registry}")),
    }
}
