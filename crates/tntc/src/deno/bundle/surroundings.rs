//! What of this machine a bundler gets to see: the settings of the user, and those of the workflow's directory only when
//! the user trusts it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;
use tntc_core::project::Project;
use tokio::process::Command;

use super::origin::Origins;
use crate::deno;
use crate::outcome::error::io;
use crate::outcome::{Error, Result};
use crate::terminal::Printer;
use crate::workspace::{files, scratch, trust};

/// Names a private registry of npm; a dot-file, which is no part of the delivered code.
const NPM_CONFIG: &str = ".npmrc";

/// Where programs and caches are, whom this machine trusts, and where the user has modules from; beside the proxies.
const KEPT: [&str; 14] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "XDG_CACHE_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "DENO_CERT",
    "DENO_TLS_CA_STORE",
    "NODE_EXTRA_CA_CERTS",
    "DENO_AUTH_TOKENS",
    "JSR_URL",
    "NPM_CONFIG_REGISTRY",
    "npm_config_registry",
];

/// Variables that hold the URL of a host that the user has modules from.
const HOSTS: [&str; 3] = ["JSR_URL", "NPM_CONFIG_REGISTRY", "npm_config_registry"];

/// The user's settings for bundling a workflow.
pub struct Surroundings {
    /// `DENO_DIR`.
    pub cache: PathBuf,
    /// Hosts that the user has modules from.
    pub own_hosts: BTreeSet<String>,
    /// Whether the user trusts the workflow's directory.
    pub trusted: bool,
    /// Registry settings of the directory, when they count.
    npm_config: Option<String>,
    /// Variables that registry settings which count refer to.
    named: BTreeSet<String>,
}

impl Surroundings {
    /// Reads the user's settings, and the directory's when it is trusted.
    ///
    /// # Errors
    /// A settings file cannot be read, or there is no home directory.
    pub fn of(dir: &Path, printer: &Printer) -> Result<Self> {
        let home = std::env::home_dir();
        let trusted = trust::is_trusted(dir, home.as_deref())?;
        let path = dir.join(NPM_CONFIG);
        let npm_config = if trusted {
            files::optional(&path)?
        } else {
            warn_of(&path, dir, printer);
            None
        };
        let user = match home.as_deref() {
            Some(home) => files::optional(&home.join(NPM_CONFIG))?,
            None => None,
        };
        let named = [&user, &npm_config].into_iter().flatten();
        let urls = HOSTS.iter().filter_map(|name| std::env::var(name).ok());
        Ok(Self {
            cache: cache(home.as_deref())?,
            own_hosts: urls.filter_map(|url| authority(&url)).collect(),
            trusted,
            named: named.flat_map(|text| variables(text)).collect(),
            npm_config,
        })
    }

    /// What may be in the bundles of a workflow that was copied to `copy`, which is a path without links.
    pub fn origins<'a>(&self, copy: &Path, project: &'a Project) -> Origins<'a> {
        let packages = self.cache.join("npm");
        Origins {
            copy: copy.to_owned(),
            project,
            packages: fs::canonicalize(&packages).unwrap_or(packages),
            own_hosts: self.own_hosts.clone(),
            trusted: self.trusted,
        }
    }

    /// Gives a process what it may see, and nothing else.
    pub fn apply(&self, command: &mut Command) {
        let named = self.named.iter().map(String::as_str);
        let kept = KEPT.into_iter().chain(deno::PROXIES).chain(named);
        deno::keep_environment(command, kept);
        command
            .env("DENO_DIR", &self.cache)
            .env("NO_COLOR", "1")
            .env("DENO_NO_UPDATE_CHECK", "1");
    }

    /// Writes registry settings that count into the copy.
    ///
    /// # Errors
    /// The copy cannot be written.
    pub fn write(&self, copy: &Path) -> Result<()> {
        match &self.npm_config {
            Some(text) => scratch::write(copy, NPM_CONFIG, text.as_bytes()),
            None => Ok(()),
        }
    }
}

fn warn_of(path: &Path, dir: &Path, printer: &Printer) {
    if fs::symlink_metadata(path).is_ok() {
        printer.warn(format!(
            "{} is not used: registry settings of a directory can send what is in your environment to any host; \
             if you trust the directory: tntc configure --trust {}",
            path.display(),
            dir.display()
        ));
    }
}

/// As Deno finds it (its manual, "Setting up your environment").
fn cache(home: Option<&Path>) -> Result<PathBuf> {
    let named = |name| std::env::var_os(name).filter(|it| !it.is_empty());
    if let Some(dir) = named("DENO_DIR") {
        return std::path::absolute(&dir).map_err(io("open", Path::new(&dir)));
    }
    let caches = if cfg!(target_os = "macos") {
        home.map(|home| home.join("Library/Caches"))
    } else {
        let named = named("XDG_CACHE_HOME").map(PathBuf::from);
        named.or_else(|| home.map(|home| home.join(".cache")))
    };
    let caches = caches.ok_or_else(|| {
        Error::surroundings("there is no home directory with a cache of Deno").hint("set HOME")
    })?;
    Ok(caches.join("deno"))
}

/// Host and port of a URL.
fn authority(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    Some(authority.rsplit('@').next()?.to_owned())
}

/// The variables that an `.npmrc` refers to, as `${NAME}`.
fn variables(npm_config: &str) -> Vec<String> {
    let Ok(pattern) = Regex::new(r"\$\{([A-Za-z_][A-Za-z0-9_]*)") else {
        return Vec::new();
    };
    let found = pattern.captures_iter(npm_config);
    found.map(|it| it[1].to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registry_settings_name_variables() {
        let text = "//r.example.com/:_authToken=${NPM_TOKEN}\nx=${A_1}${B?}\n";
        assert_eq!(variables(text), ["NPM_TOKEN", "A_1", "B"]);
    }

    #[test]
    fn a_url_names_its_host_and_port() {
        let of = |url| authority(url).unwrap();
        assert_eq!(
            of("https://u:p@jsr.example.com:8443/x"),
            "jsr.example.com:8443"
        );
        assert_eq!(of("http://[::1]:80"), "[::1]:80");
    }
}
