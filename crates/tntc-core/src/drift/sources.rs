//! What the sources of a workflow show of its dealings with the outside.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Deviation, Evidence, Kind, NodeUses, Place, Unknown, UnknownKind};
use crate::contract::endpoints::{Endpoint, parse_url};
use crate::contract::{Cidr, Dependency, Host, Protocol, Target};
use crate::modules::{Closure, Module, Use, UseKind, closure};
use crate::project::Project;
use crate::workflow::Workflow;

/// Adds what the files of all nodes show; violations only of `node`, when one is given.
///
/// A dependency can be called dead only when every file could be read.
#[must_use]
pub fn read(workflow: &Workflow, project: &Project, node: Option<&str>) -> Evidence {
    let mut evidence = Evidence {
        complete: true,
        ..Evidence::default()
    };
    let mut read = BTreeSet::new();
    for it in &workflow.nodes {
        let Ok(closure) = closure(project, &it.path) else {
            evidence.complete = false;
            continue;
        };
        let counts = node.is_none_or(|node| node == it.name.as_str());
        let uses = node_uses(workflow, it.name.as_str(), &closure, counts);
        evidence.uses.push(uses);
        for (file, module) in closure.loaded() {
            if read.insert((file.to_owned(), counts)) {
                let mut reader = Reader {
                    workflow,
                    file,
                    counts,
                    evidence: &mut evidence,
                };
                reader.module(module);
            }
        }
    }
    evidence
}

/// What the files of one node use, each for itself: others may import them, too.
fn node_uses(workflow: &Workflow, node: &str, closure: &Closure, counts: bool) -> NodeUses {
    let mut uses = NodeUses {
        node: node.to_owned(),
        accesses: Vec::new(),
        is_open: false,
        counts,
    };
    for (file, module) in closure.loaded() {
        for used in &module.uses {
            let name = match &used.kind {
                UseKind::Dependency(Some(name)) => declared(workflow, name).then(|| name.clone()),
                UseKind::GlobalFetch(Some(url)) => target(workflow, url),
                UseKind::Dependency(None) | UseKind::Member | UseKind::GlobalFetch(None) => {
                    uses.is_open = true;
                    None
                }
                UseKind::Secrets | UseKind::ContextFetch(_) | UseKind::SecretInUrl => None,
            };
            let place = place(file, used);
            uses.accesses.extend(name.map(|name| (name, place)));
        }
    }
    uses
}

fn place(file: &str, used: &Use) -> Place {
    Place {
        file: file.to_owned(),
        line: used.place.line,
        column: used.place.column,
    }
}

fn declared(workflow: &Workflow, name: &str) -> bool {
    let contract = workflow.contract.as_ref();
    contract.is_some_and(|contract| contract.dependency(name).is_some())
}

struct Reader<'a> {
    workflow: &'a Workflow,
    file: &'a str,
    counts: bool,
    evidence: &'a mut Evidence,
}

impl Reader<'_> {
    fn module(&mut self, module: &Module) {
        for used in &module.uses {
            self.used(&used.kind, place(self.file, used));
        }
    }

    fn used(&mut self, kind: &UseKind, place: Place) {
        match kind {
            UseKind::Dependency(Some(name)) => self.dependency(name, place),
            UseKind::Dependency(None) => self.unknown(UnknownKind::Dependency, place),
            UseKind::Member => self.unknown(UnknownKind::Member, place),
            UseKind::Secrets => self.deviates(Kind::DirectSecrets, "ctx.secrets", place),
            UseKind::ContextFetch(service) => {
                let service = service
                    .as_ref()
                    .map_or("...".to_owned(), |it| format!("\"{it}\""));
                self.deviates(Kind::DirectFetch, &format!("ctx.fetch({service})"), place);
            }
            UseKind::GlobalFetch(Some(url)) => self.request(url, place),
            UseKind::GlobalFetch(None) => self.unknown(UnknownKind::Url, place),
            UseKind::SecretInUrl => self.deviates(Kind::SecretInUrl, "of a request", place),
        }
    }

    fn dependency(&mut self, name: &str, place: Place) {
        if declared(self.workflow, name) {
            self.evidence.accesses.insert(name.to_owned());
        } else {
            self.deviates(Kind::UndeclaredDependency, name, place);
        }
    }

    fn request(&mut self, url: &str, place: Place) {
        match target(self.workflow, url) {
            Some(name) => drop(self.evidence.accesses.insert(name)),
            None => self.deviates(Kind::DirectFetch, url, place),
        }
    }

    fn deviates(&mut self, kind: Kind, subject: &str, place: Place) {
        if self.counts {
            self.evidence.read.push(Deviation {
                kind,
                subject: subject.to_owned(),
                node: None,
                place: Some(place),
            });
        }
    }

    /// Counts for every node: what is unknown could use any dependency.
    fn unknown(&mut self, kind: UnknownKind, place: Place) {
        let unknown = Unknown { kind, place };
        if !self.evidence.unknown.contains(&unknown) {
            self.evidence.unknown.push(unknown);
        }
    }
}

/// The dependency that a request to this URL reaches: one that is named comes before a block that covers it.
fn target(workflow: &Workflow, url: &str) -> Option<String> {
    let (scheme, _) = url.split_once("://")?;
    let endpoint = parse_url(url).ok()?;
    let dependencies = &workflow.contract.as_ref()?.dependencies;
    let named = dependencies.iter().find(|it| is_at(it, scheme, &endpoint));
    let block = || dependencies.iter().find(|it| covers(it, &endpoint));
    named.or_else(block).map(|it| it.name.to_string())
}

fn is_at(dependency: &Dependency, scheme: &str, endpoint: &Endpoint) -> bool {
    let Target::Host {
        protocol,
        host,
        port,
    } = &dependency.target
    else {
        return false;
    };
    let speaks = match protocol {
        Protocol::Https | Protocol::Blob { .. } | Protocol::S3 { .. } => {
            scheme.eq_ignore_ascii_case("https")
        }
        Protocol::Http => scheme.eq_ignore_ascii_case("http"),
        _ => true,
    };
    speaks && *host == endpoint.host && *port == endpoint.port
}

/// The block of all addresses covers names as well, whatever they resolve to.
fn covers(dependency: &Dependency, endpoint: &Endpoint) -> bool {
    let Target::Dynamic { cidr, ports, .. } = &dependency.target else {
        return false;
    };
    let in_block = match &endpoint.host {
        _ if cidr.prefix() == 0 => true,
        Host::Address(address) => contains(cidr, *address),
        Host::Name(_) => false,
    };
    in_block && ports.iter().any(|it| it.port.port == endpoint.port)
}

fn contains(cidr: &Cidr, address: IpAddr) -> bool {
    let (block, address, width) = match (cidr.address(), address) {
        (IpAddr::V4(block), IpAddr::V4(address)) => (
            u128::from(block.to_bits()),
            u128::from(address.to_bits()),
            32,
        ),
        (IpAddr::V6(block), IpAddr::V6(address)) => (block.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let free = width - u32::from(cidr.prefix());
    block.checked_shr(free) == address.checked_shr(free)
}
