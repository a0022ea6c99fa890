//! The pure core of `tntc`: bytes of a workflow directory in, typed values and Kubernetes objects out.
//!
//! Nothing in this crate reads a file, a clock, the network or the environment, so every caller that starts from the
//! same bytes arrives at the same plan. Acting on a plan is the business of the `tntc` crate.

pub mod audit;
pub mod config_file;
pub mod contract;
pub mod cron;
pub mod derive;
pub mod diagnostic;
pub mod diagram;
pub mod drift;
pub mod fixtures;
pub mod kubeconfig;
pub mod manifests;
pub mod modules;
pub mod observe;
pub mod project;
pub mod proxy;
pub mod schema;
pub mod secrets;
pub mod settings;
pub mod terminal;
pub mod trigger;
pub mod workflow;

mod suggest;
pub mod values;
mod yaml;
