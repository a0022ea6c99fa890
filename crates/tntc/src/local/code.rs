//! The code that a local process runs: the workflow's own directory, or a copy in which nodes with imports from outside
//! are bundled, as a pod gets them.

use std::fs;
use std::path::{Path, PathBuf};

use tntc_core::project::Project;

use crate::bundle;
use crate::error::{Result, io};
use crate::output::Printer;
use crate::project::Opened;
use crate::scratch::{self, Scratch};

/// A directory to run a workflow from without any download.
pub struct Code {
    dir: PathBuf,
    copy: Option<Copy>,
}

/// A directory that goes with this value, and what was written to it.
struct Copy {
    _dir: Scratch,
    project: Project,
}

impl Code {
    /// Bundles the nodes whose names `wanted` accepts, where they have to be.
    ///
    /// # Errors
    /// As [`bundle::runnable`], or the temporary directory cannot be written.
    pub async fn of(
        opened: &Opened,
        wanted: impl Fn(&str) -> bool,
        printer: &Printer,
    ) -> Result<Self> {
        // Boxed: few workflows need it, and every caller would carry its size.
        match Box::pin(bundle::runnable(opened, wanted, printer)).await? {
            Some(project) => Self::copied(project),
            None => Ok(Self {
                dir: fs::canonicalize(&opened.dir).map_err(io("open", &opened.dir))?,
                copy: None,
            }),
        }
    }

    fn copied(project: Project) -> Result<Self> {
        let temporary = Scratch::new("code")?;
        // Without links, as the engine compares it with where nodes really are.
        let dir = fs::canonicalize(temporary.path()).map_err(io("open", temporary.path()))?;
        for (name, content) in &project.files {
            scratch::write(&dir, name, content)?;
        }
        let copy = Some(Copy {
            _dir: temporary,
            project,
        });
        Ok(Self { dir, copy })
    }

    /// The directory, absolute.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether the directory is a copy, whose files change only with [`Self::follow`].
    pub fn is_copy(&self) -> bool {
        self.copy.is_some()
    }

    /// Takes over a change of the workflow, for an engine that watches [`Self::dir`]. False when the workflow cannot be
    /// run from this directory any more, since it now needs bundles or no longer does.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub async fn follow(&mut self, opened: &Opened, printer: &Printer) -> Result<bool> {
        let newer = Box::pin(bundle::runnable(opened, |_| true, printer)).await?;
        match (&mut self.copy, newer) {
            (None, None) => Ok(true),
            (Some(copy), Some(newer)) => {
                write_changes(&self.dir, &copy.project, &newer)?;
                copy.project = newer;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

fn write_changes(dir: &Path, before: &Project, after: &Project) -> Result<()> {
    for (name, content) in &after.files {
        if before.files.get(name) != Some(content) {
            scratch::write(dir, name, content)?;
        }
    }
    let gone = |name: &&String| !after.files.contains_key(*name);
    for name in before.files.keys().filter(gone) {
        let path = dir.join(name);
        fs::remove_file(&path).map_err(io("remove", &path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_follows_what_is_added_changed_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let before = Project::from_files([("same", "1"), ("changed", "1"), ("removed", "1")]);
        let after = Project::from_files([("same", "1"), ("changed", "2"), ("deep/added", "1")]);
        write_changes(dir.path(), &Project::default(), &before).unwrap();
        write_changes(dir.path(), &before, &after).unwrap();
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).ok();
        assert_eq!(read("same").as_deref(), Some("1"));
        assert_eq!(read("changed").as_deref(), Some("2"));
        assert_eq!(read("deep/added").as_deref(), Some("1"));
        assert_eq!(read("removed"), None);
    }
}
