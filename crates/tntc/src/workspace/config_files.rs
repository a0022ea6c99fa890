//! The config files that count for a directory: the user's, and the project's around it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tntc_core::settings::{Config, ConfigFile};

use super::files;
use super::project::no_directory;
use crate::outcome::error::io;
use crate::outcome::{Error, Result};

/// Directory of the project's or the user's own files, beside the workflow or in the home directory.
pub const CONFIG_DIR: &str = ".tentacular";

/// The user's config file, `~/.tentacular/config.yaml`.
pub fn user_config(home: Option<&Path>) -> Result<Option<ConfigFile>> {
    match home {
        Some(home) => config(&home.join(CONFIG_DIR).join("config.yaml")),
        None => Ok(None),
    }
}

/// The nearest `.tentacular/config.yaml` from the directory up to the repository root; never the user's own.
pub fn project_config(dir: &Path, home: Option<&Path>) -> Result<Option<ConfigFile>> {
    let start = fs::canonicalize(dir).map_err(|cause| no_directory(dir, &cause))?;
    for ancestor in start.ancestors() {
        if Some(ancestor) == home {
            break;
        }
        if let Some(found) = config(&ancestor.join(CONFIG_DIR).join("config.yaml"))? {
            return Ok(Some(found));
        }
        if ancestor.join(".git").exists() {
            break;
        }
    }
    Ok(None)
}

fn config(path: &Path) -> Result<Option<ConfigFile>> {
    let Some(text) = files::optional(path)? else {
        return Ok(None);
    };
    owned(path)?;
    let config = if text.trim().is_empty() {
        Ok(Config::default())
    } else {
        serde_saphyr::from_str(&text)
    };
    match config {
        Ok(config) => Ok(Some(ConfigFile {
            path: path.to_owned(),
            config,
        })),
        Err(cause) => {
            Err(Error::usage(format!("{} is invalid", path.display())).cause(cause.to_string()))
        }
    }
}

/// Only this user's files and root's count, as for git's `safe.directory`: a config file decides where workflows go, and
/// anybody can put one into a directory above, such as /tmp.
///
/// # Errors
/// The file belongs to somebody else.
fn owned(path: &Path) -> Result<()> {
    let owner = fs::metadata(path).map_err(io("read", path))?.uid();
    let me = rustix::process::geteuid().as_raw();
    // Whoever became root by sudo still owns what was theirs.
    let before_sudo = std::env::var("SUDO_UID")
        .ok()
        .and_then(|uid| uid.parse().ok());
    let is_mine = owner == me || owner == 0 || me == 0 && before_sudo == Some(owner);
    if is_mine {
        return Ok(());
    }
    Err(Error::usage(format!(
        "{} belongs to another user (uid {owner}) and is not used: it would decide where workflows are deployed",
        path.display()
    ))
    .hint("if it is yours, make it so with chown; if not, work in a directory that is not below it"))
}
