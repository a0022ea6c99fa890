//! The one client of the API server: where it is, whose credentials it takes, how patient it is, and what its errors mean.

pub mod access;
pub mod connect;
pub mod credentials;
pub mod errors;
pub mod kubeconfig;
pub mod limits;
pub mod login;
pub mod plugin;
pub mod retry;
pub mod trouble;
pub mod wire;
