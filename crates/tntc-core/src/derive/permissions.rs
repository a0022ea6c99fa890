//! The permissions of the engine's process.

use std::collections::BTreeSet;

use super::endpoints;
use super::network::{Listener, listeners};
use crate::contract::{Endpoint, Target};
use crate::workflow::{Namespace, Workflow};

/// Where the engine listens in a pod, as Deno's flags name it. The engine gives the permission back once it listens.
#[must_use]
pub fn listening(listener: Listener) -> String {
    format!("0.0.0.0:{}", listener.port())
}

/// Where the engine notes what it is in the middle of, for the engine after it: `/tmp` stays while the pod does.
pub const JOURNAL_DIR: &str = "/tmp/tentacular";

/// What the engine reads: itself, the workflow, and what it gives the permission back for before a node is loaded.
/// No directory above these, since giving back one below would take the whole.
const READABLE: [&str; 5] = [
    "/app/engine",
    "/app/secrets",
    "/app/workflow",
    JOURNAL_DIR,
    "/var/run/secrets",
];

/// Flags of `deno run` that confine the engine to the contract; nothing without a contract.
///
/// `extra` are endpoints that the environment adds, such as its telemetry collector, and `metrics` is the namespace that
/// may read the metrics, which have a listener of their own then. The flags beside the permissions
/// each close a hole: without `--no-remote --no-npm`, Deno downloads modules from a default list of hosts whatever
/// `--allow-net` says; `--ignore-env` lets libraries that look at other variables see nothing instead of failing.
#[must_use]
pub fn deno_flags(
    workflow: &Workflow,
    extra: &[Endpoint],
    metrics: Option<&Namespace>,
) -> Option<Vec<String>> {
    workflow.contract.as_ref()?;
    let closed = [
        "--no-lock",
        "--unstable-net",
        "--no-prompt",
        "--no-remote",
        "--no-npm",
        "--ignore-env",
    ];
    let mut flags: Vec<String> = closed.map(str::to_owned).to_vec();
    flags.push(allow_net(workflow, extra, metrics));
    flags.push(format!("--allow-read={}", READABLE.join(",")));
    flags.extend(["--allow-write=/tmp", "--allow-env=DENO_DIR,HOME"].map(str::to_owned));
    Some(flags)
}

fn allow_net(workflow: &Workflow, extra: &[Endpoint], metrics: Option<&Namespace>) -> String {
    let own = listeners(workflow, metrics).into_iter().map(listening);
    let mut entries: BTreeSet<_> = own.collect();
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
        let Target::Dynamic {
            cidr,
            ports,
            allow_all_hosts,
            ..
        } = &dependency.target
        else {
            continue;
        };
        match cidr.for_deno() {
            Some(block) => entries.extend(
                ports
                    .iter()
                    .map(|listed| format!("{block}:{}", listed.port.port)),
            ),
            // The parser refuses such a block otherwise; a flag that is missing here would close, never open.
            None if *allow_all_hosts => return "--allow-net".to_owned(),
            None => {}
        }
    }
    format!(
        "--allow-net={}",
        entries.into_iter().collect::<Vec<_>>().join(",")
    )
}
