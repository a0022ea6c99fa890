//! Names what this program is built from, for the labels of images: the commit in `TNTC_REVISION` and the repository in
//! `TNTC_SOURCE`, unless whoever builds it names them. A source archive has neither; then images carry no such label.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    name("TNTC_REVISION", || git(&["rev-parse", "HEAD"]));
    name("TNTC_SOURCE", || {
        source(&git(&["remote", "get-url", "origin"])?)
    });
    for file in ["logs/HEAD", "config"] {
        if let Some(path) = git(&["rev-parse", "--path-format=absolute", "--git-path", file]) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

fn name(variable: &str, value: impl FnOnce() -> Option<String>) {
    println!("cargo::rerun-if-env-changed={variable}");
    if std::env::var_os(variable).is_none()
        && let Some(value) = value()
    {
        println!("cargo::rustc-env={variable}={value}");
    }
}

/// The page of a repository. Any other address is of no use to others, or may hold a password.
fn source(origin: &str) -> Option<String> {
    let page = origin.strip_suffix(".git").unwrap_or(origin);
    (page.starts_with("https://") && !page.contains('@')).then(|| page.to_owned())
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| output.status.success() && !text.is_empty())
}
