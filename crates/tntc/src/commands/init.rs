//! `tntc init`: a new workflow directory that is valid as it stands.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clap::Args;
use rust_embed::RustEmbed;
use schemars::JsonSchema;
use serde::Serialize;
use tntc_core::project::WORKFLOW_FILE;
use tntc_core::schema;
use tntc_core::workflow::WorkflowName;

use crate::deno;
use crate::outcome::error::io;
use crate::outcome::{Error, Outcome, Result};

/// Write a new workflow directory
#[derive(Debug, Args)]
pub struct Init {
    /// Name of the workflow, and of the directory to create
    pub name: String,
    /// Template to start from: basic, http-check, api-to-database, report, queue-consumer, webhook or llm-summary
    #[arg(
        long,
        default_value = "basic",
        value_name = "TEMPLATE",
        hide_default_value = true
    )]
    pub template: String,
}

/// What stands for the workflow's name in a template.
const NAME: &str = "{{name}}";

/// Where editors find what nodes and their tests import, as the written `deno.json` says, and the schema of
/// workflow.yaml: beside it, so that they need no network.
const FOR_EDITORS: &str = ".tentacular/";

/// The schema's name there.
const SCHEMA: &str = "workflow.schema.json";

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// What was written, relative to where the command ran.
    files: Vec<String>,
}

/// Leading underscores stand for the dots of hidden files, which tools tend to skip.
#[derive(RustEmbed)]
#[folder = "templates"]
struct Templates;

/// The directory with what every template has.
const COMMON: &str = "common";

/// Writes the directory; refuses to overwrite.
pub fn run(arguments: &Init) -> Result<Outcome> {
    let name = arguments.name.parse::<WorkflowName>().map_err(|cause| {
        Error::usage(cause.to_string())
            .hint("use lower-case words with hyphens, such as daily-report")
    })?;
    require_template(&arguments.template)?;
    let dir = Path::new(name.as_str());
    if dir.exists() {
        return Err(
            Error::usage(format!("{name} exists already; nothing was written"))
                .hint("choose another name"),
        );
    }
    let parent = Path::new(".");
    // Written beside and renamed, so that a failure half-way leaves nothing.
    let fresh = tempfile::tempdir_in(parent).map_err(io("write to", parent))?;
    let files = files(&arguments.template, name.as_str())?;
    for (path, content) in &files {
        write(&fresh.path().join(path), content)?;
    }
    fs::rename(fresh.path(), dir).map_err(io("create", dir))?;
    widen(dir)?;
    Ok(outcome(name.as_str(), &files))
}

/// Names of the templates, sorted.
fn templates() -> BTreeSet<String> {
    Templates::iter()
        .filter_map(|path| Some(path.split_once('/')?.0.to_owned()))
        .filter(|name| name != COMMON)
        .collect()
}

fn require_template(name: &str) -> Result<()> {
    let all = templates();
    if all.contains(name) {
        return Ok(());
    }
    let all: Vec<_> = all.into_iter().collect();
    Err(Error::usage(format!("there is no template `{name}`"))
        .hint(format!("the templates are: {}", all.join(", "))))
}

fn files(template: &str, name: &str) -> Result<Vec<(String, String)>> {
    let mut files: Vec<_> = Templates::iter()
        .filter_map(|path| {
            let (owner, rest) = path.split_once('/')?;
            let content = Templates::get(&path)?.data;
            let content = String::from_utf8_lossy(&content).replace(NAME, name);
            (owner == template || owner == COMMON).then(|| (unhide(rest), content))
        })
        .collect();
    for (path, content) in &mut files {
        if path == WORKFLOW_FILE {
            let line = format!("# yaml-language-server: $schema={FOR_EDITORS}{SCHEMA}\n");
            content.insert_str(0, &line);
        }
    }
    let schema = (SCHEMA.to_owned(), format!("{:#}\n", schema::workflow()));
    let for_editors = deno::importable()?.into_iter().chain([schema]);
    files.extend(for_editors.map(|(path, content)| (format!("{FOR_EDITORS}{path}"), content)));
    files.sort();
    Ok(files)
}

fn unhide(path: &str) -> String {
    path.strip_prefix('_')
        .map_or_else(|| path.to_owned(), |rest| format!(".{rest}"))
}

fn write(path: &Path, content: &str) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(io("create", parent))?;
    }
    fs::write(path, content).map_err(io("write", path))
}

/// A temporary directory is the user's alone; the workflow is as readable as any other directory.
fn widen(dir: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755))
        .map_err(io("set permissions of", dir))
}

fn outcome(name: &str, files: &[(String, String)]) -> Outcome {
    let paths = files.iter().map(|(path, _)| path.as_str());
    let own = paths.clone().filter(|path| !path.starts_with(FOR_EDITORS));
    let mut lines: Vec<_> = own.map(|path| format!("  {name}/{path}")).collect();
    let for_editors = files.len() - lines.len();
    lines.push(format!(
        "  {name}/{FOR_EDITORS} ({for_editors} files for editors and deno test)"
    ));
    let text = format!(
        "created {name}\n{}\ntry it with: tntc test {name}",
        lines.join("\n")
    );
    Outcome::new(format!("created {name}"))
        .text(text)
        .own(Answer {
            files: paths.map(|path| format!("{name}/{path}")).collect(),
        })
}
