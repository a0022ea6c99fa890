//! `tntc secrets`: what the contract requires against what is there, and a template to fill in.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use schemars::JsonSchema;
use serde::Serialize;
use tntc_core::contract::SecretRef;
use tntc_core::derive::secrets as contract;
use tntc_core::manifests::secret;
use tntc_core::secrets;
use tntc_core::settings::Settings;

use crate::cluster::client::errors;
use crate::cluster::preflight::checks;
use crate::context::{self, Context, Overrides};
use crate::outcome::error::io;
use crate::outcome::{Error, Outcome, Result};
use crate::terminal::table;
use crate::workspace::files::{self, Access};
use crate::workspace::project::Opened;
use crate::workspace::secrets as local;

/// Compare or prepare local secrets
#[derive(Debug, Subcommand)]
pub enum Secrets {
    Check(SecretsCheck),
    Init(SecretsInit),
}

/// Compare the secrets that the contract requires with those that are there
#[derive(Debug, Args)]
pub struct SecretsCheck {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Check local secrets only [default: the cluster's Secret when there are no local secrets]
    #[arg(long)]
    pub local: bool,
}

/// Write .secrets.yaml to be filled in
#[derive(Debug, Args)]
pub struct SecretsInit {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Overwrite an existing file
    #[arg(long)]
    pub force: bool,
}

const GITIGNORE: &str = ".gitignore";
/// How long a cluster may take to show its Secret: the answer is worth having, and not worth waiting for.
const PATIENCE: Duration = Duration::from_secs(10);

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

/// Compares the contract's secrets with the local ones, key by key; without local ones with the cluster's, as a deploy
/// does.
pub async fn check(arguments: &SecretsCheck, context: &Context) -> Result<Outcome> {
    let opened = context.open(&arguments.dir)?;
    let settings = context.settings_of(&opened, Overrides::default())?;
    let found = match local::read(&opened.dir, &settings)? {
        Some(found) => found.warned_of_unused(&opened.workflow),
        None if arguments.local => local::Local::default(),
        None => deployed(&opened, &settings, context).await,
    };
    for warning in &found.warnings {
        context.printer.warn(warning);
    }
    let rows = rows(&opened, &found);
    Ok(judged(&opened, rows))
}

fn judged(opened: &Opened, rows: Vec<Row>) -> Outcome {
    let missing = rows.iter().filter(|row| !row.provisioned).count();
    let name = &opened.workflow.name;
    let summary = match (rows.len(), missing) {
        (0, _) => format!("{name} requires no secrets"),
        (all, 0) => format!("all {all} secrets of {name} are provisioned"),
        (all, missing) => format!("{missing} of {all} secrets of {name} are missing"),
    };
    let outcome = Outcome::new(&summary)
        .text(text(&rows, &summary))
        .own(Checked { secrets: rows })
        .failed_if(missing > 0);
    if missing == 0 {
        return outcome;
    }
    let file = opened.dir.join(local::FILE);
    outcome.hint(format!("fill them into {}", file.display()))
}

/// What the cluster's Secret holds. A cluster that cannot be asked is no failure of secrets that are to be local.
async fn deployed(opened: &Opened, settings: &Settings, context: &Context) -> local::Local {
    if contract::inventory(&opened.workflow).is_empty() {
        return local::Local::default();
    }
    let asked = tokio::time::timeout(PATIENCE, ask(opened, settings, context)).await;
    let why = match asked {
        Ok(Ok(found)) => return found,
        Ok(Err(cause)) => cause.to_string(),
        Err(_) => format!("no answer within {}s", PATIENCE.as_secs()),
    };
    context.printer.note(format!(
        "there are no local secrets, and the cluster's could not be looked at: {why}"
    ));
    local::Local::default()
}

async fn ask(opened: &Opened, settings: &Settings, context: &Context) -> Result<local::Local> {
    let namespace = context::namespace(settings)?;
    let cluster = context.connect(settings).await?;
    let name = secret::name(opened.workflow.name.as_str());
    let secrets: Api<Secret> = Api::namespaced(cluster.client, namespace.as_str());
    let found = secrets
        .get_opt(&name)
        .await
        .map_err(|cause| errors::tell("reading the Secret", cause))?;
    let services = found.as_ref().map(checks::data).unwrap_or_default();
    let place = format!("Secret/{name} in namespace {namespace}");
    Ok(local::Local {
        places: services
            .keys()
            .map(|service| (service.clone(), place.clone()))
            .collect(),
        services,
        warnings: Vec::new(),
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
    files::replace(&path, template.as_bytes(), Access::Private)?;
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
    let Some(text) = files::optional(&example)? else {
        return Ok(secrets::template(&required));
    };
    let named = secrets::names(&text)
        .map_err(|cause| Error::failed(format!("{}: {cause}", example.display())))?;
    let is_named = |secret: &SecretRef| named.contains(&secret.to_string());
    Ok(if required.iter().all(is_named) {
        text
    } else {
        secrets::template(&required)
    })
}

/// Adds the file to `.gitignore`, unless it or one above it has it already. Git itself is not asked: the repository's own
/// settings name programs that it would run.
fn ignore(dir: &Path) -> Result<()> {
    let path = dir.join(GITIGNORE);
    let before = files::optional(&path)?.unwrap_or_default();
    if secrets::is_ignored(&before) || is_ignored_above(dir)? {
        return Ok(());
    }
    let newline = if before.is_empty() || before.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let after = format!("{before}{newline}{}\n", local::FILE);
    files::replace(&path, after.as_bytes(), Access::Usual)
}

/// Up to the root of the repository; outside of one, nothing is.
fn is_ignored_above(dir: &Path) -> Result<bool> {
    let Some(root) = local::repository_root(dir) else {
        return Ok(false);
    };
    let start = dir.canonicalize().map_err(io("open", dir))?;
    for ancestor in start.ancestors().skip(1) {
        if !ancestor.starts_with(&root) {
            break;
        }
        let text = files::optional(&ancestor.join(GITIGNORE))?;
        if text.is_some_and(|text| secrets::is_ignored(&text)) {
            return Ok(true);
        }
    }
    Ok(false)
}
