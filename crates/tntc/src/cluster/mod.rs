//! Talking to Kubernetes: a short list of steps whose decisions were made in `tntc-core`.

pub mod apply;
pub mod client;
pub mod deployed;
#[cfg(test)]
pub mod fake;
pub mod inventory;
pub mod loaded;
pub mod logs;
mod objects;
pub mod preflight;
pub mod queues;
pub mod remove;
pub mod rollout;
pub mod run;
pub mod services;
#[cfg(test)]
pub mod tests;
pub mod unique;

pub use client::connect::Cluster;
