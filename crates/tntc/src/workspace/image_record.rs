//! `.tentacular/base-image.txt`: the image that `build` made and `deploy` uses, whether this user built it, and whose turn
//! it is to write it.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tntc_core::diagnostic::Invalid;
use tntc_core::manifests::code::short_hex;
use tntc_core::values::ImageReference;

use super::cache::cache_dir;
use super::config_files::CONFIG_DIR;
use super::files::{self, Access, SETTINGS_LIMIT};
use crate::outcome::error::io;
use crate::outcome::{Error, Result};
use crate::terminal::Printer;

/// Where `build` leaves the image's tag for `deploy`.
pub const BASE_IMAGE_FILE: &str = ".tentacular/base-image.txt";

/// How often a build looks whether another one has ended.
const LOOK: Duration = Duration::from_millis(100);

/// The one build of a directory that may run now; the next one's turn comes when this is dropped, also when the
/// process dies.
pub struct Turn {
    _locked: File,
}

impl Turn {
    /// Waits until no other build of the directory runs. The directory itself is locked, so that no file is left.
    pub async fn take(dir: &Path, printer: &Printer) -> Result<Self> {
        let file = File::open(dir).map_err(io("open", dir))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _locked: file }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(cause)) => return Err(io("lock", dir)(cause)),
            }
            if !told {
                printer.note(format!(
                    "another build of {} is running; waiting for it to end",
                    dir.display()
                ));
                told = true;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// What the user's last build of a directory made, kept in the user's cache: the directory may be a stranger's, and then
/// its `base-image.txt` is no build of this user's.
#[derive(Serialize, Deserialize)]
struct Record {
    /// The directory, without links; for a person who looks into the cache.
    directory: PathBuf,
    /// As `base-image.txt` has it.
    image: ImageReference,
    /// Of the image, changed by each build of its tag.
    id: Option<String>,
}

/// What `base-image.txt` says.
pub struct Remembered {
    /// The image.
    pub image: ImageReference,
    /// Whether the user's own build wrote it.
    pub is_own: bool,
    /// The file.
    pub file: PathBuf,
}

/// Leaves the image for `deploy`, and notes which build of its tag it is.
pub fn write(dir: &Path, image: &ImageReference, id: Option<&str>) -> Result<()> {
    let (directory, path) = record_of(dir)?;
    let record = Record {
        directory,
        image: image.clone(),
        id: id.map(str::to_owned),
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(io("create", parent))?;
    }
    let text = serde_json::to_string(&record)
        .map_err(|cause| Error::failed(format!("cannot note the build: {cause}")))?;
    files::replace(&path, text.as_bytes(), Access::Usual)?;
    files::make_dir(&dir.join(CONFIG_DIR))?;
    let line = format!("{image}\n");
    files::replace(&dir.join(BASE_IMAGE_FILE), line.as_bytes(), Access::Usual)
}

/// The image that was built for a directory, by the user or, as the directory says, by somebody else.
///
/// # Errors
/// The file cannot be read, or names no image.
pub fn read(dir: &Path) -> Result<Option<Remembered>> {
    let file = dir.join(BASE_IMAGE_FILE);
    let Some(text) = files::optional(&file)? else {
        return Ok(None);
    };
    if text.trim().is_empty() {
        return Ok(None);
    }
    let image = text.trim().parse().map_err(|invalid: Invalid| {
        let error = Error::usage(format!("{}: {invalid}", file.display()));
        let error = invalid.help.into_iter().fold(error, Error::hint);
        error.hint(
            "the file is what `tntc build` writes: build again, or name the image with --image",
        )
    })?;
    Ok(Some(Remembered {
        is_own: last_build(dir).is_some_and(|it| it.image == image),
        image,
        file,
    }))
}

/// Which build of this image was the user's last one of the directory; nothing where another one is meant, or where the
/// reference has a digest, which says it already.
pub fn id_of(dir: &Path, image: &ImageReference) -> Option<String> {
    let build = last_build(dir)?;
    let is_meant = build.image.loaded() == *image;
    build.id.filter(|_| is_meant)
}

/// A record that is gone or unreadable says nothing: the file is the directory's choice then.
fn last_build(dir: &Path) -> Option<Record> {
    let (_, path) = record_of(dir).ok()?;
    let text = files::read_text(&path, SETTINGS_LIMIT).ok()?;
    serde_json::from_str(&text).ok()
}

/// The directory without links, and where the record of its last build is.
fn record_of(dir: &Path) -> Result<(PathBuf, PathBuf)> {
    let dir = fs::canonicalize(dir).map_err(io("open", dir))?;
    let name = short_hex(&Sha256::digest(dir.as_os_str().as_encoded_bytes()));
    let path = cache_dir()?.join("builds").join(format!("{name}.json"));
    Ok((dir, path))
}
