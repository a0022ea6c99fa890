//! One attach to a trigger pod's standard streams: the input goes in, what curl says comes out.
//!
//! What it proves is decided in `tntc_core::trigger`. It can be repeated with the same pod: curl reads its input once and
//! sends one request, whoever gives it to it, and an input that arrived twice is no JSON.

use std::pin::pin;

use futures::FutureExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, AttachParams, AttachedProcess};
use tntc_core::manifests::trigger::CONTAINER;
use tntc_core::trigger as core;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

/// Bytes that may wait in memory for the connection, each way.
const BUFFER: usize = 256 * 1024;

/// What an attach brought.
#[derive(Debug, Default)]
pub struct Heard {
    /// curl's standard output.
    pub body: Vec<u8>,
    /// curl's standard error.
    pub messages: Vec<u8>,
    /// Whether the API server ended the attach with success; nothing when it did not end it.
    succeeded: Option<bool>,
}

impl Heard {
    /// As it is judged.
    pub fn as_core(&self) -> core::Heard<'_> {
        core::Heard {
            body: &self.body,
            messages: &self.messages,
            succeeded: self.succeeded,
        }
    }

    /// Whether curl said nothing at all.
    pub fn is_silent(&self) -> bool {
        self.body.is_empty() && self.messages.is_empty()
    }

    /// What follows from it.
    pub fn verdict(&self) -> core::Verdict {
        core::judge(self.as_core())
    }
}

/// Attaches to the pod's container.
///
/// # Errors
/// The API server refuses it. That there is no container shows only later.
pub async fn begin(pods: &Api<Pod>, pod: &str) -> Result<AttachedProcess, kube::Error> {
    let parameters = AttachParams::default()
        .container(CONTAINER)
        .stdin(true)
        .stdout(true)
        .stderr(true)
        .max_stdin_buf_size(BUFFER)
        .max_stdout_buf_size(BUFFER);
    pods.attach(pod, &parameters).await
}

/// Sends the input and reads until curl has said everything, or the connection is lost.
pub async fn converse(mut process: AttachedProcess, input: &str) -> Heard {
    let mut heard = Heard::default();
    let streams = (
        process.stdin(),
        process.stdout(),
        process.stderr(),
        process.take_status(),
    );
    let (Some(mut stdin), Some(mut stdout), Some(mut stderr), Some(status)) = streams else {
        return heard;
    };
    // The pipe to a connection that has ended neither takes nor refuses more input, so nothing waits for this alone.
    let send = async {
        // A line break at the end, so that no two inputs in a row are one input.
        let sent = stdin.write_all(format!("{input}\n").as_bytes()).await;
        drop(sent.and(stdin.shutdown().await));
        std::future::pending::<()>().await;
    };
    let mut send = pin!(send);
    let mut status = pin!(status);
    let (mut stdout_ended, mut stderr_ended, mut status_known) = (false, false, false);
    while !(heard.as_core().is_over() || (stdout_ended && stderr_ended)) {
        tokio::select! {
            read = stdout.read_buf(&mut heard.body), if !stdout_ended => stdout_ended = is_end(&read),
            read = stderr.read_buf(&mut heard.messages), if !stderr_ended => stderr_ended = is_end(&read),
            told = &mut status, if !status_known => {
                status_known = true;
                heard.succeeded = told.map(|told| told.status.as_deref() != Some("Failure"));
                if heard.succeeded.is_none() {
                    // A lost connection never ends the streams.
                    drain(&mut stdout, &mut heard.body);
                    drain(&mut stderr, &mut heard.messages);
                    return heard;
                }
            }
            () = &mut send => {}
        }
    }
    if !status_known && stdout_ended && stderr_ended {
        let told = status.await;
        heard.succeeded = told.map(|told| told.status.as_deref() != Some("Failure"));
    }
    heard
}

fn is_end(read: &std::io::Result<usize>) -> bool {
    !matches!(read, Ok(1..))
}

/// Takes what has arrived already of a stream that will never end.
fn drain(stream: &mut (impl AsyncRead + Unpin), into: &mut Vec<u8>) {
    // Always ready at once, so that nothing is ever waited for here.
    while let Some(Ok(1..)) = stream.read_buf(into).now_or_never() {}
}
