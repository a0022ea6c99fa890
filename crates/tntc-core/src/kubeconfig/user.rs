//! Who a kubeconfig's user is to the cluster: the ways that client-go knows, with its precedence.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;

use super::Mistake;
use super::section::Section;

/// Versions of the credential plugins' protocol that are still served.
const EXEC_VERSIONS: [&str; 2] = [
    "client.authentication.k8s.io/v1",
    "client.authentication.k8s.io/v1beta1",
];
const INTERACTIVE_MODES: [&str; 3] = ["Never", "IfAvailable", "Always"];

/// A certificate or key.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// In the kubeconfig itself.
    Data(Vec<u8>),
    /// In a file of its own.
    File(PathBuf),
}

impl fmt::Debug for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(_) => out.write_str("Data"),
            Self::File(path) => write!(out, "File({})", path.display()),
        }
    }
}

/// A user of a kubeconfig.
#[derive(Debug, Clone, Default)]
pub struct User {
    /// What is sent in the header `Authorization`.
    pub identity: Identity,
    /// Certificate and key of the TLS connection.
    pub certificate: Option<(Source, Source)>,
    /// Whom to act as.
    pub impersonation: Option<Impersonation>,
}

/// What is sent in the header `Authorization`.
#[derive(Debug, Clone, Default)]
pub enum Identity {
    /// Nothing.
    #[default]
    None,
    /// A bearer token.
    Token(SecretString),
    /// A bearer token in a file, which is read again for each request.
    TokenFile {
        /// The file.
        path: PathBuf,
        /// What counts while the file cannot be read.
        otherwise: Option<SecretString>,
    },
    /// User name and password.
    Basic(String, SecretString),
    /// What a credential plugin gives.
    Exec(Box<Exec>),
    /// The token that a provider of identities (OIDC) once gave; good until it expires.
    IdToken(SecretString),
}

/// A credential plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exec {
    /// Version of its protocol.
    pub version: String,
    /// The program.
    pub command: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables added to its environment.
    pub environment: Vec<(String, String)>,
    /// What to do when the program is missing, in the words of whoever wrote the kubeconfig.
    pub install_hint: Option<String>,
    /// `Never`, `IfAvailable` or `Always`.
    pub interactive: String,
    /// Whether it is told which cluster it is for.
    pub provide_cluster_info: bool,
}

/// Somebody else to act as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Impersonation {
    /// Name.
    pub user: String,
    /// Unique identifier.
    pub uid: Option<String>,
    /// Groups.
    pub groups: Vec<String>,
    /// Further attributes.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// A mistake of a user's, before it is known which user's it is.
pub(super) enum Refusal {
    /// A value of the wrong type.
    Mistake(Mistake),
    /// Something that client-go refuses: why, and what to do.
    Invalid(String, String),
}

impl From<Mistake> for Refusal {
    fn from(mistake: Mistake) -> Self {
        Self::Mistake(mistake)
    }
}

pub(super) fn invalid(why: impl Into<String>, hint: impl Into<String>) -> Refusal {
    Refusal::Invalid(why.into(), hint.into())
}

/// Reads a user.
pub(super) fn read(section: &Section<'_>) -> Result<User, Refusal> {
    Ok(User {
        certificate: certificate(section)?,
        impersonation: impersonation(section)?,
        identity: identity(section)?,
    })
}

fn identity(section: &Section<'_>) -> Result<Identity, Refusal> {
    let secret = |key: &str| Ok::<_, Mistake>(section.text(key)?.map(SecretString::from));
    let (token, file) = (secret("token")?, section.path("tokenFile")?);
    let (name, password) = (section.text("username")?, secret("password")?);
    let exec = exec(section)?;
    let has_basic = name.is_some() || password.is_some();
    if token.is_some() && has_basic {
        return Err(invalid(
            "it has a token and a user name with a password, of which only one can count",
            "remove one of them: kubectl config unset users.NAME.username",
        ));
    }
    let provided = provider(section, exec.is_some())?;
    Ok(match (provided, token, file) {
        (Some(provided), ..) => provided,
        (None, otherwise, Some(path)) => Identity::TokenFile { path, otherwise },
        (None, Some(token), None) => Identity::Token(token),
        _ if has_basic => Identity::Basic(name.unwrap_or_default(), password.unwrap_or_default()),
        // Credentials that are there make the plugin needless.
        _ if section.text("client-certificate")?.is_some()
            || section.text("client-certificate-data")?.is_some() =>
        {
            Identity::None
        }
        _ => exec.map_or(Identity::None, |exec| Identity::Exec(Box::new(exec))),
    })
}

