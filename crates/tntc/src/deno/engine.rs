//! The engine that is embedded in this binary.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use tntc_core::manifests::code::short_hex;
use tntc_core::modules;
use tntc_core::project::Project;

use crate::outcome::error::io;
use crate::outcome::{Error, Result};
use crate::workspace::cache::cache_dir;
use crate::workspace::scratch::Scratch;

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
