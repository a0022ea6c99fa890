//! Finding Deno, and what it gets to see of the environment.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tntc_core::manifests::code::short_hex;
use tokio::process::Command;

use crate::outcome::error::io;
use crate::outcome::{Error, Result};
use crate::process::lifetime;
use crate::workspace::cache::cache_dir;

/// The oldest Deno that the engine was tested with.
pub const OLDEST: (u32, u32, u32) = (2, 9, 8);

/// A Deno that is new enough: `$TNTC_DENO`, on `PATH`, or in the project's cache.
pub async fn find() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("TNTC_DENO").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(named);
        return match version(&path).await {
            Some(found) if found >= OLDEST => Ok(path),
            Some(found) => Err(too_old(&path, found)),
            None => Err(missing(&format!(
                "$TNTC_DENO names {}, which does not run",
                path.display()
            ))),
        };
    }
    let mut newest = None;
    for path in candidates() {
        match version(&path).await {
            Some(found) if found >= OLDEST => return Ok(path),
            Some(found) => newest = newest.or(Some((path, found))),
            None => {}
        }
    }
    Err(newest.map_or_else(
        || missing("Deno is not installed"),
        |(path, found)| too_old(&path, found),
    ))
}

fn candidates() -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("deno")];
    if let Ok(entries) =
        cache_dir().and_then(|dir| fs::read_dir(dir.join("deno")).map_err(io("read", &dir)))
    {
        let mut cached: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path().join("deno"))
            .collect();
        cached.sort();
        found.extend(cached.into_iter().rev());
    }
    found
}

type Version = (u32, u32, u32);

/// The version of a Deno, asked once for each binary: asking takes as long as testing a few nodes.
async fn version(deno: &Path) -> Option<Version> {
    let note = note_about(deno);
    let noted = note.as_ref().and_then(|note| fs::read_to_string(note).ok());
    if let Some(known) = noted.as_deref().and_then(parse_version) {
        return Some(known);
    }
    let mut command = lifetime::bound(deno);
    let output = command.arg("--version").output().await.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let found = parse_version(&text)?;
    if let Some(note) = note {
        // A cache that cannot be written costs time and nothing else.
        drop(note.parent().map(fs::create_dir_all));
        drop(fs::write(note, text));
    }
    Some(found)
}

/// Where the version of a binary is noted. Its path, size and time of change stand for its content.
fn note_about(deno: &Path) -> Option<PathBuf> {
    let path = if deno.components().count() > 1 {
        deno.to_owned()
    } else {
        let search = std::env::var_os("PATH")?;
        std::env::split_paths(&search)
            .map(|dir| dir.join(deno))
            .find(|path| path.is_file())?
    };
    let path = fs::canonicalize(path).ok()?;
    let metadata = fs::metadata(&path).ok()?;
    let changed = metadata.modified().ok()?;
    let facts = format!("{} {} {changed:?}", path.display(), metadata.len());
    let name = short_hex(&Sha256::digest(facts));
    Some(cache_dir().ok()?.join("deno-versions").join(name))
}

/// The version that `deno --version` prints first, as in `deno 2.9.8 (stable, …)`.
fn parse_version(text: &str) -> Option<Version> {
    let mut numbers = text
        .split_whitespace()
        .nth(1)?
        .split(['.', '-', '+'])
        .map(str::parse);
    Some((
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
    ))
}

fn needed() -> String {
    format!("{}.{}.{}", OLDEST.0, OLDEST.1, OLDEST.2)
}

fn missing(why: &str) -> Error {
    Error::surroundings(format!("{why}; version {} or newer is needed", needed()))
        .hint("install it from PyPI (pip install deno), npm (npm install -g deno) or deno.com, or name it in TNTC_DENO")
}

fn too_old(path: &Path, found: (u32, u32, u32)) -> Error {
    let found = format!("{}.{}.{}", found.0, found.1, found.2);
    missing(&format!("{} is Deno {found}", path.display()))
}

/// Variables that say how requests leave this machine. There may be a password in one.
pub const PROXIES: [&str; 6] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Leaves a process of this environment these variables, where they are set, and no other.
pub fn keep_environment<'a>(command: &mut Command, names: impl IntoIterator<Item = &'a str>) {
    command.env_clear();
    for name in names {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}
