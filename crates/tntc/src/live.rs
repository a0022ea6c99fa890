//! Running a workflow once for real: the live test in an environment, the gate before a deploy, and the check after it.

use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use tntc_core::manifests::{Plan, labels};

use crate::cli::Global;
use crate::cluster::trigger::{self, Request};
use crate::cluster::{Cluster, apply, logs, preflight, remove, rollout};
use crate::context::{Context, Overrides};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::interrupt::Interrupt;
use crate::output::Outcome;
use crate::phases::Phases;
use crate::prepare::{Prepared, Variant, prepare};
use crate::{project, unique};

/// The environment of the gate, and of `test --live` without `--env`.
pub const DEFAULT_ENVIRONMENT: &str = "dev";

/// Bound of the gate's live test.
const GATE_TIMEOUT: Duration = Duration::from_mins(2);

/// Answers of an older revision that are put down to connections that still reach the old pod.
const STALE_ANSWERS: u32 = 3;

/// Lines of the engine's log that a failure carries.
const LOG_TAIL: u32 = 20;

/// How a live test runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// Environment to run in.
    pub environment: String,
    /// `--image`
    pub image: Option<String>,
    /// Leave everything in place afterwards.
    pub keep: bool,
    /// Bound of everything but cleaning up.
    pub timeout: Duration,
}

/// Whether a `dev` environment is defined, so that a deploy is tested there first.
pub fn is_gated(dir: &Path, context: &Context) -> Result<bool> {
    let files = [
        project::user_config(context.home.as_deref())?,
        project::project_config(dir, context.home.as_deref())?,
    ];
    Ok(files
        .iter()
        .flatten()
        .any(|file| file.config.environments.contains_key(DEFAULT_ENVIRONMENT)))
}

/// The live test before a deploy; of the deploy's own flags only an explicit image enters it.
pub async fn gate(dir: &Path, image: Option<String>, context: &Context) -> Result<()> {
    let options = Options {
        environment: DEFAULT_ENVIRONMENT.to_owned(),
        image,
        keep: false,
        timeout: GATE_TIMEOUT,
    };
    let tested = test(dir, &options, context).await;
    tested.map(drop).map_err(|mut error| {
        error.message = format!(
            "deploy failed: pre-deploy live test failed (use --force to skip): {}",
            error.message
        );
        error
            .hints
            .insert(0, "use --force to skip pre-deploy live test".to_owned());
        error
    })
}

/// Deploys under a name of its own, runs once, checks the result and always cleans up.
///
/// # Errors
/// What failed, with the run's result, the pod's last log lines and the phases.
pub async fn test(dir: &Path, options: &Options, context: &Context) -> Result<Outcome> {
    let environment = in_environment(options, context);
    let overrides = Overrides {
        image: options.image.clone(),
        ..Overrides::default()
    };
    let (prepared, target) = prepare(dir, overrides, &environment).await?;
    prepared.tell(&environment);
    let cluster = target?.connect()?;
    let name = live_name(prepared.workflow.name.as_str());
    let plan = prepared.plan_on(&cluster, Variant::Live(&name)).await?;
    let mut phases = Phases::new(&environment.printer);
    phases
        .run("preflight", preflight::require(&cluster, &plan))
        .await?;
    let mut interrupt = Interrupt::listen()?;
    let attempt = Attempt {
        cluster: &cluster,
        prepared: &prepared,
        plan: &plan,
        name: &name,
    };
    let result = tokio::select! {
        result = tokio::time::timeout(options.timeout, attempt.run(&mut phases, options.timeout)) => {
            result.unwrap_or_else(|_| Err(Error::failed(format!("the live test took longer than {}s", options.timeout.as_secs())).hint("give it more time with --timeout")))
        }
        () = interrupt.raised() => Err(Error::failed("interrupted")),
    };
    let result = match result {
        Ok(execution) => Ok(execution),
        Err(error) => Err(attempt.with_log(error).await),
    };
    let cleaned = if options.keep {
        Ok(())
    } else {
        phases.run("clean up", attempt.clean_up()).await
    };
    let execution = result?;
    cleaned?;
    let summary = format!(
        "live test of {} in {} passed",
        prepared.workflow.name, options.environment
    );
    let kept = options.keep.then(|| {
        format!(
            "kept as {name}; remove it with: tntc undeploy {name} -n {} --yes",
            prepared.namespace
        )
    });
    let mut outcome = Outcome::new(&summary).text(summary);
    outcome.evidence.execution = Some(execution);
    Ok(phases.finish(kept.into_iter().fold(outcome, Outcome::hint)))
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
        global,
    }
}

