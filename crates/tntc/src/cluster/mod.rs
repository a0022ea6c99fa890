//! Talking to Kubernetes: a short list of steps whose decisions were made in `tntc-core`.

mod access;
pub mod apply;
mod attach;
pub mod checks;
pub mod connect;
mod credentials;
pub mod deployed;
pub mod diagnose;
pub mod direct;
pub mod errors;
pub mod events;
pub mod fix;
pub mod follow;
pub mod inventory;
mod kubeconfig;
mod limits;
pub mod loaded;
mod login;
pub mod logs;
pub mod outside;
pub mod piece;
mod plugin;
pub mod preflight;
pub mod present;
pub mod probe;
pub mod ready;
pub mod remove;
mod retry;
pub mod rights;
pub mod rollout;
pub mod services;
pub mod trigger;
mod trouble;
pub mod watch;
mod wire;

pub use connect::Cluster;
