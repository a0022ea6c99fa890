//! What a registry's refusals mean to the user.

use std::time::Duration;

use tntc_core::values::ImageReference;

use super::response::Cause;
use crate::image::fault::{Fault, Subject};
use crate::outcome::Error;
use crate::outcome::error::chain;

/// The error of something done with a registry, such as `push of reg.io/e:v1`.
pub fn registry(doing: &str, registry: &str, cause: &Cause) -> Error {
    let place = Subject::Registry(registry);
    if let Cause::Io(cause) = cause
        && cause.kind() == std::io::ErrorKind::StorageFull
    {
        return Fault::DiskFull.error(doing, place);
    }
    if is_certificate(cause) {
        let message = format!("{doing} failed: the certificate of {registry} is not trusted");
        return Error::surroundings(message)
            .cause(chain(cause))
            .hint("add its authority to the system's store, or name the file in SSL_CERT_FILE");
    }
    if chain(cause).contains("InvalidContentType") {
        // What the TLS library says of an answer that is no TLS.
        return Fault::NoTls.error(doing, place);
    }
    let error = match status(cause) {
        Some(401) => Fault::Refused.error(doing, place),
        Some(403) => Error::surroundings(format!(
            "{doing} failed: the registry {registry} does not allow it{}",
            behind_a_colon(cause)
        ))
        .hint(format!(
            "log in as somebody who may: docker login {registry}"
        )),
        Some(507) => Fault::DiskFull.error(doing, place),
        Some(429) => Error::surroundings(format!(
            "{doing} failed: {registry} asks for fewer requests"
        ))
        .hint("try again later, or log in for a higher limit"),
        None if unreachable(cause) => Fault::Unreachable.error(doing, place),
        None if transient(cause) => Fault::Broken.error(doing, place),
        _ => explained(
            Error::surroundings(format!("{doing} failed: {}", short(cause))),
            cause,
        ),
    };
    beside(error, cause)
}

/// Keeps a registry's words for programs, and shows them to people where the message is not the same already. Of
/// credentials that are not taken, the message says it all.
fn beside(mut error: Error, cause: &Cause) -> Error {
    let told = chain(cause);
    let words = match cause {
        Cause::Status { message, .. } if !message.is_empty() => message,
        _ => &told,
    };
    if status(cause) == Some(401) || error.to_string().contains(words) {
        error.evidence.cause = Some(vec![told]);
        return error;
    }
    error.cause(told)
}

/// What a registry's words mean to somebody who has not read its manual.
fn explained(error: Error, cause: &Cause) -> Error {
    let Cause::Status { message, .. } = cause else {
        return error;
    };
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["NAME_UNKNOWN", "NOT_FOUND"]) {
        error.hint(
            "create the repository or the project first: not every registry does that on a push",
        )
    } else if says(&["immutable"]) {
        error.hint("a tag that cannot be overwritten is used once: choose another one with --tag")
    } else if says(&["MANIFEST_INVALID", "UNSUPPORTED"]) {
        error.hint("an old registry may not take OCI images: build with --builder docker")
    } else {
        error
    }
}

/// The error of a manifest that was asked for.
pub fn manifest(image: &ImageReference, cause: &Cause) -> Error {
    let doing = format!("pull of {image}");
    match status(cause) {
        Some(404) => Fault::NoImage
            .error(&doing, Subject::Image(image))
            .cause(chain(cause)),
        _ => registry(&doing, image.registry(), cause),
    }
}

/// How long to wait before the same request may succeed; nothing for a failure that stays.
pub fn pause(cause: &Cause) -> Option<Duration> {
    let asked = match cause {
        Cause::Status { again, .. } => *again,
        _ => None,
    };
    transient(cause).then(|| asked.unwrap_or_default())
}

/// Whether the same request may succeed in a moment.
fn transient(cause: &Cause) -> bool {
    match cause {
        Cause::Renewed => true,
        // An upload that one of several servers behind an address has begun, and another one does not know.
        Cause::Status { message, .. } if message.contains("BLOB_UPLOAD_UNKNOWN") => true,
        Cause::Request(request) => {
            !request.is_builder() && !is_certificate(cause) && status(cause).is_none_or(is_late)
        }
        Cause::Io(cause) => cause.kind() != std::io::ErrorKind::StorageFull,
        _ => status(cause).is_some_and(is_late),
    }
}

/// Whether it is a status that is over in a moment.
pub fn is_late(status: u16) -> bool {
    status >= 500 && status != 507 || status == 429
}

fn unreachable(cause: &Cause) -> bool {
    matches!(cause, Cause::Request(request) if request.is_connect())
}

/// Nothing types this: it is buried in the TLS library's error.
fn is_certificate(cause: &Cause) -> bool {
    matches!(cause, Cause::Request(_)) && chain(cause).contains("certificate")
}

/// The HTTP status that a failure stands for.
fn status(cause: &Cause) -> Option<u16> {
    match cause {
        Cause::Request(request) => request.status().map(|status| status.as_u16()),
        Cause::Status {
            status: 400..,
            message,
            ..
        } if message.contains("TOOMANYREQUESTS") => Some(429),
        Cause::Status { status, .. } => Some(*status),
        Cause::Refused(_) | Cause::Renewed => Some(401),
        Cause::Io(_) | Cause::Odd(_) => None,
    }
}

fn behind_a_colon(cause: &Cause) -> String {
    match cause {
        Cause::Status { message, .. } if !message.is_empty() => format!(": {message}"),
        _ => String::new(),
    }
}

fn short(cause: &Cause) -> String {
    match cause {
        Cause::Status {
            status, message, ..
        } if message.is_empty() => {
            format!("the registry answers with status {status}")
        }
        other => chain(other),
    }
}
