//! Blobs of base images, kept in the user's cache by digest.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;

use super::layer::digest;
use crate::outcome::error::io;
use crate::outcome::{Error, Result};
use crate::workspace::cache::cache_dir;
use crate::workspace::scratch::Scratch;

/// A directory of blobs; a file is there whole or not at all.
#[derive(Debug, Clone)]
pub struct Cache {
    dir: PathBuf,
    /// What is not whole yet; on the same disk, to be renamed.
    fresh: Arc<Scratch>,
}

impl Cache {
    /// The user's.
    pub fn open() -> Result<Self> {
        let dir = cache_dir()?.join("blobs");
        std::fs::create_dir_all(&dir).map_err(io("create", &dir))?;
        let fresh = Scratch::new_in(&dir, "blob").map_err(io("write to", &dir))?;
        Ok(Self {
            dir,
            fresh: Arc::new(fresh),
        })
    }

    /// Where a blob is, or would be.
    pub fn path(&self, digest: &str) -> PathBuf {
        self.dir.join(digest.replace(':', "-"))
    }

    /// The bytes of a small blob, when it is there and whole.
    pub fn read(&self, wanted: &str) -> Option<Vec<u8>> {
        let kept = std::fs::read(self.path(wanted)).ok()?;
        (digest(&kept) == wanted).then_some(kept)
    }

    /// A file to write a blob to.
    pub fn fresh(&self) -> Result<NamedTempFile> {
        let dir = self.fresh.path();
        NamedTempFile::new_in(dir).map_err(io("write to", dir))
    }

    /// Keeps a file that was written and checked.
    pub fn keep(&self, file: NamedTempFile, digest: &str) -> Result<()> {
        let path = self.path(digest);
        file.persist(&path)
            .map(drop)
            .map_err(|cause| io("write", &path)(cause.error))
    }

    /// Keeps bytes that were checked.
    pub fn write(&self, digest: &str, content: &[u8]) -> Result<()> {
        let file = self.fresh()?;
        std::fs::write(file.path(), content).map_err(|cause| full(&cause, file.path()))?;
        self.keep(file, digest)
    }
}

/// A failed write of something large.
pub fn full(cause: &std::io::Error, path: &Path) -> Error {
    let error = Error::surroundings(format!("cannot write {}: {cause}", path.display()));
    if cause.kind() == std::io::ErrorKind::StorageFull {
        error.hint("free some space on that disk, or write elsewhere")
    } else {
        error
    }
}
