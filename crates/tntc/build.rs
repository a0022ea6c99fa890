//! Names the commit that this program is built from in `TNTC_REVISION`, unless whoever builds it names one.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=TNTC_REVISION");
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("TNTC_REVISION").is_some() {
        return;
    }
    // A source archive has no commit; then images simply carry no revision.
    let Some(revision) = git(&["rev-parse", "HEAD"]) else {
        return;
    };
    println!("cargo::rustc-env=TNTC_REVISION={revision}");
    if let Some(log) = git(&[
        "rev-parse",
        "--path-format=absolute",
        "--git-path",
        "logs/HEAD",
    ]) {
        println!("cargo::rerun-if-changed={log}");
    }
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| output.status.success() && !text.is_empty())
}
