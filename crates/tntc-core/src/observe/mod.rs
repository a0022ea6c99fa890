//! What follows from what a cluster answers: why a pod does not run, how a rollout is doing, what a user may do.

pub mod diagnosis;
mod observed;
pub mod permissions;
pub mod services;
pub mod workload;

pub use observed::Observed;
