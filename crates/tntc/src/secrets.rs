//! Reading local secrets: the workflow's own, and what they refer to in the repository's shared pool.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tntc_core::secrets::{self, Entry};

use crate::error::{Error, Result, io};

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

/// The local secrets of a workflow: `source` alone when given, else `.secrets.yaml`, else `.secrets/`; `None` when
/// there is none of them.
///
/// # Errors
/// A source that is named but not there, cannot be read or understood, or refers to what does not exist. No error ever
/// holds a value.
pub fn read(dir: &Path, source: Option<&str>) -> Result<Option<Local>> {
    let path = match source {
        Some(source) => Some(dir.join(source)),
        None => own_sources(dir).into_iter().next_back(),
    };
    path.map(|path| read_all(dir, &[path])).transpose()
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
    let mut local = Local::default();
    let mut merged: BTreeMap<String, Entry> = BTreeMap::new();
    for path in paths {
        let entries = if path.is_dir() {
            directory(path, &mut local)?
        } else {
            file(path, &mut local)?
        };
        for (service, entry) in entries {
            let (entry, place) = resolve(dir, &service, entry, path, &mut local)?;
            local.places.insert(service.clone(), place);
            let entry = match merged.remove(&service) {
                Some(under) => secrets::merged(under, entry),
                None => entry,
            };
            merged.insert(service, entry);
        }
    }
    local.services = merged
        .into_iter()
        .map(|(service, entry)| (service, secrets::content(&entry)))
        .collect();
    Ok(local)
}

fn file(path: &Path, local: &mut Local) -> Result<BTreeMap<String, Entry>> {
    let text = fs::read_to_string(path).map_err(io("read secrets from", path))?;
    warn_if_open(path, local);
    secrets::parse(&text).map_err(|cause| Error::failed(format!("{}: {cause}", path.display())))
}

fn directory(path: &Path, local: &mut Local) -> Result<BTreeMap<String, Entry>> {
    let mut entries = BTreeMap::new();
    for entry in fs::read_dir(path).map_err(io("read secrets from", path))? {
        let entry = entry.map_err(io("read secrets from", path))?;
        let service = entry.file_name().to_string_lossy().into_owned();
        if service.starts_with('.') || !entry.path().is_file() {
            continue;
        }
        secrets::require_service(&service)
            .map_err(|cause| Error::failed(format!("{}: {cause}", path.display())))?;
        let content = fs::read(entry.path()).map_err(io("read secrets from", &entry.path()))?;
        warn_if_open(&entry.path(), local);
        entries.insert(service, secrets::of_file(content));
    }
    Ok(entries)
}

/// The entry with its values, and where it was found.
fn resolve(
    dir: &Path,
    service: &str,
    entry: Entry,
    path: &Path,
    local: &mut Local,
) -> Result<(Entry, String)> {
    let Entry::Shared(name) = entry else {
        return Ok((entry, path.display().to_string()));
    };
    let shared = shared_file(dir, service, &name)?;
    warn_if_open(&shared, local);
    let content = fs::read(&shared).map_err(io("read the shared secret", &shared))?;
    Ok((secrets::of_file(content), shared.display().to_string()))
}

/// The shared pool's file of this name; a symbolic link cannot lead out of the pool either.
fn shared_file(dir: &Path, service: &str, name: &str) -> Result<PathBuf> {
    let refers = format!("secrets of `{service}` refer to $shared.{name}");
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
        .hint("create the file, with a JSON object of keys and values")
    };
    let file = fs::canonicalize(pool.join(name)).map_err(|_| absent())?;
    let pool = fs::canonicalize(&pool).map_err(|_| absent())?;
    if file.starts_with(&pool) && file.is_file() {
        return Ok(file);
    }
    Err(Error::failed(format!(
        "{refers}, which leads out of {}",
        pool.display()
    )))
}

fn repository_root(dir: &Path) -> Option<PathBuf> {
    let start = fs::canonicalize(dir).ok()?;
    start
        .ancestors()
        .find(|ancestor| ancestor.join(".git").exists())
        .map(Path::to_owned)
}

/// Anybody who can log in could read it.
fn warn_if_open(path: &Path, local: &mut Local) {
    let open = fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0);
    if open {
        local.warnings.push(format!(
            "{} can be read by everybody on this machine: chmod 600 it",
            path.display()
        ));
    }
}
