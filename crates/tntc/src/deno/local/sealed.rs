//! The Deno processes that run nodes on this machine: with the environment of a pod and not with the user's, and with
//! nowhere to keep anything from one run to the next.

use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::deno;
use crate::outcome::error::io;
use crate::outcome::{Error, Result};
use crate::process::lifetime;
use crate::workspace::cache::cache_dir;

/// What they get of this environment: where things are, and which certificate authorities this machine trusts.
const KEPT: [&str; 7] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    AUTHORITIES,
];

/// Names a file of certificate authorities.
const AUTHORITIES: &str = "DENO_CERT";
/// Its name in Node. While it is set, `node:https` of Deno (2.9) asks for a permission that no node has.
const NODE_AUTHORITIES: &str = "NODE_EXTRA_CA_CERTS";

/// Where Deno keeps web storage, below `DENO_DIR`.
const WEB_STORAGE: &str = "location_data";

/// A Deno with the environment of a pod; `sealed` when its flags keep nodes from reading it.
///
/// # Errors
/// The cache cannot be written.
pub fn command(program: &Path, sealed: bool) -> Result<Command> {
    let mut command = lifetime::bound(program);
    // Sealed processes cannot read a proxy's password.
    let proxies = deno::PROXIES.into_iter().filter(|_| sealed);
    deno::keep_environment(&mut command, KEPT.into_iter().chain(proxies));
    let own = std::env::var_os(AUTHORITIES);
    if let Some(file) = own.or_else(|| std::env::var_os(NODE_AUTHORITIES)) {
        command.env(AUTHORITIES, file);
    }
    command
        .env("DENO_DIR", compiled()?)
        // As in the pod: the authorities of the system beside those that Deno brings.
        .env("DENO_TLS_CA_STORE", "system,mozilla")
        .env("DENO_NO_UPDATE_CHECK", "1")
        .env("NO_COLOR", "1")
        .kill_on_drop(true);
    Ok(command)
}

/// `DENO_DIR` of these processes: what Deno has compiled, and no web storage. Neither `localStorage` nor `caches` ask for
/// a permission, and both outlive the process; a file in the place of their directory makes them fail, in workers too.
fn compiled() -> Result<PathBuf> {
    let dir = cache_dir()?.join("compiled");
    let storage = dir.join(WEB_STORAGE);
    if !storage.is_file() {
        fs::create_dir_all(&dir).map_err(io("create", &dir))?;
        if storage.is_dir() {
            fs::remove_dir_all(&storage).map_err(io("remove", &storage))?;
        }
        fs::write(&storage, "").map_err(io("write", &storage))?;
    }
    Ok(dir)
}

/// Removes what Deno has compiled of a directory.
pub fn forget_compiled(dir: &Path) {
    if let Ok(compiled) = cache_dir().map(|cache| cache.join("compiled/gen/file")) {
        let below = compiled.join(dir.strip_prefix("/").unwrap_or(dir));
        // There may be nothing, and what stays is only large.
        drop(fs::remove_dir_all(below));
    }
}

/// A path for a list of paths in a flag: Deno (2.9) has no way to write a comma there.
///
/// # Errors
/// There is a comma in it.
pub fn require_expressible(path: &Path) -> Result<()> {
    if !path.as_os_str().as_encoded_bytes().contains(&b',') {
        return Ok(());
    }
    Err(Error::surroundings(format!(
        "{} has a comma in it, which no permission flag of Deno can hold",
        path.display()
    ))
    .hint("name a directory without one in XDG_CACHE_HOME and in TMPDIR"))
}

/// The flag that lets a process read these and nothing else.
///
/// # Errors
/// As [`require_expressible`].
pub fn allow_read<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<String> {
    let mut shown = Vec::new();
    for path in paths {
        require_expressible(path)?;
        shown.push(path.display().to_string());
    }
    Ok(format!("--allow-read={}", shown.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_opens_no_second_path() {
        let paths = ["/a", "/b,/root"].map(Path::new);
        assert_eq!(allow_read([paths[0]]).unwrap(), "--allow-read=/a");
        let refused = allow_read(paths).unwrap_err();
        assert!(refused.message.starts_with("/b,/root has a comma in it"));
    }
}
