//! `tntc deploy` on a real cluster, one file a topic.

mod code;
mod contract;
pub mod credentials;
mod expired;
mod faults;
mod gate;
mod healing;
mod image;
mod ownership;
mod preflight;
mod provisioning;
mod rollout;
mod settings;
mod unchanged;

use serde_json::Value;

use crate::support::Namespace;

/// The hash of the code that a Deployment's newest pods run.
pub fn revision(namespace: &Namespace, name: &str) -> Value {
    namespace.get("deployment", name)["spec"]["template"]["metadata"]["annotations"]["tentacular.dev/code-hash"].clone()
}
