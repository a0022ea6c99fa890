//! What the API server said, told as one of our errors.

use kube::core::Status;
use tntc_core::observe::diagnosis;

use crate::outcome::Error;

/// Tells a failed request: what was being done, why it failed, and what to run next.
pub fn tell(action: &str, cause: kube::Error) -> Error {
    match cause {
        kube::Error::Api(status) => refused(action, &status),
        kube::Error::SerdeError(_) => not_understood(action),
        kube::Error::Service(cause) => match cause.downcast::<Error>() {
            Ok(error) => Error {
                message: format!("{action}: {}", error.message),
                ..*error
            },
            Err(cause) => unreachable(action, cause.as_ref()),
        },
        other => unreachable(action, &other),
    }
}

/// What came is JSON of another kind, or half of it.
fn not_understood(action: &str) -> Error {
    Error::surroundings(format!(
        "{action}: what answered is not a Kubernetes API server, or a newer one: its answer cannot be read"
    ))
    .hint("check the server's address in the kubeconfig, and whether a proxy is before it")
}

/// Whether the API server says that the object does not exist.
pub fn is_not_found(cause: &kube::Error) -> bool {
    matches!(cause, kube::Error::Api(status) if status.code == 404)
}

/// Whether somebody changed the object after it was read. A field that another manager owns is 409 as well, but waiting
/// does not help there.
pub fn was_modified(cause: &kube::Error) -> bool {
    let kube::Error::Api(status) = cause else {
        return false;
    };
    let causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 409
        && causes
            .into_iter()
            .all(|cause| cause.reason != "FieldManagerConflict")
}

/// Whether a webhook has side effects, so that the API server will not ask it what it would say.
pub fn cannot_be_rehearsed(cause: &kube::Error) -> bool {
    matches!(cause, kube::Error::Api(status) if status.code == 400 && status.message.contains("does not support dry run"))
}

fn refused(action: &str, status: &Status) -> Error {
    let message = format!("{action}: {}", status.message.trim_end());
    match status.code {
        401 => Error::surroundings(message)
            .hint("log in again, or use another context (--context)"),
        403 if terminating(status) => Error::surroundings(message)
            .hint("the namespace is being deleted: wait until it is gone"),
        403 if status.message.contains("exceeded quota") => {
            Error::failed(message).hint(diagnosis::QUOTA_HINT)
        }
        400..=422 if is_denied(status) => Error::failed(message)
            .hint("an admission policy or webhook of the cluster refused it: ask whoever runs it, or meet what it asks for"),
        403 if status.message.contains("\"system:anonymous\"") => Error::surroundings(message)
            .hint("the cluster does not know who you are: the kubeconfig's user has no credentials, or none that this cluster takes; log in, or use another context (--context)"),
        403 => Error::surroundings(message)
            .hint("ask for this permission, or use a context that has it (--context)"),
        404 if status
            .details
            .as_ref()
            .is_some_and(|details| details.kind == "namespaces") =>
        {
            no_namespace(message)
        }
        400 | 409 | 422 => Error::failed(message),
        429 | 503 => too_busy(action, status),
        _ => Error::surroundings(message),
    }
}

/// It stayed so for as long as the client repeats a request.
fn too_busy(action: &str, status: &Status) -> Error {
    Error::surroundings(format!(
        "{action}: the API server is too busy ({}): {}",
        status.code,
        status.message.trim_end()
    ))
    .hint(
        "try again later; if it lasts, ask whoever runs the cluster what keeps its API server busy",
    )
}

/// Policies write `denied request`, webhooks `denied the request`.
fn is_denied(status: &Status) -> bool {
    let message = &status.message;
    message.contains("denied request") || message.contains("denied the request")
}

fn terminating(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes
        .into_iter()
        .any(|cause| cause.reason == "NamespaceTerminating")
}

fn no_namespace(message: String) -> Error {
    Error::surroundings(message)
        .hint("create it with: kubectl create namespace NAME, or name another one with -n")
}

/// The innermost cause, which is the one that says something: a refused connection, an unknown certificate.
fn root(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

fn unreachable(action: &str, cause: &dyn std::error::Error) -> Error {
    let reason = root(cause);
    Error::surroundings(format!("{action}: the Kubernetes API broke off: {reason}"))
        .hint("check that the cluster is up and that --context names the one you mean")
}
