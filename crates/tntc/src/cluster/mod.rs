//! Talking to Kubernetes: a short list of steps whose decisions were made in `tntc-core`.

pub mod apply;
pub mod connect;
pub mod diagnose;
pub mod errors;
pub mod inventory;
pub mod logs;
pub mod preflight;
pub mod remove;
pub mod rollout;
pub mod trigger;
pub mod watch;

pub use connect::Cluster;
