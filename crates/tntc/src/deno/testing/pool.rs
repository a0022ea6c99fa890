//! Fixtures over processes: as many at a time as there are cores, and a fresh process after one that misbehaved.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use futures::future::try_join_all;
use serde_json::Value;
use tntc_core::workflow::format_duration;

use super::process::{Answer, Launch, Process, Said};
use crate::outcome::{Execution, Result};

/// Fixtures that are worth a process of their own: fewer are done sooner than another Deno has started.
const WORTH_A_PROCESS: usize = 8;

/// One fixture to run, or the whole workflow.
#[derive(Debug, Clone)]
pub struct Job {
    /// Position in the order of the results.
    pub id: usize,
    /// What to call it in messages.
    pub name: String,
    /// As the process reads it.
    pub message: Value,
    /// Timeout of the node, or of the whole workflow.
    pub limit: Duration,
}

/// Everything that is to be run. Jobs of one group run in one process, in their order.
pub struct Plan {
    /// How to start a process.
    pub launch: Launch,
    /// The jobs, by node.
    pub groups: Vec<Vec<Job>>,
    /// How many processes may run at a time.
    pub cores: usize,
}

/// What came of a job.
pub struct Done {
    /// The job's.
    pub id: usize,
    /// What the node did.
    pub answer: Answer,
    /// The result of a run of the whole workflow.
    pub run: Option<Execution>,
}

/// Runs all jobs; the results are in the order of their ids.
///
/// # Errors
/// Deno could not be started at all.
pub async fn run(plan: Plan) -> Result<Vec<Done>> {
    let jobs: usize = plan.groups.iter().map(Vec::len).sum();
    let processes = jobs
        .div_ceil(WORTH_A_PROCESS)
        .min(plan.groups.len())
        .min(plan.cores.max(1));
    let queue = Mutex::new(VecDeque::from(plan.groups));
    let workers = (0..processes).map(|_| work(&plan.launch, &queue));
    let mut done: Vec<_> = try_join_all(workers).await?.into_iter().flatten().collect();
    done.sort_by_key(|done| done.id);
    Ok(done)
}

async fn work(launch: &Launch, queue: &Mutex<VecDeque<Vec<Job>>>) -> Result<Vec<Done>> {
    let mut process = None;
    let mut done = Vec::new();
    while let Some(group) = next(queue) {
        for job in group {
            let mut current = match process.take() {
                Some(process) => process,
                None => Process::start(launch).await?,
            };
            let said = current.run(job.id, &job.message, job.limit).await;
            // A process that keeps a node running, or none at all, is of no use to the next fixture.
            if matches!(&said, Said::Answered(answer, _) if !answer.timed_out) {
                process = Some(current);
            }
            done.push(concluded(&job, said));
        }
    }
    Ok(done)
}

fn next(queue: &Mutex<VecDeque<Vec<Job>>>) -> Option<Vec<Job>> {
    // A thread that panicked with the lock held has ended the program already.
    queue.lock().ok()?.pop_front()
}

fn concluded(job: &Job, said: Said) -> Done {
    let (answer, run) = match said {
        Said::Answered(answer, run) => (*answer, run),
        Said::Hung(None) => (hung(job), None),
        Said::Hung(Some(node)) => (never_loaded(&node, job.limit), None),
        Said::Ended(words) => (
            Answer::failed(format!("{} ended the process: {words}", job.name)),
            None,
        ),
    };
    Done {
        id: job.id,
        answer,
        run,
    }
}

fn never_loaded(node: &str, limit: Duration) -> Answer {
    Answer::failed(format!(
        "node {node}: its module was still being loaded after {}: its top level loops, or awaits what never comes; its process was stopped",
        format_duration(limit)
    ))
}

fn hung(job: &Job) -> Answer {
    Answer::failed(format!(
        "{} blocked the event loop past its timeout of {}; its process was stopped",
        job.name,
        format_duration(job.limit)
    ))
}