/// A deployment of that name, its Secret and its queue messages are never touched.
fn live_name(workflow: &str) -> String {
    let suffix = format!("-live-{}", unique::suffix());
    let stem: String = workflow.chars().take(63 - suffix.len()).collect();
    format!("{}{suffix}", stem.trim_end_matches('-'))
}

struct Attempt<'a> {
    cluster: &'a Cluster,
    prepared: &'a Prepared,
    plan: &'a Plan,
    name: &'a str,
}

impl Attempt<'_> {
    async fn run(&self, phases: &mut Phases<'_>, timeout: Duration) -> Result<Execution> {
        let applied = phases
            .run(
                "apply",
                apply::all(self.cluster, self.plan, apply::Options::default()),
            )
            .await?;
        phases
            .run(
                "rollout",
                rollout::wait(self.cluster, &applied.deployment, timeout),
            )
            .await?;
        phases.run("run", self.trigger(timeout)).await
    }

    async fn trigger(&self, timeout: Duration) -> Result<Execution> {
        let result = run_once(self.cluster, self.prepared, self.name, timeout).await?;
        require_success(result)
    }

    /// The engine's last words are gone once it is cleaned up.
    async fn with_log(&self, mut error: Error) -> Error {
        let namespace = self.prepared.namespace.as_str();
        let Ok(pods) = logs::pods(self.cluster, namespace, self.name).await else {
            return error;
        };
        let Ok(recent) = logs::recent(
            self.cluster,
            namespace,
            &pods,
            logs::Selection::newest(LOG_TAIL),
        )
        .await
        else {
            return error;
        };
        let text: Vec<_> = recent.lines.iter().map(|line| line.line.clone()).collect();
        if !text.is_empty() {
            error = error.details(text.join("\n"));
        }
        error.evidence.log = Some(text);
        error
    }

    async fn clean_up(&self) -> Result<()> {
        let namespace = self.prepared.namespace.as_str();
        let removal = remove::plan(self.cluster, namespace, self.name, false).await?;
        remove::execute(self.cluster, namespace, self.name, &removal).await
    }
}

/// Runs the deployed workflow once and requires success, from the revision that this deploy made.
pub async fn verify(
    cluster: &Cluster,
    prepared: &Prepared,
    applied: &Deployment,
    timeout: Duration,
) -> Result<Execution> {
    let name = applied.name_any();
    let revision = revision(applied);
    for _ in 0..STALE_ANSWERS {
        let execution = run_once(cluster, prepared, &name, timeout).await?;
        if execution.revision.as_deref() == revision {
            return require_success(execution).map_err(|error| prefixed("verification", error));
        }
    }
    Err(
        Error::failed("verification: the answers come from an older revision").hint(format!(
            "see which pods run with: tntc status {name} -n {} --detail",
            prepared.namespace
        )),
    )
}

fn revision(deployment: &Deployment) -> Option<&str> {
    let template = &deployment.spec.as_ref()?.template;
    template
        .metadata
        .as_ref()?
        .annotations
        .as_ref()?
        .get(labels::CODE_HASH)
        .map(String::as_str)
}

async fn run_once(
    cluster: &Cluster,
    prepared: &Prepared,
    name: &str,
    timeout: Duration,
) -> Result<Execution> {
    let request = Request {
        namespace: prepared.namespace.as_str(),
        workflow: name,
        image: &prepared.settings.trigger_image.value,
        input: "{}",
        timeout,
    };
    let answer = trigger::run(cluster, &request).await?;
    Execution::parse(name, &answer.body)
}

fn require_success(execution: Execution) -> Result<Execution> {
    if execution.success {
        return Ok(execution);
    }
    let first = execution.first_error();
    let mut error = Error::failed(format!("workflow returned success=false: {first}"));
    error.evidence.execution = Some(execution);
    Err(error)
}

fn prefixed(prefix: &str, mut error: Error) -> Error {
    error.message = format!("{prefix}: {}", error.message);
    error
}
