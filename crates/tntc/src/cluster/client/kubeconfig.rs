//! Which kubeconfig files count, as for kubectl: the one that is named, else those of `$KUBECONFIG`, else the home
//! directory's. None of them is ever written.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use tntc_core::kubeconfig::{Kubeconfig, Mistake};
use tntc_core::settings::{Origin, Settings};

use crate::outcome::{Error, Result};

/// How much of a kubeconfig is read: far more than any has, certificates included.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The files that count and what stands in them.
pub struct Files {
    /// Those that exist, in order of precedence.
    pub paths: Vec<PathBuf>,
    /// Those that were asked for and do not exist.
    pub missing: Vec<PathBuf>,
    /// Their content, merged.
    pub merged: Kubeconfig,
}

/// Reads the files that the settings and the environment name.
///
/// # Errors
/// A file that is named alone does not exist, or one of several cannot be read or is no kubeconfig.
pub fn read(settings: &Settings) -> Result<Files> {
    if let Some(named) = &settings.kubeconfig {
        let text = text(&named.value)?.ok_or_else(|| absent(&named.value, &named.origin))?;
        return Ok(Files {
            merged: parse(&text, &named.value)?,
            paths: vec![named.value.clone()],
            missing: Vec::new(),
        });
    }
    let mut files = Files {
        paths: Vec::new(),
        missing: Vec::new(),
        merged: Kubeconfig::default(),
    };
    for path in candidates() {
        match text(&path)? {
            Some(text) => {
                files.merged = files.merged.merge(parse(&text, &path)?);
                files.paths.push(path);
            }
            None => files.missing.push(path),
        }
    }
    Ok(files)
}

fn candidates() -> Vec<PathBuf> {
    let listed = std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty());
    let Some(listed) = listed else {
        let home = std::env::home_dir().map(|home| home.join(".kube/config"));
        return home.into_iter().collect();
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for path in std::env::split_paths(&listed) {
        if !path.as_os_str().is_empty() && !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

fn parse(text: &str, path: &Path) -> Result<Kubeconfig> {
    Kubeconfig::parse(text, path).map_err(|mistake| mistaken(&mistake))
}

/// The error of a kubeconfig that cannot be used.
pub fn mistaken(mistake: &Mistake) -> Error {
    Error::surroundings(mistake.to_string()).hint(mistake.hint())
}

/// A file's text; nothing when it does not exist.
fn text(path: &Path) -> Result<Option<String>> {
    let unreadable = |cause: &std::io::Error| {
        Error::surroundings(format!(
            "cannot read the kubeconfig {}: {cause}",
            path.display()
        ))
        .hint("correct its permissions, or name another one with --kubeconfig")
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(unreadable(&cause)),
    };
    let mut text = String::new();
    let read = file.take(LARGEST + 1).read_to_string(&mut text);
    read.map_err(|cause| unreadable(&cause))?;
    if text.len() as u64 > LARGEST {
        return Err(unreadable(&std::io::Error::other(
            "it is larger than 16 MiB",
        )));
    }
    Ok(Some(text))
}

fn absent(path: &Path, origin: &Origin) -> Error {
    let error = Error::surroundings(format!(
        "the kubeconfig {} (from {origin}) does not exist",
        path.display()
    ));
    let parts: Vec<_> = std::env::split_paths(path).collect();
    if parts.len() > 1 && parts.iter().any(|part| part.exists()) {
        return error.hint(format!(
            "--kubeconfig takes one file; a list goes into the environment: KUBECONFIG={}",
            path.display()
        ));
    }
    error.hint("name an existing file with --kubeconfig")
}

/// No file at all, nor a pod.
pub fn none(files: &Files) -> Error {
    let error = if files.missing.is_empty() {
        Error::surroundings("no cluster: there is no kubeconfig, and this is not a pod")
    } else {
        let missing: Vec<_> = files
            .missing
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        Error::surroundings(format!(
            "no cluster: {} does not exist, and this is not a pod",
            missing.join(" nor ")
        ))
    };
    error.hint("name a kubeconfig with --kubeconfig or in KUBECONFIG")
}
