//! Reading and writing files that somebody else may have laid out.
//!
//! A workflow directory can be a stranger's: a named pipe in it never ends, a device never runs dry, and a link leads to
//! the user's own files. Only regular files are read, up to a size, and nothing is written through a link.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::outcome::{Error, Result};

/// Largest file of settings or secrets, in bytes. A Secret of Kubernetes holds no more either.
pub const SETTINGS_LIMIT: u64 = 1024 * 1024;
/// Largest file of a project, in bytes; a `ConfigMap` holds a tenth of it.
pub const PROJECT_FILE_LIMIT: u64 = 10 * 1024 * 1024;

/// The content of a regular file of at most `limit` bytes; links are followed.
///
/// # Errors
/// The operating system's; another kind of file; `FileTooLarge`.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // Looked at before it is opened, since opening a device can do something already.
    require_readable(&fs::metadata(path)?, limit)?;
    let file = open(path)?;
    require_readable(&file.metadata()?, limit)?;
    let mut content = Vec::new();
    file.take(limit + 1).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(too_large(limit));
    }
    Ok(content)
}

/// The same, as text.
///
/// # Errors
/// As [`read`]; `InvalidData` for what is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read(path, limit)?)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// The text of a file of settings; nothing when there is none.
///
/// # Errors
/// As [`read_text`].
pub fn optional(path: &Path) -> Result<Option<String>> {
    match read_text(path, SETTINGS_LIMIT) {
        Ok(text) => Ok(Some(text)),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(crate::outcome::error::io("read", path)(cause)),
    }
}

/// Without waiting for the other end of a pipe that has taken the file's place.
fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn require_readable(found: &Metadata, limit: u64) -> io::Result<()> {
    if !found.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if found.len() > limit {
        return Err(too_large(limit));
    }
    Ok(())
}

fn too_large(limit: u64) -> io::Error {
    let limit = limit / 1024;
    io::Error::new(
        ErrorKind::FileTooLarge,
        format!("it is larger than {limit} KiB"),
    )
}

/// Who may read a file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// As before; a new file as the user's umask has it.
    Usual,
    /// Nobody but the user.
    Private,
}

/// Writes the file beside the old one, under a name that nobody can guess, and renames it, so that nobody ever sees half
/// of it, or more of it than they may.
///
/// # Errors
/// The path is a link or no regular file, or the operating system's.
pub fn replace(path: &Path, content: &[u8], access: Access) -> Result<()> {
    let before = require_replaceable(path)?;
    let written = fresh(path, before.as_ref(), access).and_then(|mut fresh| {
        fresh.write_all(content)?;
        fresh.persist(path).map_err(|cause| cause.error)
    });
    written
        .map(drop)
        .map_err(crate::outcome::error::io("write", path))
}

fn fresh(
    path: &Path,
    before: Option<&Metadata>,
    access: Access,
) -> io::Result<tempfile::NamedTempFile> {
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    let mode = match access {
        Access::Usual => 0o666,
        Access::Private => 0o600,
    };
    let file = tempfile::Builder::new()
        .prefix(".tentacular-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(parent.unwrap_or(Path::new(".")))?;
    if let (Access::Usual, Some(before)) = (access, before) {
        file.as_file().set_permissions(before.permissions())?;
    }
    Ok(file)
}

/// What is replaced, when there is something.
fn require_replaceable(path: &Path) -> Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(a_link(path)),
        Ok(found) if found.is_file() => Ok(Some(found)),
        Ok(_) => Err(Error::failed(format!(
            "{} is not a regular file; nothing was written",
            path.display()
        ))),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(crate::outcome::error::io("write", path)(cause)),
    }
}

/// Makes a directory for files of ours where there is none.
///
/// # Errors
/// There is a link, or something else that is no directory.
pub fn make_dir(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(a_link(path)),
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(Error::failed(format!(
            "{} is not a directory; nothing was written",
            path.display()
        ))),
        Err(_) => fs::create_dir(path).map_err(crate::outcome::error::io("create", path)),
    }
}

fn a_link(path: &Path) -> Error {
    let target = fs::read_link(path).unwrap_or_default();
    Error::failed(format!(
        "{} is a link to {}; nothing was written",
        path.display(),
        target.display()
    ))
    .hint("replace the link by a file of its own, if you trust this directory")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_regular_files_are_read_and_none_that_is_too_large() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read(&path, 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(read(&path, 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
        for odd in [Path::new("/dev/zero"), Path::new("/dev/null"), dir.path()] {
            let refused = read(odd, 5).unwrap_err().to_string();
            assert_eq!(refused, "it is not a regular file", "{}", odd.display());
        }
        // Says that it is empty, and is not.
        let growing = Path::new("/proc/self/status");
        assert_eq!(
            read(growing, 5).unwrap_err().kind(),
            ErrorKind::FileTooLarge
        );
    }

    #[test]
    fn a_named_pipe_is_refused_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        assert!(read(&pipe, 5).is_err());
        assert!(
            open(&pipe).is_ok(),
            "opened at once even when it comes between"
        );
        assert!(replace(&pipe, b"x", Access::Usual).is_err());
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (link, victim) = (dir.path().join("link"), dir.path().join("victim"));
        fs::write(&victim, "kept").unwrap();
        for target in [&victim, &dir.path().join("absent")] {
            symlink(target, &link).unwrap();
            for access in [Access::Usual, Access::Private] {
                let refused = replace(&link, b"new", access).unwrap_err();
                assert!(refused.message.contains("is a link to"), "{refused}");
            }
            fs::remove_file(&link).unwrap();
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
        assert!(!dir.path().join("absent").exists());
        symlink(dir.path(), &link).unwrap();
        assert!(make_dir(&link).is_err());
    }

    #[test]
    fn a_file_keeps_its_mode_and_a_private_one_has_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        replace(&path, b"new", Access::Usual).unwrap();
        assert_eq!(
            (mode(&path), fs::read(&path).unwrap()),
            (0o640, b"new".to_vec())
        );
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        replace(&path, b"secret", Access::Private).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
