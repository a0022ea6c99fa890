//! Temporary directories that nobody else can read, and that no death of the process leaves behind for long.
//!
//! A process that is killed cannot clean up. So each directory is locked while its process lives, and whoever makes the
//! next one removes those that nobody holds any more.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use tempfile::TempDir;

use crate::outcome::{Error, Result};

/// How all names begin, by which the directories of dead processes are found.
const PREFIX: &str = "tentacular-local-";
/// How often a directory is made anew that was removed before it could be locked.
const ATTEMPTS: usize = 10;

/// A directory that only its owner can read (mode 0700); gone with this value.
#[derive(Debug)]
pub struct Scratch {
    dir: TempDir,
    // Released after the directory is gone, or by the system when the process dies.
    _lock: File,
}

impl Scratch {
    /// Makes a directory whose name ends in `purpose` and something random.
    ///
    /// # Errors
    /// There is no directory for temporary files that can be written.
    pub fn new(purpose: &str) -> Result<Self> {
        let parent = std::env::temp_dir();
        Self::new_in(&parent, purpose).map_err(|cause| {
            Error::surroundings(format!("cannot make a temporary directory: {cause}"))
                .hint("TMPDIR names another place")
        })
    }

    /// The same in another directory than that of temporary files, such as one on the disk that something is to be renamed
    /// to.
    ///
    /// # Errors
    /// The operating system's.
    pub fn new_in(parent: &Path, purpose: &str) -> io::Result<Self> {
        remove_abandoned(parent);
        for _ in 0..ATTEMPTS {
            let dir = tempfile::Builder::new()
                .prefix(&format!("{PREFIX}{purpose}-"))
                .permissions(Permissions::from_mode(0o700))
                .tempdir_in(parent)?;
            let lock = File::open(dir.path()).and_then(|lock| lock.lock().map(|()| lock));
            match lock {
                // Another process may have taken it for an abandoned one just before.
                Ok(lock) if dir.path().exists() => return Ok(Self { dir, _lock: lock }),
                Ok(_) => {}
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                Err(cause) => return Err(cause),
            }
        }
        Err(io::Error::other("another process removes it at once"))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Writes a file that only its owner can read (mode 0600), with the directories that it needs (mode 0700).
///
/// # Errors
/// The operating system's.
pub fn write(dir: &Path, name: &str, content: &[u8]) -> Result<()> {
    let path = dir.join(name);
    let parent = path.parent().unwrap_or(dir);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(parent);
    made.map_err(crate::outcome::error::io("create", parent))?;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path);
    file.and_then(|mut file| file.write_all(content))
        .map_err(crate::outcome::error::io("write", &path))
}

/// Removes what dead processes have left.
pub fn clean_up() {
    remove_abandoned(&std::env::temp_dir());
}

/// What cannot be removed now stays for the next time: nothing depends on it.
fn remove_abandoned(parent: &Path) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(PREFIX) && is_own_dir(&entry.path()) {
            drop(remove_unless_locked(&entry.path()));
        }
    }
}

/// Never a link, and never what another user has put there.
fn is_own_dir(path: &Path) -> bool {
    let user = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && found.uid() == user)
}

fn remove_unless_locked(path: &Path) -> io::Result<()> {
    let lock = File::open(path)?;
    match lock.try_lock() {
        Ok(()) => fs::remove_dir_all(path),
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(cause)) => Err(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn nobody_else_can_read_the_directory_or_its_files() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = Scratch::new_in(parent.path(), "test").unwrap();
        write(scratch.path(), "deep/secret", b"s").unwrap();
        let deep = scratch.path().join("deep");
        assert_eq!([mode(scratch.path()), mode(&deep)], [0o700, 0o700]);
        assert_eq!(mode(&deep.join("secret")), 0o600);
        let path = scratch.path().to_owned();
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn only_what_dead_processes_left_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let held = Scratch::new_in(parent.path(), "held").unwrap();
        let named = |name: &str| parent.path().join(format!("{PREFIX}{name}"));
        fs::create_dir_all(named("dead").join("deep")).unwrap();
        fs::create_dir(parent.path().join("other")).unwrap();
        std::os::unix::fs::symlink(parent.path().join("other"), named("link")).unwrap();
        remove_abandoned(parent.path());
        assert!(!named("dead").exists());
        assert!(held.path().exists() && named("link").exists());
    }
}
