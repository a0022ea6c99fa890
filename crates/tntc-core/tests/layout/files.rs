//! The sources of the repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the repository is.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file below a directory of the repository that ends in one of these, by its path there.
pub fn below(dir: &str, endings: &[&str]) -> BTreeMap<String, String> {
    let root = repository().join(dir);
    let mut found = BTreeMap::new();
    collect(&root, "", endings, &mut found);
    found
}

fn collect(dir: &Path, prefix: &str, endings: &[&str], found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            collect(&path, &format!("{name}/"), endings, found);
        } else if endings
            .iter()
            .any(|it| path.extension().is_some_and(|has| has == *it))
        {
            found.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}
