//! Running a container program to its end, with its output folded into progress and its tail kept for a failure.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::terminal::progress::Phase;

/// Lines of output that are kept; a failed build shows no more than these.
const TAIL: usize = 30;

/// What Docker says each second of each layer until it pushes the layer again; the reasons are in other lines.
const COUNTDOWN: &str = ": Retrying in ";

/// Why a program did not do what it was told.
#[derive(Debug)]
pub struct Failure {
    /// The last lines that it wrote, and how it ended.
    pub tail: String,
}

impl Failure {
    /// Whether its output holds any of these texts, in any case.
    pub fn says(&self, texts: &[&str]) -> bool {
        let tail = self.tail.to_lowercase();
        texts.iter().any(|text| tail.contains(text))
    }
}

/// Runs to the end and returns the last lines of output, both streams in the order in which they came.
pub async fn run(command: &mut Command, phase: &Phase<'_>) -> Result<Vec<String>, Failure> {
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|cause| failure(&[], &cause))?;
    let (sender, receiver) = mpsc::channel(64);
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let ((), (), lines) = tokio::join!(
        forward(out, sender.clone()),
        forward(err, sender),
        collect(receiver, phase)
    );
    match child.wait().await {
        Ok(status) if status.success() => Ok(lines),
        Ok(status) => Err(failure(&lines, &status)),
        Err(cause) => Err(failure(&lines, &cause)),
    }
}

/// Whether a program of that name can be started.
pub async fn exists(program: &str) -> bool {
    let started = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .await;
    !matches!(started, Err(cause) if cause.kind() == ErrorKind::NotFound)
}

async fn forward(stream: Option<impl AsyncRead + Unpin>, lines: mpsc::Sender<String>) {
    let Some(stream) = stream else { return };
    let mut reader = BufReader::new(stream).split(b'\n');
    while let Ok(Some(line)) = reader.next_segment().await {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if lines.send(line).await.is_err() {
            return;
        }
    }
}

async fn collect(mut lines: mpsc::Receiver<String>, phase: &Phase<'_>) -> Vec<String> {
    let mut kept = VecDeque::with_capacity(TAIL);
    while let Some(line) = lines.recv().await {
        phase.detail(&line);
        if line.contains(COUNTDOWN) {
            continue;
        }
        if kept.len() == TAIL {
            kept.pop_front();
        }
        kept.push_back(line);
    }
    kept.into()
}

fn failure(lines: &[String], end: &impl ToString) -> Failure {
    let mut lines = lines.to_vec();
    lines.push(end.to_string());
    Failure {
        tail: lines.join("\n"),
    }
}
