//! Container images: building the engine's with Docker, pushing it, loading it into kind.

pub mod docker;
pub mod kind;
