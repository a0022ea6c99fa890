//! `tntc undeploy`: removes what is ours, after asking.

use std::fmt;
use std::io::IsTerminal;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cluster::inventory;
use crate::cluster::remove::{self, Named, Pods, Removal};
use crate::context::{self, Context};
use crate::outcome::{Error, Outcome, Result};

/// Remove a deployed workflow
#[derive(Debug, Args)]
#[command(visible_alias = "rm")]
pub struct Undeploy {
    /// Name of the deployed workflow
    pub name: String,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// Keep the Secret
    #[arg(long)]
    pub keep_secrets: bool,
    /// Wait until the pods are gone too, which first finish the runs under way
    #[arg(long)]
    pub wait: bool,
    /// Succeed also when there is no such workflow
    #[arg(long)]
    pub ignore_not_found: bool,
}

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// `Kind/name` of what was deleted.
    removed: Vec<String>,
    /// `Kind/name` of what stays.
    kept: Vec<String>,
}

/// Shows what will go, asks and deletes; with --wait, the pods are waited for, too.
pub async fn run(arguments: &Undeploy, context: &Context) -> Result<Outcome> {
    let settings = context.settings()?;
    let namespace = context::namespace(&settings)?;
    let namespace = namespace.as_str();
    let name = &arguments.name;
    let cluster = context.connect(&settings).await?;
    let mut removal = remove::plan(&cluster, namespace, name, arguments.keep_secrets).await?;
    if removal.remove.is_empty() {
        let absent = inventory::no_such_workflow(&cluster, name, namespace);
        return if arguments.ignore_not_found {
            Ok(outcome(absent.message, &removal))
        } else {
            Err(absent)
        };
    }
    let target = Place {
        namespace,
        context: cluster.context(),
    };
    confirm(arguments, &target, &removal, context)?;
    let pods = if arguments.wait {
        Pods::Await
    } else {
        Pods::Leave
    };
    Ok(
        match remove::execute(&cluster, namespace, name, &mut removal, pods).await {
            Ok(left) => removed(name, namespace, &removal, &left),
            Err(error) => unfinished(error, &removal),
        },
    )
}

fn removed(name: &str, namespace: &str, removal: &Removal, left: &[String]) -> Outcome {
    let mut outcome = outcome(format!("removed {name} from {namespace}"), removal);
    if removal.has_durable_triggers {
        outcome = outcome.hint(format!(
            "its NATS server still keeps messages for its durable triggers, in consumers whose names begin with {namespace}_{name}_, and in streams of the same names: remove them with `nats consumer rm` and `nats stream rm`"
        ));
    }
    match left {
        [] => outcome,
        left => outcome.hint(format!(
            "its pods end by themselves, once the runs under way are finished (--wait waits for them): {}",
            left.join(", ")
        )),
    }
}

/// Where something is deleted, for a person who is asked.
struct Place<'a> {
    namespace: &'a str,
    context: Option<&'a str>,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "namespace {}", self.namespace)?;
        match self.context {
            Some(context) => write!(out, " of context {context}"),
            None => Ok(()),
        }
    }
}

fn confirm(
    arguments: &Undeploy,
    place: &Place<'_>,
    removal: &Removal,
    context: &Context,
) -> Result<()> {
    if arguments.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Error::usage("undeploy asks before it deletes, and there is no terminal to ask on; nothing was deleted")
            .hint("pass --yes to delete without asking"));
    }
    let goes = removal.remove.iter().map(ToString::to_string);
    let goes = goes.collect::<Vec<_>>().join("\n  ");
    context
        .printer
        .note(format!("This removes from {place}:\n  {goes}"));
    if !removal.keep.is_empty() {
        let stays = removal.keep.iter();
        let stays = stays.map(|kept| format!("{} ({})", kept.object, kept.why));
        let stays = stays.collect::<Vec<_>>().join("\n  ");
        context.printer.note(format!("This stays:\n  {stays}"));
    }
    let question = dialoguer::Confirm::new()
        .with_prompt("Remove them?")
        .default(false)
        .interact();
    match question {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::failed("nothing was deleted")),
        Err(cause) => Err(Error::surroundings(format!(
            "cannot ask: {cause}; nothing was deleted"
        ))),
    }
}

/// Also names what was deleted.
fn unfinished(error: Error, removal: &Removal) -> Outcome {
    let outcome = outcome(error.message, removal).failed_by(Some(error.kind));
    error.hints.into_iter().fold(outcome, Outcome::hint)
}

fn outcome(summary: String, removal: &Removal) -> Outcome {
    let mut lines = vec![summary.clone()];
    lines.extend(
        removal
            .remove
            .iter()
            .map(|what| format!("  removed {what}")),
    );
    let kept = removal.keep.iter();
    lines.extend(kept.map(|kept| format!("  kept {} ({})", kept.object, kept.why)));
    let outcome = Outcome::new(summary).text(lines.join("\n"));
    let outcome = outcome.names(removal.remove.iter().map(Named::resource_name));
    outcome.own(Answer {
        removed: removal.remove.iter().map(ToString::to_string).collect(),
        kept: removal
            .keep
            .iter()
            .map(|kept| kept.object.to_string())
            .collect(),
    })
}
