//! `.tentacular/base-image.txt`: the image that `build` made and `deploy` uses, and whose turn it is to write it.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::error::{Result, io};
use crate::output::Printer;
use crate::project::BASE_IMAGE_FILE;

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

/// Leaves the image for `deploy`; whoever reads sees the old one or the new one.
pub fn write(dir: &Path, image: &str) -> Result<()> {
    let path = dir.join(BASE_IMAGE_FILE);
    let parent = path.parent().unwrap_or(dir);
    fs::create_dir_all(parent).map_err(io("create", parent))?;
    let fresh = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(parent)
        .map_err(io("write to", parent))?;
    fs::write(fresh.path(), format!("{image}\n")).map_err(io("write", &path))?;
    let kept = fresh.persist(&path);
    kept.map(drop)
        .map_err(|cause| io("write", &path)(cause.error))
}