/// The providers that were part of kubectl until version 1.26; one of them still is.
fn provider(section: &Section<'_>, has_exec: bool) -> Result<Option<Identity>, Refusal> {
    let Some(provider) = section.present("auth-provider")? else {
        return Ok(None);
    };
    if has_exec {
        return Err(invalid(
            "it has an auth-provider and an exec plugin, of which only one can count",
            "remove the auth-provider: kubectl config unset users.NAME.auth-provider",
        ));
    }
    let name = provider.text("name")?.unwrap_or_default();
    let advice = match name.as_str() {
        "gcp" => "use gke-gcloud-auth-plugin: gcloud container clusters get-credentials CLUSTER",
        "azure" => "use kubelogin: az aks get-credentials, then kubelogin convert-kubeconfig",
        "oidc" => {
            let token = provider.section("config")?.text("id-token")?;
            if let Some(token) = token {
                return Ok(Some(Identity::IdToken(token.into())));
            }
            "use the exec plugin kubelogin (kubectl oidc-login setup)"
        }
        _ => "use the exec plugin of whoever runs the cluster",
    };
    let why = format!("the auth-provider `{name}` is not supported; Kubernetes has replaced it");
    Err(invalid(why, advice))
}

fn certificate(section: &Section<'_>) -> Result<Option<(Source, Source)>, Refusal> {
    let certificate = source(section, "client-certificate")?;
    let key = source(section, "client-key")?;
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (Some(_), None) => Err(invalid(
            "it has a client certificate without a key",
            "add client-key or client-key-data",
        )),
        (None, _) => Ok(None),
    }
}

/// A file, or its content in base64 under the same name with `-data`.
pub(super) fn source(section: &Section<'_>, key: &str) -> Result<Option<Source>, Refusal> {
    let data_key = format!("{key}-data");
    match (section.path(key)?, section.bytes(&data_key)?) {
        (Some(_), Some(_)) => Err(invalid(
            format!("it has {key} and {data_key}, of which only one can count"),
            format!("remove {key}"),
        )),
        (Some(path), None) => Ok(Some(Source::File(path))),
        (None, data) => Ok(data.map(Source::Data)),
    }
}

fn impersonation(section: &Section<'_>) -> Result<Option<Impersonation>, Refusal> {
    let extra = section.section("as-user-extra")?;
    let keys = extra
        .value
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys());
    let extra: Result<BTreeMap<_, _>, Mistake> = keys
        .map(|key| Ok((key.clone(), extra.texts(key)?)))
        .collect();
    let found = Impersonation {
        user: section.text("as")?.unwrap_or_default(),
        uid: section.text("as-uid")?,
        groups: section.texts("as-groups")?,
        extra: extra?,
    };
    if found == Impersonation::default() {
        return Ok(None);
    }
    if found.user.is_empty() {
        return Err(invalid(
            "it asks for groups, a uid or attributes of somebody that it does not name",
            "add `as` with a user name",
        ));
    }
    Ok(Some(found))
}

fn exec(section: &Section<'_>) -> Result<Option<Exec>, Refusal> {
    let Some(exec) = section.present("exec")? else {
        return Ok(None);
    };
    let missing = |key: &str| {
        let why = format!("its exec plugin has no {key}");
        invalid(why, format!("add `{key}` below `exec`, or log in again"))
    };
    let version = exec
        .text("apiVersion")?
        .ok_or_else(|| missing("apiVersion"))?;
    let command = exec.program("command")?.ok_or_else(|| missing("command"))?;
    let mut environment = Vec::new();
    for variable in exec.list("env")? {
        let name = variable
            .text("name")?
            .ok_or_else(|| missing("env[].name"))?;
        environment.push((name, variable.text("value")?.unwrap_or_default()));
    }
    Ok(Some(Exec {
        interactive: interactive(&exec, &version)?,
        command,
        arguments: exec.texts("args")?,
        environment,
        install_hint: exec.text("installHint")?,
        provide_cluster_info: exec.truth("provideClusterInfo")?,
        version,
    }))
}

/// Version 1 wants to be told; the one before it may ask where somebody can answer.
fn interactive(exec: &Section<'_>, version: &str) -> Result<String, Refusal> {
    if !EXEC_VERSIONS.contains(&version) {
        return Err(invalid(
            format!("its exec plugin speaks `{version}`, which Kubernetes has removed"),
            "update the plugin and write apiVersion: client.authentication.k8s.io/v1",
        ));
    }
    match exec.text("interactiveMode")? {
        Some(mode) if INTERACTIVE_MODES.contains(&mode.as_str()) => Ok(mode),
        Some(mode) => Err(invalid(
            format!("its exec plugin has the unknown interactiveMode `{mode}`"),
            "write Never, IfAvailable or Always",
        )),
        None if version == EXEC_VERSIONS[1] => Ok("IfAvailable".to_owned()),
        None => Err(invalid(
            "its exec plugin has no interactiveMode",
            "add interactiveMode: IfAvailable below `exec`",
        )),
    }
}
