//! Finding Deno, and the engine that is embedded in this binary.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use tntc_core::manifests::code::short_hex;
use tntc_core::modules;
use tntc_core::project::Project;
use tokio::process::Command;

use crate::outcome::error::io;
use crate::outcome::{Error, Result};
use crate::process::lifetime;
use crate::workspace::cache::cache_dir;
use crate::workspace::scratch::Scratch;

/// The oldest Deno that the engine was tested with.
pub const OLDEST: (u32, u32, u32) = (2, 9, 8);

/// The engine as it is shipped; its README says what is.
#[derive(RustEmbed)]
#[folder = "../../engine"]
#[exclude = "*_test.ts"]
#[exclude = "*testdata/*"]
#[exclude = "tests/*"]
#[exclude = "vendor/build.ts"]
#[exclude = "vendor/sources/*"]
#[exclude = "README.md"]
struct Engine;

/// The engine's files by their path below its directory.
pub fn engine_files() -> impl Iterator<Item = (Cow<'static, str>, Cow<'static, [u8]>)> {
    Engine::iter().map(|name| {
        let content = Engine::get(&name).map(|file| file.data).unwrap_or_default();
        (name, content)
    })
}

/// Writes the engine below `dir`.
pub fn write_engine(dir: &Path) -> Result<()> {
    for (name, content) in engine_files() {
        let path = dir.join(name.as_ref());
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io("create", parent))?;
        }
        for parent in path
            .ancestors()
            .skip(1)
            .take_while(|it| it.starts_with(dir))
        {
            let_everyone(0o755, parent)?;
        }
        fs::write(&path, content).map_err(io("write", &path))?;
        let_everyone(0o644, &path)?;
    }
    Ok(())
}

/// Whatever the umask: Docker copies the modes into an image, which another user runs.
fn let_everyone(mode: u32, path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(io("open", path))
}

/// The engine's directory in the user's cache, written there when this version is not there yet.
pub fn cached_engine() -> Result<PathBuf> {
    let cache = cache_dir()?;
    let dir = cache.join(format!("engine-{}", engine_hash()));
    if dir.join("main.ts").exists() {
        return Ok(dir);
    }
    fs::create_dir_all(&cache).map_err(io("create", &cache))?;
    // Written beside and renamed, so that another process never sees half of it.
    let fresh = Scratch::new_in(&cache, "engine").map_err(io("write to", &cache))?;
    let engine = fresh.path().join("engine");
    write_engine(&engine)?;
    match fs::rename(engine, &dir) {
        Err(_) if dir.join("main.ts").exists() => Ok(dir),
        renamed => renamed.map(|()| dir.clone()).map_err(io("write", &dir)),
    }
}

fn engine_hash() -> String {
    let mut hasher = Sha256::new();
    for name in Engine::iter() {
        hasher.update(name.as_bytes());
        hasher.update(
            Engine::get(&name)
                .map(|file| file.metadata.sha256_hash())
                .unwrap_or_default(),
        );
    }
    short_hex(&hasher.finalize())
}

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

/// The engine's files behind `tentacular` and `tentacular/testing`, by their path below its directory: enough for editors
/// and for `deno test`.
///
/// # Errors
/// A file of the engine is no TypeScript, which its own tests rule out.
pub fn importable() -> Result<Vec<(String, String)>> {
    let engine = Project::from_files(engine_files());
    let mut files = BTreeMap::new();
    for module in ["mod.ts", "testing/mod.ts"] {
        let closure = modules::closure(&engine, module)
            .map_err(|cause| Error::failed(format!("the engine's {cause}")))?;
        for path in closure.modules.into_keys() {
            let content = engine.files.get(&path).map(Vec::as_slice);
            let text = String::from_utf8_lossy(content.unwrap_or_default()).into_owned();
            files.insert(path, text);
        }
    }
    Ok(files.into_iter().collect())
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
