//! Credentials of a registry: `~/.docker/config.json` and its helpers, then podman's own file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use docker_credential::{CredentialRetrievalError as Missing, DockerCredential};
use serde_json::Value;
use tntc_core::project::without_bom;

use crate::outcome::Error;

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
pub async fn of(registry: &str) -> Result<Login, Error> {
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
        Err(Absent::Nothing) => Ok(Login::Anonymous),
        Err(Absent::Unreadable(file, cause)) => Err(Error::surroundings(format!(
            "cannot read the credentials in {}: {cause}",
            file.display()
        ))
        .hint("mend or remove the file, or name another directory in DOCKER_CONFIG")),
        Err(Absent::Unusable(cause)) => Err(unreadable(registry, &cause)),
    }
}

/// Why there are no credentials.
enum Absent {
    /// None are configured.
    Nothing,
    /// A file is there and cannot be read.
    Unreadable(PathBuf, String),
    /// Some are configured and of no use.
    Unusable(Missing),
}

/// Asks each file that is there, Docker's first; the first that holds something is believed.
fn lookup(server: &str) -> Result<DockerCredential, Absent> {
    for path in files(|name| std::env::var_os(name).filter(|value| !value.is_empty())) {
        let Some(config) = read(&path)? else {
            continue;
        };
        match docker_credential::get_credential_from_reader(config.as_slice(), server) {
            Err(cause) if absent(&cause) => {}
            found => return found.map_err(Absent::Unusable),
        }
    }
    Err(Absent::Nothing)
}

/// Docker's file, then podman's (containers-auth.json(5)).
fn files(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let directory = |name, below: &str| Some(Path::new(&variable(name)?).join(below));
    let docker = directory("DOCKER_CONFIG", "config.json");
    let docker = docker.or_else(|| directory("HOME", ".docker/config.json"));
    let podman = match variable("REGISTRY_AUTH_FILE") {
        Some(file) => vec![Some(PathBuf::from(file))],
        None => vec![
            directory("XDG_RUNTIME_DIR", "containers/auth.json"),
            directory("XDG_CONFIG_HOME", "containers/auth.json")
                .or_else(|| directory("HOME", ".config/containers/auth.json")),
        ],
    };
    [docker].into_iter().chain(podman).flatten().collect()
}

/// A file without what is written in it and empty: `"auth": ""` is what Docker leaves beside a credential store, and no
/// credentials.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Absent> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(cause) if is_missing(&cause) => return Ok(None),
        Err(cause) => return Err(Absent::Unreadable(path.to_owned(), cause.to_string())),
    };
    let text = without_bom(&text);
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    let unreadable = |cause: serde_json::Error| Absent::Unreadable(path.to_owned(), place(&cause));
    let mut config: Value = serde_json::from_slice(text).map_err(unreadable)?;
    let logins = config.get_mut("auths").and_then(Value::as_object_mut);
    for (_, login) in logins.into_iter().flatten() {
        if let Some(fields) = login.as_object_mut() {
            fields.retain(|_, value| value.as_str() != Some(""));
        }
    }
    Ok(Some(config.to_string().into_bytes()))
}

fn is_missing(cause: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(cause.kind(), NotFound | NotADirectory)
}

/// Without the words of the parser, which may repeat what the file holds.
fn place(cause: &serde_json::Error) -> String {
    let (line, column) = (cause.line(), cause.column());
    format!("it is not valid JSON at line {line}, column {column}")
}

/// Helpers say by their output that they know nothing of a server (docker-credential-helpers, `errors.go`).
fn absent(cause: &Missing) -> bool {
    match cause {
        Missing::NoCredentialConfigured => true,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn files_with(variables: &[(&str, &str)]) -> Vec<String> {
        let found = files(|name| {
            let mut variables = variables.iter();
            Some(variables.find(|(known, _)| *known == name)?.1.into())
        });
        found.iter().map(|it| it.display().to_string()).collect()
    }

    #[test]
    fn dockers_file_is_asked_before_podmans() {
        assert_eq!(
            files_with(&[("HOME", "/h"), ("XDG_RUNTIME_DIR", "/r")]),
            [
                "/h/.docker/config.json",
                "/r/containers/auth.json",
                "/h/.config/containers/auth.json"
            ]
        );
        assert_eq!(
            files_with(&[
                ("HOME", "/h"),
                ("DOCKER_CONFIG", "/d"),
                ("REGISTRY_AUTH_FILE", "/a.json")
            ]),
            ["/d/config.json", "/a.json"]
        );
        assert_eq!(files_with(&[]), Vec::<String>::new());
    }

    #[test]
    fn what_is_empty_in_a_file_is_not_there() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let text = r#"{"auths": {"r": {"auth": "", "identitytoken": ""}, "s": {"auth": "YTpi"}}}"#;
        std::fs::write(file.path(), text).expect("written");
        let Ok(Some(config)) = read(file.path()) else {
            panic!("a config");
        };
        let found =
            |server| docker_credential::get_credential_from_reader(config.as_slice(), server);
        assert_eq!(found("r"), Err(Missing::NoCredentialConfigured));
        let login = DockerCredential::UsernamePassword("a".to_owned(), "b".to_owned());
        assert_eq!(found("s"), Ok(login));
    }

    #[test]
    fn a_file_that_is_not_json_is_told_without_what_it_holds() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "{\n  sesame").expect("written");
        let Err(Absent::Unreadable(_, told)) = read(file.path()) else {
            panic!("a fault");
        };
        assert_eq!(told, "it is not valid JSON at line 2, column 3");
    }
}
