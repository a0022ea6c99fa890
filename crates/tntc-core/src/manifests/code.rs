//! `<name>-code`: the workflow's files as one flat ConfigMap, and the volume that gives them their paths back.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ConfigMap;
use sha2::{Digest, Sha256};

use crate::modules::{Fault, Place, SyntaxError, closure};
use crate::project::{Project, WORKFLOW_FILE};
use crate::workflow::Workflow;

/// Most bytes that the files may have together. Kubernetes refuses a ConfigMap over 1 MiB (`MaxSecretSize`); the rest
/// is room for keys and metadata.
pub const MAX_BYTES: usize = 900 * 1024;

/// Most bytes that the values of a ConfigMap may have (Kubernetes: `MaxSecretSize`).
pub const MAX_CONFIG_MAP: usize = 1024 * 1024;

/// Longest key of a ConfigMap (Kubernetes: `DNS1123SubdomainMaxLength`).
const MAX_KEY_LENGTH: usize = 253;

/// The files of a workflow that its pod gets, by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    files: BTreeMap<String, Vec<u8>>,
}

/// Why a workflow's files do not fit into a ConfigMap.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// A key holds letters, digits, `-`, `_` and `.` only.
    #[error(
        "{path}: a ConfigMap key cannot hold this file name; rename it to letters, digits, `-`, `_` and `.`"
    )]
    BadName {
        /// The file.
        path: String,
    },
    /// The file cannot be parsed, so what it imports is unknown.
    #[error("{0}")]
    Syntax(SyntaxError),
    /// A relative import that leads to no file of the workflow.
    #[error("{path}:{}:{}: `{specifier}` leads to no file inside the workflow directory", place.line, place.column)]
    MissingImport {
        /// The importing file.
        path: String,
        /// What it imports, as written.
        specifier: String,
        /// Where.
        place: Place,
    },
    /// A file cannot work in a pod.
    #[error("{path}:{}:{}: {}", fault.place.line, fault.place.column, fault.kind)]
    Fault {
        /// The file.
        path: String,
        /// What is wrong where.
        fault: Fault,
    },
    /// `/` becomes `__`, so `a/b` and `a__b` meet.
    #[error("{first} and {second} share the ConfigMap key `{key}`; rename one of them")]
    SameKey {
        /// One file.
        first: String,
        /// The other file.
        second: String,
        /// Their common key.
        key: String,
    },
    /// More than [`MAX_BYTES`].
    #[error(
        "the workflow's files have {total} bytes, more than the {MAX_BYTES} that fit a ConfigMap; the largest is \
         {largest} with {size}: make it smaller, or load it at run time"
    )]
    TooLarge {
        /// Bytes of all files.
        total: usize,
        /// The largest file.
        largest: String,
        /// Its bytes.
        size: usize,
    },
}

impl Code {
    /// Collects what the pod needs: workflow.yaml, every node's file, what they import from inside the directory, and
    /// the other files under `nodes/`.
    ///
    /// # Errors
    /// Every reason why the files do not fit, in path order.
    pub fn collect(project: &Project, workflow: &Workflow) -> Result<Self, Vec<CodeError>> {
        let files = delivered(project, workflow)?
            .into_iter()
            .filter_map(|path| Some((path.clone(), project.files.get(&path)?.clone())))
            .collect();
        Self::from_files(files)
    }

    /// What a deploy would refuse about the files, as far as they show it: bundling is left out, and with it the size of
    /// a workflow that needs it.
    #[must_use]
    pub fn refusals(project: &Project, workflow: &Workflow, workflow_file: &str) -> Vec<CodeError> {
        let code = Self::collect(project, workflow);
        let errors = code
            .and_then(|code| code.with_workflow_file(workflow_file))
            .err();
        let is_bundled = workflow.nodes.iter().any(|node| {
            closure(project, &node.path).is_ok_and(|closure| closure.bundled().is_some())
        });
        let is_certain =
            |error: &CodeError| !(is_bundled && matches!(error, CodeError::TooLarge { .. }));
        let errors = errors.into_iter().flatten().filter(is_certain);
        errors.chain(faults(project, workflow)).collect()
    }

    /// The same code with another workflow.yaml, such as one with an environment's overrides merged in.
    ///
    /// # Errors
    /// The files together have become too large.
    pub fn with_workflow_file(mut self, text: &str) -> Result<Self, Vec<CodeError>> {
        self.files
            .insert(WORKFLOW_FILE.to_owned(), text.as_bytes().to_vec());
        Self::from_files(self.files)
    }

