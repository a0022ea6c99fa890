//! The lines of standard error that move, and those that are written above them.

use std::io::IsTerminal;
use std::sync::OnceLock;

use indicatif::{MultiProgress, ProgressBar};

static MOVING: OnceLock<MultiProgress> = OnceLock::new();

/// Shows a bar below those that are shown already; nothing when standard error is no terminal.
pub fn show(bar: ProgressBar) -> Option<ProgressBar> {
    let is_terminal = std::io::stderr().is_terminal();
    is_terminal.then(|| MOVING.get_or_init(MultiProgress::new).add(bar))
}

/// Writes to standard error while nothing moves there.
pub fn above<T>(write: impl FnOnce() -> T) -> T {
    match MOVING.get() {
        Some(moving) => moving.suspend(write),
        None => write(),
    }
}
