//! How a command ends: an answer or an error, what was found on the way, and the envelope that programs read.
//!
//! Plain records that other rooms fill; nothing here imports one of them.

mod answer;
mod check;
pub mod envelope;
pub mod error;
mod event;
mod execution;
pub mod followup;
mod kind;
mod log_line;
mod phase;
mod status;

pub use answer::Outcome;
pub use check::{Check, CheckStatus};
pub use envelope::Evidence;
pub use error::{Error, Result};
pub use event::Event;
pub use execution::Execution;
pub use kind::ErrorKind;
pub use log_line::LogLine;
pub use phase::Phase;
pub use status::Status;
