//! Reading a workflow directory into the values that `tntc-core` works on.

use std::fs;
use std::path::{Path, PathBuf};

use tntc_core::diagnostic::Report;
use tntc_core::project::{Project, Refusal, WORKFLOW_FILE, misnamed, rename_help};
use tntc_core::workflow::{self, Workflow};

use super::files::{self, PROJECT_FILE_LIMIT};
use crate::outcome::error::io;
use crate::outcome::{Error, Result};

/// A directory below which nothing belongs to the workflow.
const FOREIGN: &str = "node_modules";
/// What the files of a directory may hold together, in bytes, and how many there may be; a `ConfigMap` takes 900 KiB.
const MOST_BYTES: usize = 100 * 1024 * 1024;
const MOST_FILES: usize = 20_000;

/// A workflow directory, read and checked.
#[derive(Debug)]
pub struct Opened {
    /// The directory, as the user named it.
    pub dir: PathBuf,
    /// Its files.
    pub project: Project,
    /// What they mean.
    pub workflow: Workflow,
    /// What is questionable about them.
    pub warnings: Report,
}

/// Reads a workflow directory.
///
/// # Errors
/// The directory does not exist, cannot be read, or holds no `workflow.yaml`.
pub fn read(dir: &Path) -> Result<Project> {
    let root = fs::canonicalize(dir).map_err(|cause| no_directory(dir, &cause))?;
    if !root.is_dir() {
        return Err(
            Error::failed(format!("{} is not a directory", dir.display()))
                .hint("name the directory that holds workflow.yaml"),
        );
    }
    let mut project = Project::default();
    Reader {
        root: &root,
        project: &mut project,
        bytes: 0,
    }
    .directory(&root, "")?;
    if !project.files.contains_key(WORKFLOW_FILE) && !project.refused.contains_key(WORKFLOW_FILE) {
        let names = project.files.keys().map(String::as_str);
        let hint = match misnamed(names) {
            Some(name) => rename_help(name),
            None => "name a workflow directory, or make one with: tntc init NAME".to_owned(),
        };
        let error = Error::failed(format!("{} holds no {WORKFLOW_FILE}", dir.display()));
        return Err(error.hint(hint));
    }
    Ok(project)
}

/// Reads and checks a workflow directory.
///
/// # Errors
/// As [`read`]; every error of the workflow, rendered with the places they are at.
pub fn open(dir: &Path, color: bool) -> Result<Opened> {
    let project = read(dir)?;
    let checked = workflow::parse(&project);
    match checked {
        Ok(checked) => Ok(Opened {
            dir: dir.to_owned(),
            workflow: checked.workflow,
            warnings: checked.warnings,
            project,
        }),
        Err(report) => Err(invalid(dir, &project, &report, color)),
    }
}

/// The error of an invalid workflow, with its diagnostics for people and for JSON.
pub fn invalid(dir: &Path, project: &Project, report: &Report, color: bool) -> Error {
    let file = dir.join(WORKFLOW_FILE).display().to_string();
    let count = report.errors().count();
    let plural = if count == 1 { "" } else { "s" };
    let mut error = Error::failed(format!("{file} is invalid: {count} error{plural}")).details(
        report
            .without_hints()
            .render(&file, project.workflow_file().unwrap_or_default(), color),
    );
    error.evidence.errors = Some(report.errors().cloned().collect());
    error.evidence.warnings = Some(report.warnings().cloned().collect());
    error
}

/// The error of a directory that cannot be opened.
pub fn no_directory(dir: &Path, cause: &std::io::Error) -> Error {
    Error::failed(format!("cannot open {}: {cause}", dir.display()))
        .hint("name the directory that holds workflow.yaml")
}

fn too_much(root: &Path) -> Error {
    Error::failed(format!(
        "{} holds more than {MOST_FILES} files or {} MiB",
        root.display(),
        MOST_BYTES / (1024 * 1024)
    ))
    .hint("move what is not part of the workflow to another directory")
}

struct Reader<'a> {
    root: &'a Path,
    project: &'a mut Project,
    bytes: usize,
}

impl Reader<'_> {
    fn directory(&mut self, dir: &Path, prefix: &str) -> Result<()> {
        let entries = fs::read_dir(dir).map_err(io("read", dir))?;
        for entry in entries {
            let entry = entry.map_err(io("read", dir))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || name == FOREIGN {
                continue;
            }
            self.entry(&entry.path(), format!("{prefix}{name}"))?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, name: String) -> Result<()> {
        let target = match fs::canonicalize(path) {
            Ok(target) => target,
            Err(cause) => {
                self.refuse(name, Refusal::Unreadable(cause.to_string()));
                return Ok(());
            }
        };
        if !target.starts_with(self.root) {
            self.refuse(name, Refusal::LeadsOutside);
        } else if target.is_dir() && path.is_symlink() {
            // A link to a directory inside would read files twice, or for ever.
            self.refuse(name, Refusal::NotAFile);
        } else if target.is_dir() {
            self.directory(path, &format!("{name}/"))?;
        } else if target.is_file() {
            self.file(&target, name)?;
        } else {
            self.refuse(name, Refusal::NotAFile);
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: String) -> Result<()> {
        match files::read(path, PROJECT_FILE_LIMIT) {
            Ok(content) => {
                self.bytes += content.len();
                self.project.files.insert(name, content);
            }
            Err(cause) => self.refuse(name, Refusal::Unreadable(cause.to_string())),
        }
        if self.bytes > MOST_BYTES || self.project.files.len() > MOST_FILES {
            return Err(too_much(self.root));
        }
        Ok(())
    }

    fn refuse(&mut self, name: String, why: Refusal) {
        self.project.refused.insert(name, why);
    }
}
