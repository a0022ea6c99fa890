//! What a registry's refusals mean to the user.

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
    if let Some(401 | 403) = status(cause) {
        // The message says it all; the registry's own words are for programs.
        let mut error = Fault::Refused.error(doing, place);
        error.evidence.cause = Some(vec![chain(cause)]);
        return error;
    }
    match status(cause) {
        Some(507) => Fault::DiskFull.error(doing, place),
        Some(429) => Error::surroundings(format!(
            "{doing} failed: {registry} asks for fewer requests"
        ))
        .hint("try again later, or log in for a higher limit"),
        None if unreachable(cause) => Fault::Unreachable.error(doing, place),
        None if transient(cause) => Fault::Broken.error(doing, place),
        _ => Error::surroundings(format!("{doing} failed: {}", short(cause))),
    }
    .cause(chain(cause))
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

/// Whether the same request may succeed in a moment.
pub fn transient(cause: &Cause) -> bool {
    match cause {
        Cause::Request(request) => {
            !request.is_builder() && !is_certificate(cause) && status(cause).is_none_or(late)
        }
        Cause::Io(cause) => cause.kind() != std::io::ErrorKind::StorageFull,
        _ => status(cause).is_some_and(late),
    }
}

fn late(status: u16) -> bool {
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
        } if message.contains("TOOMANYREQUESTS") => Some(429),
        Cause::Status { status, .. } => Some(*status),
        Cause::Refused(_) => Some(401),
        Cause::Io(_) | Cause::Odd(_) => None,
    }
}

fn short(cause: &Cause) -> String {
    match cause {
        Cause::Status { status, message } if message.is_empty() => {
            format!("the registry answers with status {status}")
        }
        other => chain(other),
    }
}
