//! Reading local secrets: the workflow's own, and what they refer to in the repository's shared pool.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tntc_core::derive::secrets::unused;
use tntc_core::secrets::{self, Entry, Held, Problem};
use tntc_core::settings::Settings;
use tntc_core::workflow::Workflow;

use super::files::{self, SETTINGS_LIMIT};
use crate::outcome::error::io;
use crate::outcome::{Error, Result};

/// The workflow's secrets as one file.
pub const FILE: &str = ".secrets.yaml";
/// The workflow's secrets as a directory; at the repository's root, the shared pool.
pub const DIR: &str = ".secrets";

/// Local secrets by service, references resolved.
#[derive(Default)]
pub struct Local {
    /// Content of the Secret's key of each service.
    pub services: BTreeMap<String, Vec<u8>>,
    /// Where each service was found, as shown to the user.
    pub places: BTreeMap<String, String>,
    /// What is questionable about the files.
    pub warnings: Vec<String>,
}

impl Local {
    /// Adds a warning about services that neither the contract nor a trigger names: they are provisioned all the same,
    /// and every node can read them.
    #[must_use]
    pub fn warned_of_unused(mut self, workflow: &Workflow) -> Self {
        let names: Vec<_> = unused(workflow, &self.services)
            .into_iter()
            .map(|name| format!("`{name}`"))
            .collect();
        if !names.is_empty() {
            self.warnings.push(format!(
                "no dependency and no trigger uses the secrets of {}, which every node can read; remove them where they are not needed",
                names.join(", ")
            ));
        }
        self
    }
}

/// The local secrets of a workflow: the environment's `secrets_source` alone when there is one, else `.secrets.yaml`,
/// else `.secrets/`; `None` when there is none of them.
///
/// # Errors
/// A source that is named but not there, cannot be read or understood, leads out of the repository, or refers to what
/// does not exist. No error ever holds a value.
pub fn read(dir: &Path, settings: &Settings) -> Result<Option<Local>> {
    let Some(source) = &settings.secrets_source else {
        let path = own_sources(dir).into_iter().next_back();
        return path.map(|path| read_all(dir, &[path])).transpose();
    };
    let path = dir.join(&source.value);
    if !settings.secrets_source_is_the_users {
        require_inside(dir, &path)?;
    }
    Reader::new(dir, false).read(&[path]).map(Some)
}

/// The local secrets of a workflow that runs on this machine: `.secrets/`, and `.secrets.yaml` over it key by key;
/// `None` when there is neither.
///
/// # Errors
/// As [`read`].
pub fn read_merged(dir: &Path) -> Result<Option<Local>> {
    let paths = own_sources(dir);
    let some = !paths.is_empty();
    some.then(|| read_all(dir, &paths)).transpose()
}

/// What there is beside workflow.yaml, the one that wins last.
fn own_sources(dir: &Path) -> Vec<PathBuf> {
    let all = [DIR, FILE].map(|name| dir.join(name));
    all.into_iter().filter(|path| path.exists()).collect()
}

fn read_all(dir: &Path, paths: &[PathBuf]) -> Result<Local> {
    Reader::new(dir, true).read(paths)
}

/// A link in a stranger's directory can lead to the user's own keys, which would become secrets of the stranger's
/// workflow.
fn require_inside(dir: &Path, path: &Path) -> Result<()> {
    let target = fs::canonicalize(path).map_err(io("read secrets from", path))?;
    let root = match repository_root(dir) {
        Some(root) => root,
        None => fs::canonicalize(dir).map_err(io("open", dir))?,
    };
    if target.starts_with(&root) {
        return Ok(());
    }
    Err(Error::failed(format!(
        "{} leads to {}, out of {}; it was not read",
        path.display(),
        target.display(),
        root.display()
    ))
    .hint(
        "copy the file, or name it as an environment's secrets_source in ~/.tentacular/config.yaml",
    ))
}

struct Reader<'a> {
    /// The workflow's.
    dir: &'a Path,
    /// Whether what is read may lie in the repository only.
    confined: bool,
    local: Local,
}

impl<'a> Reader<'a> {
    fn new(dir: &'a Path, confined: bool) -> Self {
        Self {
            dir,
            confined,
            local: Local::default(),
        }
    }

    fn read(mut self, paths: &[PathBuf]) -> Result<Local> {
        let mut merged: BTreeMap<String, Entry> = BTreeMap::new();
        for path in paths {
            for (service, entry) in self.source(path)? {
                let (entry, place) = self.resolve(&service, entry, path)?;
                self.local.places.insert(service.clone(), place);
                let entry = match merged.remove(&service) {
                    Some(under) => secrets::merged(&under, entry),
                    None => entry,
                };
                merged.insert(service, entry);
            }
        }
        self.local.services = merged
            .into_iter()
            .map(|(service, entry)| (service, secrets::content(&entry)))
            .collect();
        Ok(self.local)
    }

    fn source(&mut self, path: &Path) -> Result<BTreeMap<String, Entry>> {
        if self.confined {
            require_inside(self.dir, path)?;
        }
        if path.is_dir() {
            self.directory(path)
        } else {
            self.file(path)
        }
    }

