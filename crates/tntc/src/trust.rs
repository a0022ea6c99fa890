//! Which directories the user trusts: `trusted_directories` in the user's own `config.yaml`, never in a project's.
//!
//! Trust is needed where a file of the directory would decide what of this machine, or of its network, leaves it: for its
//! `.npmrc`, and for imports from private networks. No command that only reads needs it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result, io};
use crate::project;

/// The setting's name.
pub const KEY: &str = "trusted_directories";

/// Whether a directory, or one that it is in, is among those that the user trusts.
///
/// # Errors
/// The user's config file cannot be read or understood.
pub fn is_trusted(dir: &Path, home: Option<&Path>) -> Result<bool> {
    let Ok(dir) = fs::canonicalize(dir) else {
        return Ok(false);
    };
    let trusted = listed(home)?;
    Ok(trusted.iter().any(|it| dir.starts_with(it)))
}

/// The directories that the user trusts, as the config file has them.
///
/// # Errors
/// As [`is_trusted`].
pub fn listed(home: Option<&Path>) -> Result<Vec<PathBuf>> {
    let config = project::user_config(home)?;
    let listed = config.map(|file| file.config.trusted_directories);
    // A relative path would trust whatever is below the directory of the moment.
    let listed = listed.unwrap_or_default().into_iter().map(PathBuf::from);
    Ok(listed.filter(|path| path.is_absolute()).collect())
}

/// The list with a directory more, or without it.
///
/// # Errors
/// As [`is_trusted`]; the directory does not exist, or is not in the list that it is to be taken from.
pub fn changed(dir: &Path, trusted: bool, home: Option<&Path>) -> Result<Vec<PathBuf>> {
    let mut list = listed(home)?;
    let dir = if trusted {
        fs::canonicalize(dir).map_err(io("open", dir))?
    } else {
        // One that is gone can be taken from the list all the same.
        fs::canonicalize(dir)
            .or_else(|_| std::path::absolute(dir))
            .map_err(io("open", dir))?
    };
    if dir.parent().is_none() {
        return Err(Error::usage("that would trust every directory").hint("name a workflow's"));
    }
    if !trusted && !list.contains(&dir) {
        return Err(
            Error::usage(format!("{} is not trusted itself", dir.display()))
                .hint("tntc configure --show lists what is"),
        );
    }
    list.retain(|it| *it != dir);
    list.extend(trusted.then_some(dir));
    list.sort();
    Ok(list)
}