    fn from_files(files: BTreeMap<String, Vec<u8>>) -> Result<Self, Vec<CodeError>> {
        let mut errors: Vec<_> = files
            .keys()
            .filter(|path| !fits_key(path))
            .map(|path| bad_name(path))
            .collect();
        errors.extend(same_keys(&files));
        errors.extend(too_large(&files));
        if errors.is_empty() {
            Ok(Self { files })
        } else {
            Err(errors)
        }
    }

    /// Files by path.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// Short hash that changes with any path or content.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(&self.files)
    }
}

/// Short hash that changes with any path or content; the engine computes the same (`engine/core/revision.ts`).
#[must_use]
pub fn hash(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hasher = Sha256::new();
    for (path, content) in files {
        hash_entry(&mut hasher, path, content);
    }
    short_hex(&hasher.finalize())
}

/// The contents of a ConfigMap by key, whichever of its two fields carries them.
#[must_use]
pub fn contents(config_map: &ConfigMap) -> BTreeMap<String, Vec<u8>> {
    let text = config_map.data.iter().flatten();
    let text = text.map(|(key, text)| (key.clone(), text.clone().into_bytes()));
    let binary = config_map.binary_data.iter().flatten();
    let binary = binary.map(|(key, bytes)| (key.clone(), bytes.0.clone()));
    text.chain(binary).collect()
}

/// Name of a workflow's ConfigMap.
#[must_use]
pub fn name(workflow: &str) -> String {
    format!("{workflow}-code")
}

/// ConfigMap keys cannot hold `/`.
pub(super) fn key(path: &str) -> String {
    path.replace('/', "__")
}

fn delivered(project: &Project, workflow: &Workflow) -> Result<BTreeSet<String>, Vec<CodeError>> {
    let mut paths = BTreeSet::from([WORKFLOW_FILE.to_owned()]);
    let mut errors = Vec::new();
    paths.extend(
        project
            .files
            .keys()
            .filter(|path| path.starts_with("nodes/"))
            .cloned(),
    );
    for node in &workflow.nodes {
        match closure(project, &node.path) {
            Ok(found) => {
                paths.extend(found.modules.into_keys());
                let missing = found
                    .missing
                    .into_iter()
                    .filter(|(_, import)| !import.types_only);
                errors.extend(missing.map(|(path, import)| CodeError::MissingImport {
                    path,
                    specifier: import.specifier,
                    place: import.place,
                }));
            }
            Err(error) => errors.push(CodeError::Syntax(error)),
        }
    }
    if errors.is_empty() {
        Ok(paths)
    } else {
        Err(errors)
    }
}

/// Each once: several nodes may load a file.
fn faults(project: &Project, workflow: &Workflow) -> Vec<CodeError> {
    let mut found = Vec::new();
    for node in &workflow.nodes {
        // That a file cannot be parsed is an error already.
        let closure = closure(project, &node.path).unwrap_or_default();
        for (path, fault) in closure.faults(&node.path) {
            let error = CodeError::Fault {
                path: path.to_owned(),
                fault: fault.clone(),
            };
            if !found.contains(&error) {
                found.push(error);
            }
        }
    }
    found
}

fn fits_key(path: &str) -> bool {
    let key = key(path);
    key.len() <= MAX_KEY_LENGTH
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn bad_name(path: &str) -> CodeError {
    CodeError::BadName {
        path: path.to_owned(),
    }
}

fn same_keys(files: &BTreeMap<String, Vec<u8>>) -> Vec<CodeError> {
    let mut seen = BTreeMap::new();
    let mut errors = Vec::new();
    for path in files.keys() {
        if let Some(first) = seen.insert(key(path), path.clone()) {
            errors.push(CodeError::SameKey {
                first,
                second: path.clone(),
                key: key(path),
            });
        }
    }
    errors
}

fn too_large(files: &BTreeMap<String, Vec<u8>>) -> Option<CodeError> {
    let total: usize = files.values().map(Vec::len).sum();
    let (largest, content) = files.iter().max_by_key(|(_, content)| content.len())?;
    (total > MAX_BYTES).then(|| CodeError::TooLarge {
        total,
        largest: largest.clone(),
        size: content.len(),
    })
}

/// Lengths keep neighbouring fields apart, so no two sets of files hash the same text.
fn hash_entry(hasher: &mut Sha256, name: &str, content: &[u8]) {
    hasher.update(format!("{}:{}:", name.len(), content.len()));
    hasher.update(name);
    hasher.update(content);
}

/// The first 16 hexadecimal digits: 64 bits tell revisions of one workflow apart.
#[must_use]
pub fn short_hex(digest: &[u8]) -> String {
    use std::fmt::Write;
    digest.iter().take(8).fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