    fn file(&mut self, path: &Path) -> Result<BTreeMap<String, Entry>> {
        let text = files::read_text(path, SETTINGS_LIMIT).map_err(io("read secrets from", path))?;
        self.warn_if_open(path);
        let parsed = secrets::parse(&text)
            .map_err(|cause| Error::failed(format!("{}: {cause}", path.display())))?;
        let warnings = parsed.warnings.into_iter();
        let placed = warnings.map(|warning| format!("{}: {warning}", path.display()));
        self.local.warnings.extend(placed);
        Ok(parsed.services)
    }

    fn directory(&mut self, path: &Path) -> Result<BTreeMap<String, Entry>> {
        let mut entries = BTreeMap::new();
        for entry in fs::read_dir(path).map_err(io("read secrets from", path))? {
            let file = entry.map_err(io("read secrets from", path))?.path();
            let service = file
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            if service.starts_with('.') || file.is_dir() {
                continue;
            }
            if secrets::is_backup(&service) {
                self.local.warnings.push(format!(
                    "{} looks like an editor's backup and is left out",
                    file.display()
                ));
                continue;
            }
            secrets::require_service(&service).map_err(|cause| wrong(path, &cause))?;
            entries.insert(service, self.service(&file)?);
        }
        Ok(entries)
    }

    fn service(&mut self, file: &Path) -> Result<Entry> {
        if self.confined {
            require_inside(self.dir, file)?;
        }
        let content = files::read(file, SETTINGS_LIMIT).map_err(io("read secrets from", file))?;
        self.warn_if_open(file);
        secrets::of_file(content).map_err(|cause| wrong(file, &cause))
    }

    /// The entry with its values, and where it was found.
    fn resolve(&mut self, service: &str, entry: Entry, path: &Path) -> Result<(Entry, String)> {
        match entry {
            Entry::Shared(name) => {
                let (file, content) = self.shared(service, &name)?;
                let entry = secrets::of_file(content).map_err(|cause| wrong(&file, &cause))?;
                Ok((entry, file.display().to_string()))
            }
            Entry::Values(values) => {
                let values = values
                    .into_iter()
                    .map(|(key, held)| self.value(service, key, held));
                let entry = Entry::Values(values.collect::<Result<_>>()?);
                Ok((entry, path.display().to_string()))
            }
            Entry::Raw(_) => Ok((entry, path.display().to_string())),
        }
    }

    fn value(&mut self, service: &str, key: String, held: Held) -> Result<(String, Held)> {
        let Held::Shared(name) = held else {
            return Ok((key, held));
        };
        let (file, content) = self.shared(&format!("{service}.{key}"), &name)?;
        let held = secrets::held_of_file(content).map_err(|cause| {
            wrong(&file, &cause).hint(format!("`{service}.{key}` refers to it"))
        })?;
        Ok((key, held))
    }

    fn shared(&mut self, referrer: &str, name: &str) -> Result<(PathBuf, Vec<u8>)> {
        let file = shared_file(self.dir, referrer, name)?;
        self.warn_if_open(&file);
        let content =
            files::read(&file, SETTINGS_LIMIT).map_err(io("read the shared secret", &file))?;
        Ok((file, content))
    }

    /// Anybody who can log in could read it.
    fn warn_if_open(&mut self, path: &Path) {
        let metadata = fs::metadata(path);
        if metadata.is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0) {
            self.local.warnings.push(format!(
                "{} can be read by everybody on this machine: chmod 600 it",
                path.display()
            ));
        }
    }
}

fn wrong(path: &Path, cause: &Problem) -> Error {
    Error::failed(format!("{}: {cause}", path.display()))
}

/// The shared pool's file of this name; a symbolic link cannot lead out of the pool either.
fn shared_file(dir: &Path, referrer: &str, name: &str) -> Result<PathBuf> {
    let refers = format!("secrets of `{referrer}` refer to $shared.{name}");
    let root = repository_root(dir).ok_or_else(|| {
        Error::failed(format!(
            "{refers}, but the workflow is in no git repository"
        ))
        .hint("the shared pool is `.secrets/` at the repository's root")
    })?;
    let pool = root.join(DIR);
    let absent = || {
        Error::failed(format!(
            "{refers}, but {} does not exist",
            pool.join(name).display()
        ))
        .hint("create the file, with a JSON object of keys and values, or a text")
    };
    let file = fs::canonicalize(pool.join(name)).map_err(|_| absent())?;
    let real = fs::canonicalize(&pool).map_err(|_| absent())?;
    if real.starts_with(&root) && file.starts_with(&real) && file.is_file() {
        return Ok(file);
    }
    Err(Error::failed(format!(
        "{refers}, which leads out of {}",
        pool.display()
    )))
}

/// The nearest directory upwards that git works in.
pub fn repository_root(dir: &Path) -> Option<PathBuf> {
    let start = fs::canonicalize(dir).ok()?;
    start
        .ancestors()
        .find(|ancestor| ancestor.join(".git").exists())
        .map(Path::to_owned)
}
