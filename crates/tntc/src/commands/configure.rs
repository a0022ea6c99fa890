//! `tntc configure`: writes config files, keeping everything else that is in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tntc_core::config_file::{self, Edit, EditError};
use tntc_core::settings::{Origin, Settings};
use tntc_core::values::Namespace;

use crate::context::Context;
use crate::outcome::{Error, Outcome, Result};
use crate::terminal::table;
use crate::workspace::config_files::CONFIG_DIR;
use crate::workspace::files::{self, Access};
use crate::workspace::trust;

/// Write settings to a config file, or show the effective ones
#[derive(Debug, Args)]
pub struct Configure {
    /// RuntimeClass of the pods; empty for none
    #[arg(long, value_name = "NAME")]
    pub runtime_class: Option<String>,
    /// Write .tentacular/config.yaml of the project instead of the user's
    #[arg(long)]
    pub project: bool,
    /// Show every effective setting and where it comes from
    #[arg(long)]
    pub show: bool,
    /// Trust a workflow directory, or a directory that holds some: its .npmrc, imports from private networks, and its images
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".", conflicts_with = "untrust")]
    pub trust: Option<PathBuf>,
    /// Stop trusting a directory
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".")]
    pub untrust: Option<PathBuf>,
}

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    settings: Shown,
    /// The config files that were read, the user's before the project's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum Shown {
    /// What was written, by name.
    Written(BTreeMap<String, String>),
    /// With `--show`: everything in force, with where it came from.
    InForce(Box<InForce>),
    /// With `--trust` and `--untrust`: what is trusted now.
    Trusted(Trusted),
}

#[derive(Debug, Serialize, JsonSchema)]
struct InForce {
    #[serde(flatten)]
    settings: Settings,
    #[serde(flatten)]
    trusted: Trusted,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Trusted {
    /// Directories whose `.npmrc`, imports from private networks and images are used.
    trusted_directories: Vec<PathBuf>,
}

/// Writes the settings given, then shows those in force when asked or when none was given.
pub fn run(arguments: &Configure, context: &Context) -> Result<Outcome> {
    if let Some(dir) = arguments.trust.as_ref().or(arguments.untrust.as_ref()) {
        return trust(dir, arguments, context);
    }
    let edits = edits(arguments, context);
    if edits.is_empty() || arguments.show {
        if !edits.is_empty() {
            return Err(Error::usage(
                "--show shows the effective settings and cannot be combined with a setting",
            ));
        }
        return show(context);
    }
    if let Some(name) = context.global.namespace.as_deref() {
        let parsed = name.parse::<Namespace>();
        parsed.map_err(|cause| Error::usage(cause.to_string()))?;
    }
    let path = path(arguments, context)?;
    write(&path, |text| config_file::edit(text, &edits))?;
    let summary = format!("wrote {}", path.display());
    let written = edits
        .iter()
        .map(|edit| (edit.key.to_owned(), edit.value.to_owned()))
        .collect();
    Ok(Outcome::new(&summary).text(summary).own(Answer {
        settings: Shown::Written(written),
        files: Vec::new(),
    }))
}

fn edits<'a>(arguments: &'a Configure, context: &'a Context) -> Vec<Edit<'a>> {
    let given = [
        ("registry", &context.global.registry),
        ("namespace", &context.global.namespace),
        ("runtime_class", &arguments.runtime_class),
    ];
    given
        .into_iter()
        .filter_map(|(key, value)| {
            Some(Edit {
                key,
                value: value.as_deref()?,
            })
        })
        .collect()
}

fn path(arguments: &Configure, context: &Context) -> Result<PathBuf> {
    if arguments.project {
        return Ok(Path::new(".").join(CONFIG_DIR).join("config.yaml"));
    }
    let home = context.home.clone().ok_or_else(|| {
        Error::surroundings("there is no home directory").hint("set HOME, or use --project")
    })?;
    // The user's own links are followed: many keep their settings in a repository.
    let dir = resolved(home.join(CONFIG_DIR));
    Ok(resolved(dir.join("config.yaml")))
}

fn resolved(path: PathBuf) -> PathBuf {
    path.canonicalize().unwrap_or(path)
}

/// Changes which directories are trusted, in the user's own file alone.
fn trust(dir: &Path, arguments: &Configure, context: &Context) -> Result<Outcome> {
    if arguments.project || arguments.show || !edits(arguments, context).is_empty() {
        return Err(Error::usage(
            "--trust and --untrust change the user's own settings; they go with no other setting",
        ));
    }
    let trusted = arguments.trust.is_some();
    let list = trust::changed(dir, trusted, context.home.as_deref())?;
    let path = path(arguments, context)?;
    let shown: Vec<_> = list.iter().map(|it| it.display().to_string()).collect();
    write(&path, |text| {
        config_file::set_list(text, trust::KEY, &shown)
    })?;
    let what = if trusted { "trusted" } else { "not trusted" };
    let summary = format!("{} is {what}; wrote {}", dir.display(), path.display());
    Ok(Outcome::new(&summary).text(summary).own(Answer {
        settings: Shown::Trusted(Trusted {
            trusted_directories: list,
        }),
        files: Vec::new(),
    }))
}

/// Checked before it replaces anything.
fn write(
    path: &Path,
    edit: impl FnOnce(&str) -> std::result::Result<String, EditError>,
) -> Result<()> {
    let before = files::optional(path)?.unwrap_or_default();
    let after = edit(&before).map_err(|cause| {
        Error::usage(format!("{}: {cause}; nothing was written", path.display()))
    })?;
    if let Some(parent) = path.parent() {
        files::make_dir(parent)?;
    }
    files::replace(path, after.as_bytes(), Access::Usual)
}

fn show(context: &Context) -> Result<Outcome> {
    let settings = context.settings()?;
    let trusted_directories = trust::listed(context.home.as_deref())?;
    let files: Vec<_> = context
        .config_files()?
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let mut rows = rows(&settings);
    rows.extend(trusted_directories.iter().map(|dir| {
        let dir = dir.display().to_string();
        let from = Origin::User.to_string();
        ["trusted_directories".to_owned(), dir, from]
    }));
    let table = table::render(["SETTING", "VALUE", "FROM"], rows);
    let read = if files.is_empty() {
        "none".to_owned()
    } else {
        files.join(", ")
    };
    let text = format!("{table}\n\nconfig files: {read}");
    let trusted = Trusted {
        trusted_directories,
    };
    Ok(Outcome::new("effective settings").text(text).own(Answer {
        settings: Shown::InForce(Box::new(InForce { settings, trusted })),
        files,
    }))
}

fn rows(settings: &Settings) -> Vec<[String; 3]> {
    let value = serde_json::to_value(settings).unwrap_or_default();
    let fields = value.as_object().cloned().unwrap_or_default();
    fields
        .iter()
        .filter_map(|(name, setting)| row(name, setting))
        .collect()
}

fn row(name: &str, setting: &Value) -> Option<[String; 3]> {
    let value = setting.get("value")?;
    let shown = value
        .as_str()
        .map_or_else(|| "none".to_owned(), str::to_owned);
    let origin: Origin = serde_json::from_value(setting.get("origin")?.clone()).ok()?;
    Some([name.to_owned(), shown, origin.to_string()])
}
