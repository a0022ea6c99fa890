//! Which directories the user trusts: `trusted_directories` in the user's own `config.yaml`, never in a project's.
//!
//! Trust is needed where a file of the directory would decide what of this machine, or of its network, leaves it: for its
//! `.npmrc`, and for imports from private networks. It is also needed where such a file chooses an image by a tag, behind
//! which there may be anything: that image holds the seal of the pod. No command that only reads needs it.

use std::fs;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use tntc_core::project::WORKFLOW_FILE;
use tntc_core::settings::{ChosenImage, Settings};

use super::config_files;
use super::image_record::BASE_IMAGE_FILE;
use crate::outcome::error::io;
use crate::outcome::followup::quoted;
use crate::outcome::{Error, Result};
use crate::terminal::Printer;

/// The setting's name.
pub const KEY: &str = "trusted_directories";

/// Whether a directory, or one that it is in, is among those that the user trusts.
///
/// # Errors
/// The user's config file cannot be read or understood.
pub fn is_trusted(dir: &Path, home: Option<&Path>) -> Result<bool> {
    Ok(by(dir, home)?.is_some())
}

/// The entry of the list by which a directory is trusted.
///
/// # Errors
/// As [`is_trusted`].
pub fn by(dir: &Path, home: Option<&Path>) -> Result<Option<PathBuf>> {
    let Ok(dir) = fs::canonicalize(dir) else {
        return Ok(None);
    };
    let trusted = listed(home)?;
    Ok(trusted.into_iter().find(|it| dir.starts_with(it)))
}

/// The directories that the user trusts, as the config file has them.
///
/// # Errors
/// As [`is_trusted`].
pub fn listed(home: Option<&Path>) -> Result<Vec<PathBuf>> {
    let config = config_files::user_config(home)?;
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

/// The workflow directory that the user works in, and whether it is trusted.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    path: PathBuf,
    trusted: bool,
    /// The entry of `trusted_directories` that says so.
    trusted_by: Option<PathBuf>,
}

impl Standing {
    /// Nothing outside of a workflow directory.
    ///
    /// # Errors
    /// As [`is_trusted`].
    pub fn here(home: Option<&Path>) -> Result<Option<Self>> {
        let here = Path::new(".");
        if !here.join(WORKFLOW_FILE).exists() {
            return Ok(None);
        }
        let trusted_by = by(here, home)?;
        Ok(Some(Self {
            path: fs::canonicalize(here).map_err(io("open", here))?,
            trusted: trusted_by.is_some(),
            trusted_by,
        }))
    }

    /// A line for a person.
    pub fn line(&self) -> String {
        let directory = self.path.display();
        match &self.trusted_by {
            Some(by) if *by == self.path => {
                format!("directory: {directory} (trusted; tntc configure --untrust takes it back)")
            }
            Some(by) => format!(
                "directory: {directory} (trusted, being in {})",
                by.display()
            ),
            None => format!("directory: {directory} (not trusted)"),
        }
    }
}

/// An image that a file of the directory chooses.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DirectoryImage {
    #[serde(flatten)]
    chosen: ChosenImage,
    /// Whether the user trusts the directory.
    trusted: bool,
    #[serde(skip)]
    dir: PathBuf,
}

/// Those of the settings' images that files of the directory choose.
///
/// # Errors
/// As [`is_trusted`].
pub fn images(
    settings: &Settings,
    wanted: &[&str],
    dir: &Path,
    home: Option<&Path>,
) -> Result<Vec<DirectoryImage>> {
    let chosen = settings.chosen_images.iter();
    let chosen: Vec<_> = chosen.filter(|it| wanted.contains(&it.setting)).collect();
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let trusted = is_trusted(dir, home)?;
    let image = |chosen: &ChosenImage| DirectoryImage {
        chosen: chosen.clone(),
        trusted,
        dir: dir.to_owned(),
    };
    Ok(chosen.into_iter().map(image).collect())
}

/// Says which images the directory chooses, and requires that nobody can put others in their place, or that the directory
/// is trusted.
///
/// # Errors
/// As [`is_trusted`] and [`DirectoryImage::require`].
pub fn require_images(
    settings: &Settings,
    wanted: &[&str],
    dir: &Path,
    home: Option<&Path>,
    printer: &Printer,
) -> Result<()> {
    for image in images(settings, wanted, dir, home)? {
        image.tell(printer);
        image.require()?;
    }
    Ok(())
}

impl DirectoryImage {
    /// Says who chose the image.
    pub fn tell(&self, printer: &Printer) {
        let line = format!("{}, and not by you", self.described());
        if self.trusted {
            printer.note(line);
        } else {
            printer.warn(line);
        }
    }

    /// # Errors
    /// The image has no digest, and the user does not trust the directory.
    pub fn require(&self) -> Result<()> {
        if self.trusted || self.chosen.is_pinned() {
            return Ok(());
        }
        let image = &self.chosen.image;
        Err(Error::usage(format!(
            "{}; without a digest it is used only when you trust the directory",
            self.described()
        ))
        .hint(format!(
            "if you trust the directory: tntc configure --trust {}",
            quoted(&self.dir.display().to_string())
        ))
        .hint(match self.chosen.setting {
            "image" if self.chosen.file.ends_with(BASE_IMAGE_FILE) => {
                format!("or build it yourself: tntc build; or name it: --image {image}")
            }
            "image" => format!("or name the image yourself: --image {image}"),
            "base_image" => format!("or name the image yourself: --base {image}"),
            _ => format!("or name it there with its digest: {image}@sha256:…"),
        }))
    }

    fn described(&self) -> String {
        let what = match self.chosen.setting {
            "image" => "engine",
            "base_image" => "base",
            _ => "trigger",
        };
        format!(
            "the {what} image {} is chosen by {}",
            self.chosen.image,
            self.chosen.file.display()
        )
    }
}
