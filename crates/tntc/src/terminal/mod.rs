//! What is shown: the only printer, the lines that move, and the formats of answers.

pub mod crash;
mod format;
mod phases;
pub mod printer;
pub mod progress;
mod screen;
pub mod table;

pub use format::Format;
pub use phases::Phases;
pub use printer::{Color, Printer};
