//! `tntc test`: nodes against their fixtures, and the code against the contract.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use tntc_core::drift::{self, Drift};
use tntc_core::project::WORKFLOW_FILE;
use tntc_core::workflow::Workflow;

use crate::cli::duration;
use crate::cluster::remove::Pods;
use crate::context::{Context, Overrides};
use crate::deno::testing::{self, NodeResult, Status, Suite, Tested};
use crate::deploy::{drift_gate, live};
use crate::outcome::{Error, Outcome, Result};
use crate::process::interrupt::Interrupt;
use crate::workspace::project::{self, Opened};

/// Test nodes by their fixtures, without any network, and the code against the contract
#[derive(Debug, Args)]
pub struct Test {
    /// Workflow directory, or one of its nodes as in DIR/NODE
    #[arg(default_value = ".", value_name = "[DIR][/NODE]")]
    pub target: PathBuf,
    /// Run the whole graph once, with the mocks of tests/pipeline.json
    #[arg(long)]
    pub pipeline: bool,
    /// Downgrade contract drift to warnings
    #[arg(long)]
    pub warn: bool,
    /// Run the tests again that a saved file affects, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Deploy to an environment under another name, run once, and clean up
    #[arg(long, conflicts_with = "pipeline")]
    pub live: bool,
    /// Leave the live test's objects in place
    #[arg(long, requires = "live")]
    pub keep: bool,
    /// Wait until the live test's pods are gone
    #[arg(long, requires = "live", conflicts_with = "keep")]
    pub wait: bool,
    /// Maximum time of the live test, such as 90s or 2m
    #[arg(long, requires = "live", value_name = "DURATION", default_value = "120s", value_parser = duration)]
    pub timeout: std::time::Duration,
}

/// The fields of the answer; a live test has none.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer<'a> {
    /// One entry a fixture, and one for each node without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<&'a [NodeResult]>,
}

/// Runs the fixtures of a workflow, or of one of its nodes.
pub async fn run(arguments: Test, context: &Context) -> Result<Outcome> {
    let (dir, node) = target(&arguments.target);
    if arguments.live {
        return live::test(&dir, &live_options(&arguments, context), context).await;
    }
    if arguments.watch {
        return watch(&arguments, &dir, node.as_deref(), context).await;
    }
    let opened = context.open(&dir)?;
    require_node(&opened.workflow, node.as_deref())?;
    let mut interrupt = Interrupt::listen()?;
    tokio::select! {
        outcome = once(&arguments, &opened, node.as_deref(), None, context) => outcome,
        signal = interrupt.raised() => Err(signal.error("interrupted; nothing is left running")),
    }
}

/// Tests `node` or all; of these, only what is in `concerned`, when that is given.
async fn once(
    arguments: &Test,
    opened: &Opened,
    node: Option<&str>,
    concerned: Option<&BTreeSet<String>>,
    context: &Context,
) -> Result<Outcome> {
    let settings = context.settings_of(opened, Overrides::default())?;
    let lenient = drift_gate::only_warns(arguments.warn, &settings);
    let suite = if arguments.pipeline {
        Suite::of_pipeline(opened)
    } else {
        Suite::of_nodes(opened, |name| {
            node.is_none_or(|node| node == name) && concerned.is_none_or(|it| it.contains(name))
        })
    };
    for warning in &suite.warnings {
        context.printer.warn(warning);
    }
    // The code is read while the first process starts, which is asked for first.
    let read = async { drift::read(&opened.workflow, &opened.project, node) };
    let (tested, mut evidence) = tokio::join!(suite.run(opened, &context.printer), read);
    let tested = tested?;
    evidence.add(tested.evidence.clone());
    let drift = drift::judge(&opened.workflow, evidence);
    let verdict = Verdict::of(&tested, &drift, lenient);
    Ok(outcome(&opened.workflow, tested, &drift, &verdict, context))
}

/// Tests everything, then after each change what it concerns, until Ctrl-C.
async fn watch(
    arguments: &Test,
    dir: &Path,
    node: Option<&str>,
    context: &Context,
) -> Result<Outcome> {
    if context.printer.has_envelope() {
        return Err(
            Error::usage("--watch has no end to answer at, so it takes no -o json")
                .hint("leave out --watch"),
        );
    }
    let mut interrupt = Interrupt::listen()?;
    let mut changed = None;
    loop {
        let project = project::read(dir)?;
        tokio::select! {
            () = again(arguments, dir, node, changed.as_ref(), context) => {}
            signal = interrupt.raised() => return Ok(Outcome::interrupted(signal.kind())),
        }
        tokio::select! {
            found = testing::watch::changes(dir, &project) => changed = Some(found?),
            signal = interrupt.raised() => return Ok(Outcome::interrupted(signal.kind())),
        }
    }
}

