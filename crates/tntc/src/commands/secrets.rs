//! `tntc secrets`: what the contract requires against what is there, and a template to fill in.

use std::fs;
use std::path::Path;
use std::process::Command;

use schemars::JsonSchema;
use serde::Serialize;
use tntc_core::contract::{SecretRef, secrets as contract};
use tntc_core::secrets;

use crate::cli::{SecretsCheck, SecretsInit};
use crate::context::{Context, Overrides};
use crate::error::{Error, Result, io};
use crate::output::Outcome;
use crate::project::{self, Opened};
use crate::secrets as local;
use crate::table;

/// The fields of the answer of `secrets check`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Checked {
    /// What the contract requires, sorted.
    secrets: Vec<Row>,
}

/// The fields of the answer of `secrets init`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Written {
    /// What is to be filled in, as `service.key`, sorted.
    secrets: Vec<String>,
}

/// One required secret.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Row {
    secret: String,
    provisioned: bool,
    found_in: Option<String>,
}

/// Compares the contract's secrets with the local ones, key by key.
pub fn check(arguments: &SecretsCheck, context: &Context) -> Result<Outcome> {
    let opened = context.open(&arguments.dir)?;
    let settings = context.settings_of(&opened, Overrides::default())?;
    let source = settings
        .secrets_source
        .as_ref()
        .map(|source| source.value.as_str());
    let found = local::read(&opened.dir, source)?.unwrap_or_default();
    for warning in &found.warnings {
        context.printer.warn(warning);
    }
    let rows = rows(&opened, &found);
    let missing = rows.iter().filter(|row| !row.provisioned).count();
    let summary = match (rows.len(), missing) {
        (0, _) => format!("{} requires no secrets", opened.workflow.name),
        (all, 0) => format!(
            "all {all} secrets of {} are provisioned",
            opened.workflow.name
        ),
        (all, missing) => format!(
            "{missing} of {all} secrets of {} are missing",
            opened.workflow.name
        ),
    };
    let outcome = Outcome::new(&summary)
        .text(text(&rows, &summary))
        .own(Checked { secrets: rows })
        .failed_if(missing > 0);
    Ok(if missing > 0 {
        outcome.hint(format!(
            "fill them into {}",
            opened.dir.join(local::FILE).display()
        ))
    } else {
        outcome
    })
}

fn rows(opened: &Opened, found: &local::Local) -> Vec<Row> {
    let required = contract::inventory(&opened.workflow);
    let missing = contract::missing(&required, &found.services);
    let row = |secret: &SecretRef| {
        let provisioned = !missing.contains(&secret);
        let found_in = found
            .places
            .get(secret.service())
            .filter(|_| provisioned)
            .cloned();
        Row {
            secret: secret.to_string(),
            provisioned,
            found_in,
        }
    };
    required.iter().map(row).collect()
}

fn text(rows: &[Row], summary: &str) -> String {
    if rows.is_empty() {
        return summary.to_owned();
    }
    let cells = rows.iter().map(|row| {
        let mark = if row.provisioned { "✓" } else { "✗" };
        [
            format!("{mark} {}", row.secret),
            row.found_in.clone().unwrap_or_else(|| "missing".to_owned()),
        ]
    });
    format!(
        "{}\n{summary}",
        table::render(["SECRET", "FOUND IN"], cells)
    )
}

/// Writes `.secrets.yaml` from the example or, without one, from the contract; mode 0600 and ignored by git.
pub fn init(arguments: &SecretsInit, context: &Context) -> Result<Outcome> {
    let opened = context.open(&arguments.dir)?;
    let path = opened.dir.join(local::FILE);
    if path.exists() && !arguments.force {
        return Err(Error::usage(format!(
            "{} exists already; nothing was written",
            path.display()
        ))
        .hint("--force overwrites it"));
    }
    let template = template(&opened)?;
    ignore(&opened.dir)?;
    project::replace(&path, &template, project::PRIVATE)?;
    let required: Vec<_> = contract::inventory(&opened.workflow)
        .iter()
        .map(ToString::to_string)
        .collect();
    let summary = format!("wrote {}", path.display());
    Ok(Outcome::new(&summary)
        .text(summary)
        .own(Written { secrets: required })
        .hint(format!(
            "fill in the values, then: tntc secrets check {}",
            opened.dir.display()
        )))
}

/// The example, unless it lacks something that the contract requires.
fn template(opened: &Opened) -> Result<String> {
    let required = contract::inventory(&opened.workflow);
    let example = opened.dir.join(".secrets.yaml.example");
    let Ok(text) = fs::read_to_string(&example) else {
        return Ok(secrets::template(&required));
    };
    let entries = secrets::parse(&text)
        .map_err(|cause| Error::failed(format!("{}: {cause}", example.display())))?;
    let named = |secret: &SecretRef| match entries.get(secret.service()) {
        Some(secrets::Entry::Values(values)) => values.contains_key(secret.key()),
        Some(_) => true,
        None => false,
    };
    Ok(if required.iter().all(named) {
        text
    } else {
        secrets::template(&required)
    })
}

/// Adds the file to `.gitignore` when git would take it in.
fn ignore(dir: &Path) -> Result<()> {
    let asked = Command::new("git")
        .args(["check-ignore", "--quiet", local::FILE])
        .current_dir(dir)
        .status();
    // 0: ignored. Without git or outside a repository, the line is written all the same, for the day there is one.
    if asked.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let path = dir.join(".gitignore");
    let before = fs::read_to_string(&path).unwrap_or_default();
    if before.lines().any(|line| line.trim() == local::FILE) {
        return Ok(());
    }
    let newline = if before.is_empty() || before.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    fs::write(&path, format!("{before}{newline}{}\n", local::FILE)).map_err(io("write", &path))
}
