//! One Deno process that runs fixtures one after the other, with the right to read the workflow and nothing else.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use tntc_core::drift::Deviation;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::task::JoinHandle;

use crate::deno::local::{Names, lines, sealed};
use crate::outcome::{Error, Execution, Result};

/// What an answer's line begins with (RFC 7464), so that it is told from what nodes print.
const RECORD_SEPARATOR: char = '\u{1e}';

/// How much longer than its node's timeout a fixture may take, for the start of the process and the import of the
/// node's modules. A node that is still silent then blocks the event loop.
const GRACE: Duration = Duration::from_secs(5);

/// What is kept of a process's last words, in bytes.
const LAST_WORDS: usize = 4096;

/// The most that one answer may have, in bytes, with everything that the node returned and logged.
const MOST_ANSWER: usize = 16 << 20;

/// How to start such a process.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program.
    pub deno: PathBuf,
    /// The engine's directory.
    pub engine: PathBuf,
    /// The directory of the workflow's code, absolute.
    pub directory: PathBuf,
    /// Says of the code's files where the user has them.
    pub names: Names,
    /// The first line that the process reads.
    pub setup: Map<String, Value>,
}

/// One difference between what was expected and what came.
#[derive(Debug, Clone, Deserialize, serde::Serialize, schemars::JsonSchema)]
pub struct Difference {
    /// As JavaScript would write it; empty for the whole value.
    pub path: String,
    /// Absent for what should not be there.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub expected: Option<Value>,
    /// Absent for what is missing.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub actual: Option<Value>,
}

/// `null` is a value here, unlike the absence of the key.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Why a node gave no output.
#[derive(Debug, Clone, Deserialize)]
pub struct Thrown {
    /// In one line or more.
    pub message: String,
    /// Lines of the stack in files of the workflow.
    pub frames: Vec<String>,
}

/// What came of one fixture, as the process tells it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Answer {
    /// Of the node alone, in milliseconds.
    pub duration_ms: f64,
    /// What the node returned.
    #[serde(deserialize_with = "present")]
    pub output: Option<Value>,
    /// Why it returned nothing.
    pub error: Option<Thrown>,
    /// Whether it went on when its time was over.
    pub timed_out: bool,
    /// Against `expected`.
    pub differences: Vec<Difference>,
    /// Against `expectCalls`.
    pub call_differences: Vec<Difference>,
    /// Dependencies that were used.
    pub accesses: Vec<String>,
    /// What the contract does not cover.
    pub deviations: Vec<Deviation>,
    /// What the node logged and printed.
    pub log: Vec<String>,
}

impl Answer {
    /// The answer of a fixture that could not be run to its end.
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            error: Some(Thrown {
                message: message.into(),
                frames: Vec::new(),
            }),
            ..Self::default()
        }
    }
}

#[derive(Deserialize)]
struct Message {
    id: usize,
    report: Answer,
    #[serde(default)]
    run: Option<Execution>,
}

/// What a process writes: an answer, or which node's module it is about to load; `null` when that is done.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    // Ahead of the other, whose only field may be absent as far as serde is concerned.
    Answer(Box<Message>),
    Loading { loading: Option<String> },
}

/// What came of one job.
pub enum Said {
    /// The process answered; with the result of the run when the job was the whole workflow.
    Answered(Box<Answer>, Option<Execution>),
    /// The process did not answer in time; the node whose module it was still loading.
    Hung(Option<String>),
    /// The process ended; its last words.
    Ended(String),
}

/// A running process.
pub struct Process {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    stderr: JoinHandle<String>,
    names: Names,
    /// What an answer's line begins with.
    prefix: String,
    /// The node whose module is being loaded.
    loading: Option<String>,
}

impl Process {
    /// Starts the process; it is killed when this value goes.
    pub async fn start(launch: &Launch) -> Result<Self> {
        let failed =
            |cause| Error::surroundings(format!("cannot run {}: {cause}", launch.deno.display()));
        let word = word()?;
        let mut setup = launch.setup.clone();
        setup.insert("word".to_owned(), word.clone().into());
        let mut child = sealed::command(&launch.deno, true)?
            .args(arguments(launch)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(Error::surroundings("a new process has no pipes"));
        };
        // A process that ended already says why when its first job is sent.
        drop(
            stdin
                .write_all(format!("{}\n", Value::Object(setup)).as_bytes())
                .await,
        );
        Ok(Self {
            child,
            stdin,
            stdout: BufReader::new(stdout),
            stderr: tokio::spawn(last_words(stderr)),
            names: launch.names.clone(),
            prefix: format!("{RECORD_SEPARATOR}{word} "),
            loading: None,
        })
    }

    /// Runs one job; `limit` is the timeout of its node.
    pub async fn run(&mut self, id: usize, job: &Value, limit: Duration) -> Said {
        let line = format!("{job}\n");
        drop(self.stdin.write_all(line.as_bytes()).await);
        match tokio::time::timeout(limit + GRACE, self.answer(id)).await {
            Err(_) => Said::Hung(self.loading.take()),
            Ok(Some(Ok(message))) => Said::Answered(Box::new(message.report), message.run),
            Ok(Some(Err(why))) => Said::Ended(why),
            Ok(None) => Said::Ended(self.end().await),
        }
    }

    /// The answer to a job, or why it cannot be read; `None` when the process has ended.
    async fn answer(&mut self, id: usize) -> Option<Result<Message, String>> {
        while let Ok(Some(line)) = lines::next(&mut self.stdout, MOST_ANSWER).await {
            // Whatever else is on standard output was printed by nodes, which do not know the word.
            let Some(record) = line.text.strip_prefix(&self.prefix) else {
                continue;
            };
            if line.cut {
                return Some(Err(format!(
                    "what it returned and logged has more than {} MiB",
                    MOST_ANSWER >> 20
                )));
            }
            match serde_json::from_str(&self.names.in_json(record)) {
                Ok(Written::Answer(message)) if message.id == id => return Some(Ok(*message)),
                Ok(Written::Loading { loading }) => self.loading = loading,
                _ => {}
            }
        }
        None
    }

    async fn end(&mut self) -> String {
        let status = self.child.wait().await;
        let words = (&mut self.stderr).await.unwrap_or_default();
        match (words.trim(), status) {
            ("", Ok(status)) => status.to_string(),
            ("", Err(cause)) => cause.to_string(),
            (words, _) => self.names.in_text(words),
        }
    }
}

fn arguments(launch: &Launch) -> Result<Vec<String>> {
    let closed = [
        "--no-lock",
        "--no-prompt",
        "--no-remote",
        "--no-npm",
        "--ignore-env",
        "--unstable-net",
    ];
    let mut arguments = vec!["run".to_owned(), "--quiet".to_owned()];
    arguments.extend(closed.map(str::to_owned));
    arguments.extend([
        sealed::allow_read([launch.directory.as_path(), &launch.engine])?,
        format!("--config={}", launch.engine.join("deno.json").display()),
        launch
            .engine
            .join("testing/runner.ts")
            .display()
            .to_string(),
    ]);
    Ok(arguments)
}

/// A word that nobody can guess: 128 random bits.
fn word() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|cause| Error::surroundings(format!("there are no random numbers: {cause}")))?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

async fn last_words(mut stderr: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut last = VecDeque::new();
    let mut chunk = [0; LAST_WORDS];
    // Whatever could be read is better than nothing.
    while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
        last.extend(&chunk[..count]);
        last.drain(..last.len().saturating_sub(LAST_WORDS));
    }
    String::from_utf8_lossy(last.make_contiguous()).into_owned()
}
