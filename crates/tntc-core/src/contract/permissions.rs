//! The permissions of the engine's process.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Cidr, Endpoint, Target, endpoints};
use crate::workflow::Workflow;

/// The engine's own listener.
const LISTENER: &str = "0.0.0.0:8080";

/// Flags of `deno run` that confine the engine to the contract; nothing without a contract.
///
/// `extra` are endpoints that the environment adds, such as its telemetry collector. The flags beside the permissions
/// each close a hole: without `--no-remote --no-npm`, Deno downloads modules from a default list of hosts whatever
/// `--allow-net` says; `--ignore-env` lets libraries that look at other variables see nothing instead of failing.
#[must_use]
pub fn deno_flags(workflow: &Workflow, extra: &[Endpoint]) -> Option<Vec<String>> {
    workflow.contract.as_ref()?;
    let closed = [
        "--no-lock",
        "--unstable-net",
        "--no-prompt",
        "--no-remote",
        "--no-npm",
        "--ignore-env",
    ];
    let files = [
        "--allow-read=/app,/var/run/secrets",
        "--allow-write=/tmp",
        "--allow-env=DENO_DIR,HOME",
    ];
    let mut flags: Vec<String> = closed.map(str::to_owned).to_vec();
    flags.push(allow_net(workflow, extra));
    flags.extend(files.map(str::to_owned));
    Some(flags)
}

fn allow_net(workflow: &Workflow, extra: &[Endpoint]) -> String {
    let mut entries = BTreeSet::from([LISTENER.to_owned()]);
    entries.extend(
        endpoints::declared(workflow)
            .iter()
            .chain(extra)
            .map(Endpoint::to_string),
    );
    for dependency in workflow
        .contract
        .iter()
        .flat_map(|contract| &contract.dependencies)
    {
        if let Target::Dynamic { cidr, ports, .. } = &dependency.target {
            if !is_expressible(cidr) {
                return "--allow-net".to_owned();
            }
            entries.extend(
                ports
                    .iter()
                    .map(|listed| format!("{cidr}:{}", listed.port.port)),
            );
        }
    }
    format!(
        "--allow-net={}",
        entries.into_iter().collect::<Vec<_>>().join(",")
    )
}

/// Deno knows no IPv6 block with a port, and a block of all addresses would not cover names.
fn is_expressible(cidr: &Cidr) -> bool {
    matches!(cidr.address(), IpAddr::V4(_)) && cidr.prefix() > 0
}
