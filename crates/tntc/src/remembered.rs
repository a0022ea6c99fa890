//! `.tentacular/base-image.txt`: the image that `build` made and `deploy` uses, and whose turn it is to write it.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use tntc_core::image::ImageReference;

use crate::error::{Result, io};
use crate::files::{self, Access};
use crate::output::Printer;
use crate::project::{BASE_IMAGE_FILE, CONFIG_DIR};

/// The tag and the ID of the image, which changes with each build of the tag.
const IMAGE_ID_FILE: &str = ".tentacular/base-image-id.txt";

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

/// Leaves the image for `deploy`, and which build of its tag it is.
pub fn write(dir: &Path, image: &str, id: Option<&str>) -> Result<()> {
    let tag = ImageReference::of(image).loaded();
    let id = id.map(|id| format!("{tag} {id}")).unwrap_or_default();
    replace(dir, IMAGE_ID_FILE, &id)?;
    replace(dir, BASE_IMAGE_FILE, image)
}

/// Which build of this image was the last one of the directory; nothing where another one is meant, or where the
/// reference has a digest, which says it already.
pub fn id_of(dir: &Path, image: &str) -> Result<Option<String>> {
    let text = files::optional(&dir.join(IMAGE_ID_FILE))?.unwrap_or_default();
    let known = text.trim().split_once(' ');
    Ok(known
        .filter(|(tag, _)| *tag == image)
        .map(|(_, id)| id.to_owned()))
}

/// Whoever reads sees the old line or the new one.
fn replace(dir: &Path, name: &str, line: &str) -> Result<()> {
    files::make_dir(&dir.join(CONFIG_DIR))?;
    let line = format!("{line}\n");
    files::replace(&dir.join(name), line.as_bytes(), Access::Usual)
}
