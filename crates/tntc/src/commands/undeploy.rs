//! `tntc undeploy`: removes what is ours, after asking.

use std::io::IsTerminal;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Undeploy;
use crate::cluster::inventory;
use crate::cluster::remove::{self, Removal};
use crate::context::{self, Context};
use crate::error::{Error, Result};
use crate::output::Outcome;

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer<'a> {
    /// `Kind/name` of what was deleted.
    removed: &'a [String],
    /// `Kind/name` of what stays.
    kept: &'a [String],
}

/// Shows what will go, asks, deletes, and waits until the pods are gone.
pub async fn run(arguments: &Undeploy, context: &Context) -> Result<Outcome> {
    let settings = context.settings()?;
    let namespace = context::namespace(&settings)?;
    let namespace = namespace.as_str();
    let name = &arguments.name;
    let cluster = context.connect(&settings).await?;
    let removal = remove::plan(&cluster, namespace, name, arguments.keep_secrets).await?;
    if removal.remove.is_empty() {
        return Err(inventory::no_such_workflow(&cluster, name, namespace));
    }
    confirm(arguments, namespace, &removal, context)?;
    Ok(
        match remove::execute(&cluster, namespace, name, &removal).await {
            Ok(()) => outcome(format!("removed {name} from {namespace}"), &removal),
            Err(error) => unfinished(error, &removal),
        },
    )
}

fn confirm(
    arguments: &Undeploy,
    namespace: &str,
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
    context.printer.note(format!(
        "This removes from namespace {namespace}:\n  {}",
        removal.remove.join("\n  ")
    ));
    if !removal.keep.is_empty() {
        context
            .printer
            .note(format!("This stays:\n  {}", removal.keep.join("\n  ")));
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

/// Also tells what was deleted, or was about to be.
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
    lines.extend(removal.keep.iter().map(|what| format!("  kept {what}")));
    Outcome::new(summary).text(lines.join("\n")).own(Answer {
        removed: &removal.remove,
        kept: &removal.keep,
    })
}
