//! What a workflow directory holds, already read: the only way files reach this crate.

use std::collections::BTreeMap;

/// Name of the file that describes a workflow, at the top of its directory.
pub const WORKFLOW_FILE: &str = "workflow.yaml";

/// Endings of files that the engine can load.
pub const CODE_ENDINGS: [&str; 4] = [".ts", ".tsx", ".js", ".mjs"];

/// Largest `workflow.yaml` that is looked at, in bytes.
pub const MAX_WORKFLOW_BYTES: usize = 1024 * 1024;

/// The readable content of a workflow directory.
///
/// Keys of both maps are paths relative to the directory, separated by `/` on every platform, without a leading `./`.
/// Hidden files and directories, `.secrets*` and `node_modules` are not part of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Project {
    /// Content of every file.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Paths that exist but whose content may not or cannot be used.
    pub refused: BTreeMap<String, Refusal>,
}

/// Why a path of a workflow directory has no usable content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A symbolic link whose target lies outside the workflow directory.
    LeadsOutside,
    /// Reading failed; the text is the operating system's reason.
    Unreadable(String),
    /// The path names a directory, a socket or another thing that is no regular file.
    NotAFile,
}

/// A text without the mark that Windows editors put before UTF-8 (U+FEFF): no JSON parser takes it.
#[must_use]
pub fn without_bom(text: &[u8]) -> &[u8] {
    text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text)
}

/// A file name that someone has given to what should be [`WORKFLOW_FILE`], when the directory has one.
pub fn misnamed<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let is_misnamed = |name: &&str| {
        let lower = name.to_lowercase();
        *name != WORKFLOW_FILE && ["workflow.yml", WORKFLOW_FILE].contains(&lower.as_str())
    };
    names.into_iter().find(is_misnamed)
}

/// What to do about a [`misnamed`] file.
#[must_use]
pub fn rename_help(name: &str) -> String {
    format!("rename {name} to {WORKFLOW_FILE}")
}

impl Project {
    /// A project of these files and nothing refused, mostly for tests.
    pub fn from_files<P: Into<String>, C: Into<Vec<u8>>>(
        files: impl IntoIterator<Item = (P, C)>,
    ) -> Self {
        let files = files
            .into_iter()
            .map(|(path, content)| (path.into(), content.into()))
            .collect();
        Self {
            files,
            refused: BTreeMap::new(),
        }
    }

    /// Bytes of `workflow.yaml`, when the directory has one.
    #[must_use]
    pub fn workflow_file(&self) -> Option<&[u8]> {
        self.files.get(WORKFLOW_FILE).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_file_under_another_name_is_found() {
        for name in ["workflow.yml", "Workflow.yaml", "WORKFLOW.YML"] {
            assert_eq!(misnamed(["a.ts", name]), Some(name));
        }
        assert_eq!(
            misnamed(["workflow.json", "workflow.yaml", "a/workflow.yml"]),
            None
        );
    }
}
