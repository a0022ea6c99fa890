//! End to end: the real `tntc` on a real cluster, one file a command.
//!
//! The cluster is the test bed's (`make cluster-up`), or the one that `TNTC_TEST_KUBECONFIG` names. A test that cannot
//! have its cluster fails.

#![allow(missing_docs, clippy::expect_used, clippy::unwrap_used)]

mod audit;
mod build;
mod cluster_check;
mod clusters;
mod configure;
mod conformance;
mod cron;
mod deploy;
mod dev;
mod drift;
mod fortress;
mod hooks;
mod images;
mod init;
mod interrupt;
mod list;
mod live;
mod loading;
mod local;
mod logs;
mod mocks;
mod packages;
mod permissions;
mod probe;
mod queues;
mod registries;
mod run;
mod run_faults;
mod schedules;
mod schema;
mod secret_values;
mod secrets;
mod status;
mod support;
mod templates;
mod test;
mod undeploy;
mod usage;
mod validate;
mod visualize;
