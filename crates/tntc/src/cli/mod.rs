//! The options that every command takes, which of them mean something to which command, and values of options.

mod globals;
mod options;

pub use globals::{formats_of, listed, tailored, without_effect};
pub use options::{Global, duration, image};
