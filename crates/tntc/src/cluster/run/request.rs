//! A run that is asked for, and what came of it.

use std::time::Duration;

use crate::terminal::progress::Phase;

/// What to run, where.
#[derive(Clone)]
pub struct Request<'a> {
    /// Namespace of the workflow.
    pub namespace: &'a str,
    /// Name of the workflow.
    pub workflow: &'a str,
    /// Image with curl in it.
    pub image: &'a str,
    /// The run's input, JSON text.
    pub input: &'a str,
    /// Bound of everything.
    pub timeout: Duration,
    /// Where it is shown how far the run has come.
    pub phase: Option<&'a Phase<'a>>,
}

/// What curl printed.
#[derive(Debug, Default)]
pub struct RunResponse {
    /// The response body.
    pub body: String,
    /// curl's own messages.
    pub messages: String,
    /// Why the pod could not be removed, when it could not.
    pub left_behind: Option<String>,
}
