//! The code that a local process runs: a copy of the workflow in which nodes with imports from outside are bundled, as a
//! pod gets them.

use std::path::{Path, PathBuf};

use super::copy::Copy;
use super::names::Names;
use crate::deno::bundle;
use crate::outcome::Result;
use crate::terminal::Printer;
use crate::workspace::project::Opened;

/// A directory to run a workflow from, without any download and without anything that is not the workflow's.
pub struct Code {
    copy: Copy,
    of: PathBuf,
}

impl Code {
    /// Copies the workflow; bundles the nodes whose names `wanted` accepts, where they have to be.
    ///
    /// # Errors
    /// As [`bundle::runnable`], or the cache cannot be written.
    pub async fn of(
        opened: &Opened,
        wanted: impl Fn(&str) -> bool,
        printer: &Printer,
    ) -> Result<Self> {
        // Boxed: few workflows need it, and every caller would carry its size.
        let bundled = Box::pin(bundle::runnable(opened, wanted, printer)).await?;
        let project = bundled.unwrap_or_else(|| opened.project.clone());
        Ok(Self {
            copy: Copy::new(&opened.dir, project)?,
            of: opened.dir.clone(),
        })
    }

    /// The directory, absolute.
    pub fn dir(&self) -> &Path {
        self.copy.dir()
    }

    /// Says of the copy's files where they are in the workflow's own directory.
    ///
    /// # Errors
    /// The workflow's directory is gone.
    pub fn names(&self) -> Result<Names> {
        Names::new(self.dir(), &self.of)
    }

    /// Takes over a change of the workflow, for an engine that watches [`Self::dir`].
    ///
    /// # Errors
    /// As [`Self::of`].
    pub async fn follow(&mut self, opened: &Opened, printer: &Printer) -> Result<()> {
        let bundled = Box::pin(bundle::runnable(opened, |_| true, printer)).await?;
        self.copy
            .update(bundled.unwrap_or_else(|| opened.project.clone()))
    }
}
