//! Running a workflow once for real: the live test in an environment, the gate before a deploy, and the check after it.

mod attempt;
pub mod evidence;
mod once;

use std::path::Path;
use std::time::Duration;

use tntc_core::values::ImageReference;

use super::prepare::{Variant, prepare};
use crate::cli::Global;
use crate::cluster::remove::Pods;
use crate::cluster::unique;
use crate::context::{Context, Overrides};
use crate::outcome::followup::quoted;
use crate::outcome::{Error, ErrorKind, Execution, Outcome, Result};
use crate::process::interrupt::Interrupt;
use crate::terminal::Phases;
use crate::workspace::config_files;
use attempt::{Attempt, Deadline, INTERRUPTED};
pub use once::verify;

/// The environment of the gate, and of `test --live` without `--env`.
pub const DEFAULT_ENVIRONMENT: &str = "dev";

/// Bound of the gate's live test.
const GATE_TIMEOUT: Duration = Duration::from_mins(2);

/// How a live test runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// Environment to run in.
    pub environment: String,
    /// `--image`
    pub image: Option<ImageReference>,
    /// Leave everything in place afterwards.
    pub keep: bool,
    /// Whether cleaning up waits for the pods, too.
    pub pods: Pods,
    /// Whether it is part of a deploy, whose flags are others.
    pub is_gate: bool,
    /// Whether missing secrets only warn.
    pub lenient: bool,
    /// Bound of everything but cleaning up.
    pub timeout: Duration,
}

/// Whether a `dev` environment is defined, so that a deploy is tested there first.
pub fn is_gated(dir: &Path, context: &Context) -> Result<bool> {
    let files = [
        config_files::user_config(context.home.as_deref())?,
        config_files::project_config(dir, context.home.as_deref())?,
    ];
    Ok(files
        .iter()
        .flatten()
        .any(|file| file.config.environments.contains_key(DEFAULT_ENVIRONMENT)))
}

/// The live test before a deploy; of the deploy's own flags only an explicit image enters it.
pub async fn gate(
    dir: &Path,
    workflow: &str,
    image: Option<ImageReference>,
    context: &Context,
) -> Result<()> {
    let options = Options {
        environment: DEFAULT_ENVIRONMENT.to_owned(),
        image,
        keep: false,
        pods: Pods::Leave,
        is_gate: true,
        lenient: false,
        timeout: GATE_TIMEOUT,
    };
    let tested = test(dir, &options, context).await;
    tested
        .map(drop)
        .map_err(|error| not_deployed(error, dir, workflow))
}

/// What a deploy says of its live test that failed, with flags that a deploy has.
fn not_deployed(mut error: Error, dir: &Path, workflow: &str) -> Error {
    if is_interrupted(&error) {
        "interrupted during the live test; nothing was applied".clone_into(&mut error.message);
        return error;
    }
    error.message = format!(
        "deploy failed: pre-deploy live test failed (use --force to skip): {}",
        error.message
    );
    let force = "use --force to skip pre-deploy live test".to_owned();
    error.hints.insert(0, force);
    let by_hand = format!(
        "test {} --live --env {DEFAULT_ENVIRONMENT} --keep",
        quoted(&dir.display().to_string())
    );
    error
        .hint(format!("leave its objects in place with: tntc {by_hand}"))
        .hint(format!(
            "check deployment logs with: tntc logs {workflow} --env {DEFAULT_ENVIRONMENT}"
        ))
}

/// Deploys under a name of its own, runs once, checks the result and always cleans up.
///
/// # Errors
/// What failed, with the run's result, the pod's last log lines, its events and the phases.
pub async fn test(dir: &Path, options: &Options, context: &Context) -> Result<Outcome> {
    let environment = in_environment(options, context);
    let overrides = Overrides {
        image: options.image.clone(),
        ..Overrides::default()
    };
    let within = if options.is_gate { "live test: " } else { "" };
    let mut phases = Phases::within(within, &environment.printer);
    let mut interrupt = Interrupt::listen()?;
    let ready = interrupt.unless(INTERRUPTED, prepare(dir, overrides, &environment));
    let (prepared, target) = phases.run("prepare", ready).await?;
    prepared.tell(&environment);
    prepared.require_images()?;
    let cluster = target?.connect()?;
    let name = live_name(prepared.workflow.name.as_str());
    let plan = prepared.plan_on(&cluster, Variant::Live(&name)).await?;
    let attempt = Attempt {
        environment: &options.environment,
        lenient: options.lenient,
        deadline: Deadline::after(options.timeout),
        cluster: &cluster,
        prepared: &prepared,
        plan: &plan,
        name: &name,
    };
    // Nothing is made before this, so there is nothing to clean up when it fails.
    attempt
        .check(&mut phases, &mut interrupt, &environment.printer)
        .await?;
    let execution = Box::pin(attempt.run(&mut phases, &mut interrupt)).await;
    let execution = conclude(&attempt, execution, options, &mut phases).await?;
    let summary = format!(
        "live test of {} in {} passed",
        prepared.workflow.name, options.environment
    );
    let mut outcome = Outcome::new(&summary).text(summary);
    outcome.evidence.execution = Some(execution);
    let kept = options.keep.then(|| attempt.how_to_remove());
    Ok(phases.finish(kept.into_iter().fold(outcome, Outcome::hint)))
}

/// Collects what tells of a failure, then cleans up, unless everything is to be kept.
async fn conclude(
    attempt: &Attempt<'_>,
    execution: Result<Execution>,
    options: &Options,
    phases: &mut Phases<'_>,
) -> Result<Execution> {
    let execution = match execution {
        Err(error) if is_interrupted(&error) => Err(error),
        Ok(execution) => Ok(execution),
        Err(error) => Err(attempt.with_evidence(error).await),
    };
    if options.keep {
        return execution.map_err(|error| error.hint(attempt.how_to_remove()));
    }
    let cleaned = phases.run("clean up", attempt.clean_up(options.pods)).await;
    match (execution, cleaned) {
        (Ok(execution), Ok(())) => Ok(execution),
        (Ok(_), Err(left)) => Err(left.hint(attempt.how_to_remove())),
        (Err(error), Ok(())) if options.is_gate || is_interrupted(&error) => Err(error),
        (Err(error), Ok(())) => {
            Err(error.hint("--keep leaves everything in place, to be looked at"))
        }
        (Err(error), Err(left)) => Err(error
            .hint(format!("cleaning up failed as well: {left}"))
            .hint(attempt.how_to_remove())),
    }
}

/// Whoever pressed Ctrl-C knows why it ended.
fn is_interrupted(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Interrupted(_))
}

/// The same command in another environment: only what says how to print stays.
fn in_environment(options: &Options, context: &Context) -> Context {
    let global = Global {
        environment: Some(options.environment.clone()),
        namespace: None,
        registry: None,
        kubeconfig: None,
        context: None,
        ..context.global.clone()
    };
    Context {
        printer: context.printer.clone(),
        home: context.home.clone(),
        #[cfg(test)]
        cluster: context.cluster.clone(),
        global,
    }
}

/// A deployment of that name, its Secret and its queue messages are never touched.
fn live_name(workflow: &str) -> String {
    let suffix = format!("-live-{}", unique::suffix());
    let stem: String = workflow.chars().take(63 - suffix.len()).collect();
    format!("{}{suffix}", stem.trim_end_matches('-'))
}
