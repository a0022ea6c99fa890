//! Deno: the runtime and the engine for it, local runs, fixtures, and bundles of what nodes import.

pub mod bundle;
mod engine;
pub mod local;
mod runtime;
pub mod testing;

pub use engine::{cached_engine, engine_files, importable, write_engine};
pub use runtime::{PROXIES, find, keep_environment};
