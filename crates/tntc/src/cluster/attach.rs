//! Talking to the trigger pod by its attached standard streams: the input goes in, curl's answer comes out.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, AttachParams, AttachedProcess};
use tntc_core::manifests::trigger::CONTAINER;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::errors;
use super::trigger::Answer;
use crate::error::{Error, Result};

/// Pause between attempts to attach: the container exists some 300 ms after the pod was made.
const ATTACH_PAUSE: Duration = Duration::from_millis(20);

/// Bytes that may wait in memory for the connection, each way.
const BUFFER: usize = 256 * 1024;

/// Attaches as soon as there is a container, sends the input and reads until curl is done.
pub async fn talk(pods: &Api<Pod>, pod: &str, input: &str) -> Result<Answer> {
    let parameters = AttachParams::default()
        .container(CONTAINER)
        .stdin(true)
        .stdout(true)
        .stderr(true)
        .max_stdin_buf_size(BUFFER)
        .max_stdout_buf_size(BUFFER);
    loop {
        let conversation = match pods.attach(pod, &parameters).await {
            Ok(process) => converse(process, input).await,
            Err(kube::Error::Api(status)) if status.code == 403 => {
                let cause = kube::Error::Api(status);
                return Err(errors::tell("attaching to the trigger pod", cause));
            }
            Err(_) => Conversation::NotYet,
        };
        match conversation {
            Conversation::Over(answer) => return Ok(answer),
            Conversation::BrokenOff => return Err(broken_off()),
            Conversation::NotYet => tokio::time::sleep(ATTACH_PAUSE).await,
        }
    }
}

/// How one attempt to talk to the pod ended.
enum Conversation {
    /// curl said everything it had to say.
    Over(Answer),
    /// The connection was lost with half an answer.
    BrokenOff,
    /// There was no container to talk to.
    NotYet,
}

async fn converse(mut process: AttachedProcess, input: &str) -> Conversation {
    let streams = (
        process.stdin(),
        process.stdout(),
        process.stderr(),
        process.take_status(),
    );
    let (Some(mut stdin), Some(mut stdout), Some(mut stderr), Some(status)) = streams else {
        return Conversation::NotYet;
    };
    let send = async {
        let sent = stdin.write_all(input.as_bytes()).await;
        drop(sent.and(stdin.shutdown().await));
        std::future::pending::<()>().await;
    };
    let (mut body, mut messages) = (Vec::new(), Vec::new());
    let receive = async {
        tokio::try_join!(
            stdout.read_to_end(&mut body),
            stderr.read_to_end(&mut messages)
        )
    };
    // The pipe to a connection that has ended neither takes nor refuses more input, so sending is given up as soon as
    // the other side has nothing more to say.
    let talk = async {
        tokio::select! {
            received = receive => received.is_ok(),
            () = send => false,
        }
    };
    // A lost connection never ends the streams; that its status will never come is all that shows.
    let ended = match select(pin!(talk), pin!(status)).await {
        Either::Left((talked, status)) => status.await.map(|status| (talked, status)),
        Either::Right((Some(status), talk)) => Some((talk.await, status)),
        Either::Right((None, _)) => None,
    };
    let Some((whole, status)) = ended else {
        // An answer is one JSON value, so it shows by itself that nothing of it is missing.
        return if serde_json::from_slice::<serde_json::Value>(&body).is_ok() {
            over(&body, &messages)
        } else {
            Conversation::BrokenOff
        };
    };
    let silent = body.is_empty() && messages.is_empty();
    if status.status.as_deref() == Some("Failure") && silent {
        return Conversation::NotYet;
    }
    if !whole {
        return Conversation::BrokenOff;
    }
    over(&body, &messages)
}

fn over(body: &[u8], messages: &[u8]) -> Conversation {
    Conversation::Over(Answer {
        body: String::from_utf8_lossy(body).into_owned(),
        messages: String::from_utf8_lossy(messages).into_owned(),
        left_behind: None,
    })
}

fn broken_off() -> Error {
    Error::surroundings("the connection to the trigger pod was lost before the answer was here; the run may go on in the engine")
        .hint("see what it does with: tntc logs")
}
