//! Container images: building the engine's with Docker or without, pushing it, loading it into kind.

pub mod docker;
pub mod fault;
pub mod kind;
pub mod oci;
pub mod platform;
pub mod recipe;
pub mod reference;
mod retry;
