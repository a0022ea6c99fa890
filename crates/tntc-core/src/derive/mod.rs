//! What follows from a workflow and its contract, one derivation a file: endpoints, NetworkPolicy, Deno's flags, secrets.

pub mod endpoints;
pub mod network;
pub mod permissions;
pub mod secrets;
