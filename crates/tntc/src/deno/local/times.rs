//! When the files of a directory were last written: a cheap look, to know when a thorough one is due.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file with its size in bytes and the time of its last change.
type Entry = (PathBuf, u64, Option<SystemTime>);

/// Deeper directories are left to the thorough look, as are those that cannot be read.
const DEEPEST: usize = 16;

/// All files but those in directories that are no part of a workflow; links are not followed.
pub fn of_files(dir: &Path) -> Vec<Entry> {
    let mut found = Vec::new();
    collect(dir, DEEPEST, &mut found);
    found.sort();
    found
}

fn collect(dir: &Path, depth: usize, found: &mut Vec<Entry>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        if !metadata.is_dir() {
            found.push((entry.path(), metadata.len(), metadata.modified().ok()));
        } else if depth > 0 && !name.as_encoded_bytes().starts_with(b".") && name != "node_modules"
        {
            collect(&entry.path(), depth - 1, found);
        }
    }
}