/// One round of `--watch`. A failure ends nothing: the next change may mend it.
async fn again(
    arguments: &Test,
    dir: &Path,
    node: Option<&str>,
    changed: Option<&BTreeSet<String>>,
    context: &Context,
) {
    let round = async {
        let opened = context.open(dir)?;
        require_node(&opened.workflow, node)?;
        let concerned = changed
            .map(|changed| testing::watch::concerned(&opened.workflow, &opened.project, changed));
        once(arguments, &opened, node, concerned.as_ref(), context).await
    };
    match round.await {
        Ok(outcome) => drop(context.printer.finish(&outcome)),
        Err(error) => drop(context.printer.fail(&error)),
    }
    context.printer.note("waiting for changes; end with Ctrl-C");
}

fn live_options(arguments: &Test, context: &Context) -> live::Options {
    let named = context.global.environment.clone();
    live::Options {
        environment: named.unwrap_or_else(|| live::DEFAULT_ENVIRONMENT.to_owned()),
        image: None,
        keep: arguments.keep,
        pods: if arguments.wait {
            Pods::Await
        } else {
            Pods::Leave
        },
        is_gate: false,
        lenient: arguments.warn,
        timeout: arguments.timeout,
    }
}

/// `[dir]/<node>`: a path that is no directory with a workflow may be a node of the workflow in its parent.
fn target(path: &Path) -> (PathBuf, Option<String>) {
    if path.join(WORKFLOW_FILE).exists() {
        return (path.to_owned(), None);
    }
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return (path.to_owned(), None),
    };
    match path.file_name() {
        Some(name) if parent.join(WORKFLOW_FILE).exists() => {
            (parent.to_owned(), Some(name.to_string_lossy().into_owned()))
        }
        _ => (path.to_owned(), None),
    }
}

fn require_node(workflow: &Workflow, node: Option<&str>) -> Result<()> {
    match node.filter(|name| workflow.node(name).is_none()) {
        None => Ok(()),
        Some(unknown) => {
            let names: Vec<_> = workflow
                .nodes
                .iter()
                .map(|node| node.name.as_str())
                .collect();
            Err(
                Error::usage(format!("{} has no node `{unknown}`", workflow.name))
                    .hint(format!("its nodes are: {}", names.join(", "))),
            )
        }
    }
}

/// What the results come down to.
struct Verdict {
    passed: usize,
    failed: usize,
    untested: usize,
    /// Whether there is drift, and whether it counts.
    drift: Option<bool>,
}

impl Verdict {
    fn of(tested: &Tested, drift: &Drift, lenient: bool) -> Self {
        let count = |status| {
            tested
                .results
                .iter()
                .filter(|it| it.status == status)
                .count()
        };
        Self {
            passed: count(Status::Pass),
            failed: count(Status::Fail),
            untested: count(Status::Untested),
            drift: drift.summary.has_violations.then_some(!lenient),
        }
    }

    fn is_failure(&self) -> bool {
        self.failed > 0 || self.drift == Some(true)
    }

    fn summary(&self, workflow: &Workflow) -> String {
        let Self {
            passed,
            failed,
            untested,
            ..
        } = self;
        let mut parts = vec![format!("{passed} passed")];
        parts.extend((*failed > 0).then(|| format!("{failed} failed")));
        parts.extend((*untested > 0).then(|| format!("{untested} untested")));
        parts.extend(self.drift.map(|counts| {
            if counts {
                "contract drift"
            } else {
                "contract drift, which only warns"
            }
            .to_owned()
        }));
        format!("{}: {}", workflow.name, parts.join(", "))
    }

    fn hints(&self) -> Vec<&'static str> {
        let mut hints = Vec::new();
        if self.drift == Some(true) {
            hints.push("let code and contract agree, or let drift only warn with --warn");
        }
        if self.untested > 0 {
            hints.push("a fixture is a file such as tests/fixtures/NODE.json with {\"input\": ..., \"expected\": ...}");
        }
        hints
    }
}

fn outcome(
    workflow: &Workflow,
    tested: Tested,
    drift: &Drift,
    verdict: &Verdict,
    context: &Context,
) -> Outcome {
    let summary = verdict.summary(workflow);
    let text = text(
        workflow,
        &tested.results,
        drift,
        &summary,
        context.printer.verbose(),
    );
    let mut outcome = Outcome::new(summary)
        .text(text)
        .own(Answer {
            results: Some(&tested.results),
        })
        .failed_if(verdict.is_failure());
    outcome.evidence.execution = tested.execution;
    outcome.evidence.drift = Some(drift.clone());
    verdict.hints().into_iter().fold(outcome, Outcome::hint)
}

fn text(
    workflow: &Workflow,
    results: &[NodeResult],
    drift: &Drift,
    summary: &str,
    verbose: bool,
) -> String {
    let drift = if workflow.contract.is_none() {
        "contract drift\n  not judged: workflow.yaml has no contract".to_owned()
    } else {
        drift.to_string()
    };
    format!(
        "{}\n\n{drift}\n\n{summary}",
        testing::text(results, verbose)
    )
}
