//! The copy that a workflow runs from on this machine: its files and nothing else, so that no link, no dot file and no
//! comma in a path leads a node out of it.
//!
//! A workflow's copy is always in the same place in the user's cache: Deno keeps what it compiles by path, so that a run
//! of code that has not changed compiles nothing, as in the workflow's own directory. Whoever uses a copy holds its
//! lock; a second process takes a second one.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tntc_core::manifests::code::short_hex;
use tntc_core::project::Project;

use super::sealed;
use crate::outcome::error::io;
use crate::outcome::{Error, Result};
use crate::workspace::cache::cache_dir;
use crate::workspace::scratch;

/// How many processes may run one workflow at a time.
const MOST_AT_ONCE: usize = 64;
/// How many copies are kept, the last used ones.
const KEPT: usize = 32;
/// Where copies are, in the cache.
const COPIES: &str = "copies";

/// A directory that is this process's alone while the value lives.
pub struct Copy {
    dir: PathBuf,
    project: Project,
    /// Unlocked when it is closed.
    _lock: File,
}

impl Copy {
    /// A copy of what the workflow in `of` is made of.
    ///
    /// # Errors
    /// The cache cannot be written, or its path is one that Deno's flags cannot hold.
    pub fn new(of: &Path, project: Project) -> Result<Self> {
        let copies = cache_dir()?.join(COPIES);
        make_private(&copies)?;
        let copies = fs::canonicalize(&copies).map_err(io("open", &copies))?;
        sealed::require_expressible(&copies)?;
        let of = fs::canonicalize(of).map_err(io("open", of))?;
        let (dir, lock) = claim(&copies, &of)?;
        let copy = Self {
            dir,
            project,
            _lock: lock,
        };
        copy.write()?;
        Ok(copy)
    }

    /// The directory, absolute and without links.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Takes over another state of the workflow; files that are the same are left alone.
    ///
    /// # Errors
    /// The cache cannot be written.
    pub fn update(&mut self, project: Project) -> Result<()> {
        self.project = project;
        self.write()
    }

    fn write(&self) -> Result<()> {
        make_private(&self.dir)?;
        remove_others(&self.dir, "", &self.project)?;
        for (name, content) in &self.project.files {
            let path = self.dir.join(name);
            if fs::read(&path).ok().as_ref() != Some(content) {
                scratch::write(&self.dir, name, content)?;
            }
        }
        Ok(())
    }
}

/// The first copy of the workflow that nobody uses.
fn claim(copies: &Path, of: &Path) -> Result<(PathBuf, File)> {
    let name = short_hex(&Sha256::digest(of.as_os_str().as_encoded_bytes()));
    for slot in 0..MOST_AT_ONCE {
        let dir = copies.join(format!("{name}-{slot}"));
        if let Some(lock) = locked(&dir)? {
            if !dir.exists() {
                prune(copies, &dir);
            }
            return Ok((dir, lock));
        }
    }
    Err(Error::surroundings(format!(
        "{MOST_AT_ONCE} processes run this workflow already"
    )))
}

/// The lock of a copy, unless another process holds it. Its time of change is that of the last use.
fn locked(dir: &Path) -> Result<Option<File>> {
    let path = dir.with_extension("lock");
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .map_err(io("write", &path))?;
    match file.try_lock() {
        Ok(()) => {
            // Only for the order in which copies are removed.
            drop(file.set_modified(std::time::SystemTime::now()));
            Ok(Some(file))
        }
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(cause)) => Err(io("lock", &path)(cause)),
    }
}

/// Removes the copies that were not used for longest. What cannot be removed is left for another time.
fn prune(copies: &Path, but: &Path) {
    let entries = fs::read_dir(copies).into_iter().flatten().flatten();
    let last_use = |dir: &Path| {
        fs::metadata(dir.with_extension("lock"))
            .ok()?
            .modified()
            .ok()
    };
    let mut others: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && path != but)
        .map(|path| (last_use(&path), path))
        .collect();
    others.sort();
    let many = others.len().saturating_sub(KEPT - 1);
    for (_, dir) in others.into_iter().take(many) {
        // The lock stays: whoever has opened it already must not be alone with it.
        if let Ok(Some(_lock)) = locked(&dir) {
            drop(fs::remove_dir_all(&dir));
            sealed::forget_compiled(&dir);
        }
    }
}

