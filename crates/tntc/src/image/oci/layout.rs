//! Writing an image as files: an OCI image layout in a directory, or a tar that is both such a layout and a
//! docker-archive, so that containerd, `docker load`, podman and kind all take it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tntc_core::values::ImageReference;

use super::cache::{Cache, full};
use super::image::{Blob, Descriptor, Image, entry, index};
use super::stop::Stopped;
use crate::outcome::{Error, Result};
use crate::workspace::scratch::Scratch;

/// The file that marks a layout (image-spec, image-layout.md).
const MARKER: &str = "oci-layout";

/// Where the bytes of one file come from.
enum Content {
    Bytes(Vec<u8>),
    File(PathBuf),
}

/// Writes to a path that ends in `.tar` as an archive, to any other as a directory.
///
/// # Errors
/// The place holds something else than an earlier image, or cannot be written; or nobody waits any more. What was there
/// is left as it was, then, and nothing half-written stays.
pub fn write(
    to: &Path,
    name: &ImageReference,
    images: &[Image],
    cache: &Cache,
    stopped: &Stopped,
) -> Result<()> {
    let files = files(name, images, cache)?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    if is_archive(to) {
        archive(to, parent, files, stopped).map_err(|cause| full(&cause, to))
    } else {
        refuse_foreign(to)?;
        directory(to, parent, files, stopped).map_err(|cause| full(&cause, to))
    }
}

/// Whether a path asks for an archive.
pub fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tar")
}

/// An image replaces an image; nothing else is overwritten.
fn refuse_foreign(to: &Path) -> Result<()> {
    if !to.exists() || to.join(MARKER).is_file() {
        return Ok(());
    }
    Err(
        Error::usage(format!("{} exists and is not an OCI layout", to.display()))
            .hint("name a new directory, or a file that ends in .tar"),
    )
}

fn archive(
    to: &Path,
    parent: &Path,
    files: BTreeMap<String, Content>,
    stopped: &Stopped,
) -> io::Result<()> {
    let scratch = Scratch::new_in(parent, "image")?;
    let fresh = tempfile::NamedTempFile::new_in(scratch.path())?;
    let mut archive = tar::Builder::new(BufWriter::new(fresh.as_file()));
    for (path, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_mtime(0);
        match content {
            Content::Bytes(bytes) => {
                header.set_size(bytes.len() as u64);
                archive.append_data(&mut header, path, bytes.as_slice())?;
            }
            Content::File(from) => {
                let file = File::open(from)?;
                header.set_size(file.metadata()?.len());
                archive.append_data(&mut header, path, stopped.watch(file))?;
            }
        }
    }
    archive.into_inner()?.flush()?;
    stopped.check()?;
    readable(fresh.as_file(), 0o644)?;
    fresh.persist(to).map(drop).map_err(|cause| cause.error)
}

fn directory(
    to: &Path,
    parent: &Path,
    files: BTreeMap<String, Content>,
    stopped: &Stopped,
) -> io::Result<()> {
    let scratch = Scratch::new_in(parent, "image")?;
    let fresh = scratch.path().join("layout");
    fs::create_dir(&fresh)?;
    for (path, content) in files {
        let path = fresh.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&fresh))?;
        match content {
            Content::Bytes(bytes) => fs::write(path, bytes)?,
            Content::File(from) => {
                let mut target = BufWriter::with_capacity(1 << 20, File::create(path)?);
                io::copy(&mut stopped.watch(File::open(from)?), &mut target)?;
                target.flush()?;
            }
        }
    }
    readable(&File::open(&fresh)?, 0o755)?;
    stopped.check()?;
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::rename(fresh, to)
}

/// Temporary files begin as their owner's alone, which an image has no reason to stay.
fn readable(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

fn files(
    name: &ImageReference,
    images: &[Image],
    cache: &Cache,
) -> Result<BTreeMap<String, Content>> {
    let mut files = BTreeMap::new();
    for image in images {
        for blob in [&image.manifest, &image.config]
            .into_iter()
            .chain(&image.own_layers)
        {
            files.insert(
                blob_path(&blob.descriptor),
                Content::Bytes(blob.content.clone()),
            );
        }
        for layer in &image.base_layers {
            files.insert(blob_path(layer), Content::File(cache.path(&layer.digest)));
        }
    }
    let root = root(images);
    if let Some(blob) = &root {
        files.insert(
            blob_path(&blob.descriptor),
            Content::Bytes(blob.content.clone()),
        );
    }
    let texts = [
        ("index.json", index_json(name, images, root.as_ref())?),
        ("manifest.json", manifest_json(name, images)),
        (MARKER, json!({"imageLayoutVersion": "1.0.0"})),
    ];
    for (path, value) in texts {
        files.insert(
            path.to_owned(),
            Content::Bytes(value.to_string().into_bytes()),
        );
    }
    Ok(files)
}

/// The index of several platforms; one image alone needs none.
pub fn root(images: &[Image]) -> Option<Blob> {
    let entries: Vec<_> = images
        .iter()
        .map(|image| (image.manifest.descriptor.clone(), image.platform.clone()))
        .collect();
    (images.len() > 1).then(|| index(&entries))
}

/// containerd takes the image's name from its own annotation, others from the standard one.
fn index_json(name: &ImageReference, images: &[Image], root: Option<&Blob>) -> Result<Value> {
    let mut listed = match (root, images) {
        (Some(root), _) => json!(root.descriptor),
        (None, [image, ..]) => entry(&image.manifest.descriptor, &image.platform),
        (None, []) => return Err(Error::failed("no image was built")),
    };
    listed["annotations"] = json!({
        "io.containerd.image.name": name.whole(),
        "org.opencontainers.image.ref.name": name.tag().unwrap_or("latest"),
    });
    Ok(json!({"schemaVersion": 2, "mediaType": super::image::INDEX, "manifests": [listed]}))
}

/// What `docker load` reads; it knows one platform, the first.
fn manifest_json(name: &ImageReference, images: &[Image]) -> Value {
    let one = images.iter().take(1).map(|image| {
        json!({
            "Config": blob_path(&image.config.descriptor),
            "RepoTags": [name],
            "Layers": image.layers().map(blob_path).collect::<Vec<_>>(),
        })
    });
    one.collect()
}

fn blob_path(blob: &Descriptor) -> String {
    format!("blobs/{}", blob.digest.replace(':', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::oci::stop;

    #[test]
    fn what_nobody_waits_for_any_more_leaves_the_place_as_it_was() {
        let dir = tempfile::tempdir().expect("a directory");
        let layer = dir.path().join("layer");
        fs::write(&layer, "a layer").expect("written");
        let files = || BTreeMap::from([("blobs/a".to_owned(), Content::File(layer.clone()))]);
        let (stop, stopped) = stop::pair();
        let (tar, layout) = (dir.path().join("image.tar"), dir.path().join("image"));
        archive(&tar, dir.path(), files(), &stopped).expect("written");
        directory(&layout, dir.path(), files(), &stopped).expect("written");
        fs::write(&layer, "another layer").expect("written");
        let before = fs::read(&tar).expect("an archive");
        drop(stop);
        archive(&tar, dir.path(), files(), &stopped).expect_err("interrupted");
        directory(&layout, dir.path(), files(), &stopped).expect_err("interrupted");
        assert_eq!(fs::read(&tar).expect("an archive"), before);
        let kept = fs::read_to_string(layout.join("blobs/a")).expect("a layout");
        assert_eq!(kept, "a layer");
        let left = fs::read_dir(dir.path()).expect("a directory").count();
        assert_eq!(left, 3, "nothing half-written stays");
    }
}
