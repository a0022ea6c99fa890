//! Running nodes under test: fixtures to processes, and answers back.

mod pool;
mod process;
mod report;
mod suite;
pub mod watch;

pub use report::{NodeResult, Status, text};
pub use suite::{Suite, Tested};
