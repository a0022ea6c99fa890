//! What a registry answers, within bounds, and why it is not what it should be.

use std::time::Duration;

use futures::TryStreamExt;
use hyper::header::RETRY_AFTER;
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
        /// When it wants to be asked again (RFC 9110, 10.2.3).
        again: Option<Duration>,
    },
    /// A token was not taken (any more), and another one was given for it.
    #[error("the registry refuses the token that it gave")]
    Renewed,
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
    let again = answer.headers().get(RETRY_AFTER);
    let again = again.and_then(|header| header.to_str().ok()?.parse().ok());
    // Why it refuses is worth knowing, and nothing more than that.
    let body = bytes(answer, ANSWER, "its answer")
        .await
        .unwrap_or_default();
    let parsed = serde_json::from_slice(&body).unwrap_or_default();
    Err(Cause::Status {
        status: status.as_u16(),
        message: words(&parsed).chars().take(500).collect(),
        again: again.map(Duration::from_secs),
    })
}

/// Code and message of each error, as the specification has them, or what other servers before a registry say.
fn words(answer: &Value) -> String {
    let field = |of: &Value, names: &[&str]| {
        let mut texts = names.iter().filter_map(|name| of[name].as_str());
        texts.find(|text| !text.is_empty()).map(str::to_owned)
    };
    let errors = answer["errors"].as_array().into_iter().flatten();
    let errors = errors.map(|error| {
        let told = [
            field(error, &["code"]),
            field(error, &["message", "detail"]),
        ];
        told.into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    let errors: Vec<_> = errors.filter(|text| !text.is_empty()).collect();
    if errors.is_empty() {
        let names = ["message", "error_description", "details", "detail", "error"];
        return field(answer, &names).unwrap_or_default();
    }
    errors.join("; ")
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