fn make_private(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(io("create", dir))?;
    fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(io("write", dir))
}

/// Removes everything below `dir` that is no file of the project or no directory of one: links above all.
fn remove_others(dir: &Path, prefix: &str, project: &Project) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(io("read", dir))? {
        let entry = entry.map_err(io("read", dir))?;
        let path = entry.path();
        // Of the entry itself, not of what it links to.
        let kind = entry.file_type().map_err(io("read", &path))?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let inside = format!("{name}/");
        if kind.is_dir() && has_files_below(project, &inside) {
            remove_others(&path, &inside, project)?;
        } else if kind.is_dir() {
            fs::remove_dir_all(&path).map_err(io("remove", &path))?;
        } else if !kind.is_file() || !project.files.contains_key(&name) {
            fs::remove_file(&path).map_err(io("remove", &path))?;
        }
    }
    Ok(())
}

fn has_files_below(project: &Project, prefix: &str) -> bool {
    let mut after = project.files.range(prefix.to_owned()..);
    after
        .next()
        .is_some_and(|(name, _)| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn copy(dir: &Path, project: Project) -> Copy {
        let lock = File::create(dir.with_extension("lock")).unwrap();
        Copy {
            dir: dir.to_owned(),
            project,
            _lock: lock,
        }
    }

    #[test]
    fn a_copy_follows_what_is_added_changed_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("copy");
        let before = [
            ("same", "1"),
            ("changed", "1"),
            ("removed/deep", "1"),
            ("a", "1"),
        ];
        let after = [
            ("same", "1"),
            ("changed", "2"),
            ("deep/added", "1"),
            ("a/b", "1"),
        ];
        let mut copy = copy(&dir, Project::from_files(before));
        copy.write().unwrap();
        copy.update(Project::from_files(after)).unwrap();
        let read = |name: &str| fs::read_to_string(dir.join(name)).ok();
        assert_eq!(read("same").as_deref(), Some("1"));
        assert_eq!(read("changed").as_deref(), Some("2"));
        assert_eq!(read("deep/added").as_deref(), Some("1"));
        assert_eq!(read("a/b").as_deref(), Some("1"));
        assert!(!dir.join("removed").exists());
    }

    #[test]
    fn what_was_planted_in_a_copy_is_gone_and_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let victim = home.path().join("victim");
        fs::write(&victim, "mine").unwrap();
        fs::create_dir(home.path().join("victims")).unwrap();
        let dir = home.path().join("copy");
        fs::create_dir(&dir).unwrap();
        symlink(&victim, dir.join("a.ts")).unwrap();
        symlink(home.path().join("victims"), dir.join("nodes")).unwrap();
        symlink("/", dir.join("slash")).unwrap();
        let project = Project::from_files([("a.ts", "code"), ("nodes/b.ts", "code")]);
        copy(&dir, project).write().unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
        assert!(!home.path().join("victims/b.ts").exists());
        assert!(!dir.join("slash").exists());
        assert_eq!(fs::read_to_string(dir.join("nodes/b.ts")).unwrap(), "code");
    }

    #[test]
    fn two_at_once_have_two_copies_and_one_after_the_other_have_one() {
        let copies = tempfile::tempdir().unwrap();
        let of = Path::new("/some/workflow");
        let (first, lock) = claim(copies.path(), of).unwrap();
        let (second, _) = claim(copies.path(), of).unwrap();
        assert_ne!(first, second);
        drop(lock);
        assert_eq!(claim(copies.path(), of).unwrap().0, first);
    }

    #[test]
    fn only_so_many_copies_are_kept() {
        let copies = tempfile::tempdir().unwrap();
        for number in 0..KEPT * 2 {
            let of = format!("/workflow-{number}");
            let (dir, _lock) = claim(copies.path(), Path::new(&of)).unwrap();
            fs::create_dir(dir).unwrap();
        }
        let entries = fs::read_dir(copies.path()).unwrap().flatten();
        assert_eq!(entries.filter(|it| it.path().is_dir()).count(), KEPT);
    }
}
