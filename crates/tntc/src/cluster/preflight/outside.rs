//! Whether the hosts outside the cluster have addresses that the network policy lets through, as this machine resolves
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, ToSocketAddrs};
use std::thread;
use std::time::Duration;

use futures::future::join_all;
use tntc_core::contract::Host;
use tntc_core::derive::network::{Excluded, Outside};
use tokio::sync::oneshot;

use crate::outcome::{Check, CheckStatus};

/// How long a name may take to resolve: a deploy waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// One check of all hosts that are reached as the public Internet, and a warning for each address that is no part of it;
/// nothing when there are no such hosts.
pub async fn checks(outside: &Outside) -> Vec<Check> {
    let hosts: Vec<_> = outside.hosts().into_iter().collect();
    let answers = join_all(hosts.iter().map(|host| addresses(host))).await;
    let mut resolved = BTreeMap::new();
    let mut unresolved = Vec::new();
    for (host, answer) in hosts.into_iter().zip(answers) {
        if answer.is_empty() {
            unresolved.push(host.to_string());
        } else {
            resolved.insert(host.clone(), answer);
        }
    }
    let mut checks: Vec<_> = outside.excluded(&resolved).iter().map(closed).collect();
    if !unresolved.is_empty() {
        checks.push(unknown(&unresolved));
    }
    if checks.is_empty() && !resolved.is_empty() {
        let message = "External hosts have addresses that the network policy lets through";
        checks.push(Check::new("external-hosts", CheckStatus::Pass, message));
    }
    checks
}

fn closed(excluded: &Excluded) -> Check {
    let line = excluded.additional_egress();
    Check::new("external-hosts", CheckStatus::Warn, excluded.to_string()).remedy(format!(
        "Add to the contract's networkPolicy.additionalEgress: - {line}"
    ))
}

fn unknown(hosts: &[String]) -> Check {
    let message = format!(
        "Whether the network policy lets through the addresses of {} is unknown: not resolved from here",
        hosts.join(", ")
    );
    Check::new("external-hosts", CheckStatus::Unknown, message)
        .remedy("A private address needs a line in the contract's networkPolicy.additionalEgress")
}

/// Empty when the name does not resolve in time. The system's resolver cannot be stopped, so it has a thread of its own,
/// which the end of the process does not wait for.
async fn addresses(host: &Host) -> BTreeSet<IpAddr> {
    let (sender, receiver) = oneshot::channel();
    let name = host.to_string();
    thread::spawn(move || {
        let found = (name.as_str(), 0).to_socket_addrs();
        let found = found.into_iter().flatten().map(|address| address.ip());
        sender.send(found.collect()).ok();
    });
    let answered = tokio::time::timeout(PATIENCE, receiver).await;
    answered.ok().and_then(Result::ok).unwrap_or_default()
}
