//! Where what can be made again is kept.

use std::path::PathBuf;

use crate::outcome::{Error, Result};

/// `$XDG_CACHE_HOME/tentacular`, or `~/.cache/tentacular` (XDG Base Directory Specification).
pub fn cache_dir() -> Result<PathBuf> {
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::home_dir().map(|home| home.join(".cache"));
    let cache = named
        .filter(|path| path.is_absolute())
        .or_else(home)
        .ok_or_else(|| {
            Error::surroundings("there is no home directory to keep the engine in").hint("set HOME")
        })?;
    Ok(cache.join("tentacular"))
}
