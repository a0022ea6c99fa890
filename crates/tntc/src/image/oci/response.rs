//! What a registry answers, within bounds, and why it is not what it should be.

use futures::TryStreamExt;
use reqwest::Response;
use serde_json::Value;

/// Bytes of any other answer that is read.
pub const ANSWER: usize = 1024 * 1024;

/// Why a request did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// No answer, or half of one.
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    /// An answer that refuses; what it says besides.
    #[error("status {status}{}", said(.message))]
    Status {
        /// Its status.
        status: u16,
        /// What it says.
        message: String,
    },
    /// A file of this machine.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The credentials are not taken.
    #[error("{0}")]
    Refused(String),
    /// An answer that no registry should give.
    #[error("{0}")]
    Odd(String),
}

fn said(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

/// An answer that does not refuse.
pub async fn checked(answer: Response) -> Result<Response, Cause> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    // Why it refuses is worth knowing, and nothing more than that.
    let body = bytes(answer, ANSWER, "its answer")
        .await
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let parsed: Value = serde_json::from_str(&text).unwrap_or_default();
    let errors = parsed["errors"].as_array().into_iter().flatten();
    let message: Vec<_> = errors
        .map(|error| {
            let field = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
            [field("code"), field("message")]
                .join(" ")
                .trim()
                .to_owned()
        })
        .collect();
    Err(Cause::Status {
        status: status.as_u16(),
        message: message.join("; ").chars().take(500).collect(),
    })
}

/// The bytes of an answer that is small.
pub async fn bytes(answer: Response, most: usize, what: &str) -> Result<Vec<u8>, Cause> {
    let collect = async |mut all: Vec<u8>, piece: bytes::Bytes| {
        all.extend_from_slice(&piece);
        if all.len() > most {
            return Err(Cause::Odd(format!(
                "{what} is larger than {} MiB",
                most / 1024 / 1024
            )));
        }
        Ok(all)
    };
    let pieces = answer.bytes_stream().map_err(Cause::from);
    pieces.try_fold(Vec::new(), collect).await
}
