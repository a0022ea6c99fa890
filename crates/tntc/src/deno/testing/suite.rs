//! What is to be tested of a workflow directory, and what came of it.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tntc_core::drift::Evidence;
use tntc_core::fixtures::{self, Content, Fixture, Fixtures};
use tntc_core::workflow::Workflow;

use super::pool::{self, Job, Plan};
use super::process::{Answer, Launch};
use super::report::NodeResult;
use crate::deno;
use crate::deno::local::Code;
use crate::outcome::{Execution, Result};
use crate::terminal::Printer;
use crate::workspace::project::Opened;

/// Everything that one call of `tntc test` runs.
pub struct Suite {
    items: Vec<Item>,
    untested: Vec<String>,
    /// What is questionable about the fixtures.
    pub warnings: Vec<String>,
}

/// One fixture, or the whole workflow with its mocks.
struct Item {
    node: Option<String>,
    path: String,
    content: Content,
    limit: Duration,
}

impl Item {
    fn job(&self, id: usize, fixture: &Map<String, Value>) -> Job {
        let (name, message) = match &self.node {
            Some(node) => (
                format!("node {node}"),
                json!({"id": id, "node": node, "fixture": fixture}),
            ),
            None => (
                "the workflow".to_owned(),
                json!({"id": id, "fixture": fixture}),
            ),
        };
        Job {
            id,
            name,
            message,
            limit: self.limit,
        }
    }
}

/// What came of a suite.
pub struct Tested {
    /// In the order of the workflow's nodes.
    pub results: Vec<NodeResult>,
    /// For the judgement on drift.
    pub evidence: Evidence,
    /// The result of the run when the whole workflow was run.
    pub execution: Option<Execution>,
}

impl Suite {
    /// The fixtures of the nodes that `tested` accepts.
    pub fn of_nodes(opened: &Opened, tested: impl Fn(&str) -> bool) -> Self {
        let mut fixtures = Fixtures::of(&opened.workflow, &opened.project);
        fixtures.keep_only(tested);
        let item = |fixture: Fixture| Item {
            limit: limit(&opened.workflow, &fixture.node),
            node: Some(fixture.node),
            path: fixture.path,
            content: fixture.content,
        };
        Self {
            items: fixtures.found.into_iter().map(item).collect(),
            untested: fixtures.untested,
            warnings: fixtures.warnings,
        }
    }

    /// The whole graph.
    pub fn of_pipeline(opened: &Opened) -> Self {
        let (content, warnings) =
            fixtures::pipeline(&opened.project).unwrap_or_else(|| (Ok(Map::new()), Vec::new()));
        Self {
            items: vec![Item {
                node: None,
                path: fixtures::PIPELINE.to_owned(),
                content,
                limit: longest_run(&opened.workflow),
            }],
            untested: Vec::new(),
            warnings,
        }
    }

    /// Runs everything.
    pub async fn run(self, opened: &Opened, printer: &Printer) -> Result<Tested> {
        let groups = self.groups();
        let done = if groups.is_empty() {
            Vec::new()
        } else {
            let code = Code::of(opened, |node| self.runs(node), printer).await?;
            pool::run(plan(opened, &code, groups).await?).await?
        };
        let mut answers: Vec<Option<Answer>> = self.items.iter().map(|_| None).collect();
        let mut execution = None;
        for one in done {
            answers[one.id] = Some(one.answer);
            execution = execution.or(one.run);
        }
        Ok(self.conclude(answers, execution))
    }

    fn runs(&self, node: &str) -> bool {
        let mut nodes = self.items.iter().map(|item| item.node.as_deref());
        nodes.any(|tested| tested.is_none_or(|tested| tested == node))
    }

    /// Fixtures of one node stay together: they share its modules, as runs in a pod do.
    fn groups(&self) -> Vec<Vec<Job>> {
        let mut groups: Vec<(Option<&str>, Vec<Job>)> = Vec::new();
        for (id, item) in self.items.iter().enumerate() {
            let Ok(fixture) = &item.content else { continue };
            let job = item.job(id, fixture);
            match groups.last_mut() {
                Some((node, jobs)) if *node == item.node.as_deref() => jobs.push(job),
                _ => groups.push((item.node.as_deref(), vec![job])),
            }
        }
        groups.into_iter().map(|(_, jobs)| jobs).collect()
    }

    fn conclude(self, answers: Vec<Option<Answer>>, execution: Option<Execution>) -> Tested {
        let mut evidence = Evidence::default();
        let mut results = Vec::new();
        for (item, answer) in self.items.into_iter().zip(answers) {
            let expected = item
                .content
                .as_ref()
                .ok()
                .and_then(|keys| keys.get("expected"))
                .cloned();
            let answer = match (item.content, answer) {
                (Err(reason), _) => Answer::failed(format!("{} {reason}", item.path)),
                (Ok(_), answer) => answer.unwrap_or_else(|| Answer::failed("was not run")),
            };
            evidence.accesses.extend(answer.accesses.iter().cloned());
            evidence.seen.extend(answer.deviations.iter().cloned());
            results.push(NodeResult::of(
                item.node.as_deref(),
                &item.path,
                expected,
                answer,
            ));
        }
        results.extend(self.untested.iter().map(|node| NodeResult::untested(node)));
        Tested {
            results,
            evidence,
            execution,
        }
    }
}

fn limit(workflow: &Workflow, node: &str) -> Duration {
    workflow
        .node(node)
        .map(|node| workflow.timeout_of(node))
        .unwrap_or_default()
}

/// No run takes longer than all attempts of all nodes one after the other.
fn longest_run(workflow: &Workflow) -> Duration {
    let attempts = |node| u32::from(workflow.retries_of(node)) + 1;
    workflow
        .nodes
        .iter()
        .map(|node| workflow.timeout_of(node) * attempts(node))
        .sum()
}

async fn plan(opened: &Opened, code: &Code, groups: Vec<Vec<Job>>) -> Result<Plan> {
    let setup = Map::from_iter([
        ("workflow".to_owned(), json!(opened.workflow)),
        ("directory".to_owned(), json!(code.dir())),
    ]);
    Ok(Plan {
        launch: Launch {
            deno: deno::find().await?,
            engine: deno::cached_engine()?,
            directory: code.dir().to_owned(),
            names: code.names()?,
            setup,
        },
        groups,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
    })
}
