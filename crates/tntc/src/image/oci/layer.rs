//! Layers that are the same bytes wherever and whenever they are made: sorted names, no times, one owner.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use crate::outcome::{Error, Result};

/// One gzipped layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The gzipped tar.
    pub content: Vec<u8>,
    /// Digest of the tar before compression, which an image's config lists.
    pub diff_id: String,
    /// The Dockerfile instruction that makes the same layer.
    pub instruction: String,
}

impl Layer {
    /// A layer with these files, by absolute path; the directories above them come with it, as `COPY` has them.
    pub fn of(files: &BTreeMap<String, Vec<u8>>, instruction: String) -> Result<Self> {
        let tar = tar(files).map_err(|cause| {
            Error::failed(format!("cannot make the layer of `{instruction}`: {cause}"))
        })?;
        let content = gzip(&tar).map_err(|cause| {
            Error::failed(format!(
                "cannot compress the layer of `{instruction}`: {cause}"
            ))
        })?;
        Ok(Self {
            diff_id: digest(&tar),
            content,
            instruction,
        })
    }
}

/// `sha256:…` of some bytes.
pub fn digest(content: &[u8]) -> String {
    in_hex(&Sha256::digest(content))
}

/// A SHA-256 hash as a digest.
pub fn in_hex(hash: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in hash {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn tar(files: &BTreeMap<String, Vec<u8>>) -> std::io::Result<Vec<u8>> {
    // Directories and files in one sorted sequence, so that each directory comes before what is in it.
    let mut entries: BTreeMap<String, Option<&[u8]>> = BTreeMap::new();
    for (path, content) in files {
        let path = path.trim_start_matches('/');
        for (end, _) in path.match_indices('/') {
            entries.insert(path[..=end].to_owned(), None);
        }
        entries.insert(path.to_owned(), Some(content));
    }
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in entries {
        let mut header = header(content);
        archive.append_data(&mut header, path, content.unwrap_or_default())?;
    }
    archive.into_inner()
}

/// Owned by root and readable by everyone: the pod's user is another.
fn header(content: Option<&[u8]>) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(if content.is_some() {
        EntryType::Regular
    } else {
        EntryType::Directory
    });
    header.set_mode(if content.is_some() { 0o644 } else { 0o755 });
    header.set_size(content.map_or(0, <[u8]>::len) as u64);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// The header of a gzip stream may hold a time and an operating system; this one holds neither. The engine is small, so
/// the time that compressing takes counts for more than the last bytes.
fn gzip(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::fast());
    encoder.write_all(content)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn layer() -> Layer {
        let files = BTreeMap::from([
            ("/app/engine/main.ts".to_owned(), b"main".to_vec()),
            ("/app/deno.json".to_owned(), b"{}".to_vec()),
        ]);
        Layer::of(&files, "COPY a b".to_owned()).expect("a layer")
    }

    fn unpacked(layer: &Layer) -> Vec<u8> {
        let mut tar = Vec::new();
        flate2::read::GzDecoder::new(layer.content.as_slice())
            .read_to_end(&mut tar)
            .expect("gzip");
        tar
    }

    #[test]
    fn the_same_files_are_the_same_bytes_for_ever() {
        assert_eq!(
            digest(&layer().content),
            "sha256:5b0e375fe9e8428e9a9371fa02f819b9e98cc53dbd361927570916927a47806b"
        );
    }

    #[test]
    fn every_directory_comes_before_what_is_in_it() {
        let tar = unpacked(&layer());
        let mut archive = tar::Archive::new(tar.as_slice());
        let paths: Vec<_> = archive
            .entries()
            .expect("a tar")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .path()
                    .expect("a path")
                    .display()
                    .to_string()
            })
            .collect();
        assert_eq!(
            paths,
            ["app/", "app/deno.json", "app/engine/", "app/engine/main.ts"]
        );
    }

    #[test]
    fn the_diff_id_is_that_of_the_tar_inside() {
        let layer = layer();
        assert_eq!(digest(&unpacked(&layer)), layer.diff_id);
    }
}
