//! The `contract` section.

use super::network::{cidr, network_policy, port, ports};
use crate::contract::{
    Auth, CONTRACT_VERSION, Cidr, Contract, Dependency, Host, Place, Protocol, Registry, Target,
};
use crate::diagnostic::{Invalid, shown};
use crate::workflow::DependencyName;
use crate::yaml::{Fields, Sink, Spot, Value, boolean, owned_string, parsed, string};

/// The `type` of a dependency whose addresses are known only at run time.
const DYNAMIC: &str = "dynamic-target";
/// Asks for the flag that opens every host, which some blocks cannot do without.
const ALLOW_ALL: &str = "allowAllHosts";

pub(super) fn read(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Contract> {
    let fields = Fields::open(sink, spot)?;
    let extensions = fields.extensions(sink, &["version", "dependencies", "networkPolicy"]);
    fields.required(sink, "version", "\"1\"", version);
    let dependencies = fields
        .optional(sink, "dependencies", dependencies)
        .unwrap_or_default();
    let network_policy = fields
        .optional(sink, "networkPolicy", network_policy)
        .unwrap_or_default();
    Some(Contract {
        dependencies,
        network_policy,
        extensions,
    })
}

fn version(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<()> {
    let text = string(sink, spot)?;
    if text == CONTRACT_VERSION {
        return Some(());
    }
    let problem = Invalid::new(
        "contract-version",
        format!("there is no contract version `{}`", shown(text)),
    );
    sink.error(
        spot,
        problem.help(format!(
            "write \"{CONTRACT_VERSION}\", the only one there is"
        )),
    );
    None
}

fn dependencies(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Vec<Dependency>> {
    let fields = Fields::open(sink, spot)?;
    Some(
        fields
            .iter()
            .filter_map(|(name, spot)| dependency(sink, name, spot))
            .collect(),
    )
}

fn dependency(sink: &mut Sink<'_>, name: &str, spot: Spot<'_>) -> Option<Dependency> {
    let name: Option<DependencyName> = name
        .parse()
        .map_err(|problem| sink.key_error(spot, problem))
        .ok();
    let fields = Fields::open(sink, spot)?;
    let auth = fields.optional(sink, "auth", auth);
    let is_dynamic = match fields.get("type") {
        Some(spot) => dynamic(sink, spot)?,
        None => false,
    };
    let (target, extensions) = if is_dynamic {
        (
            dynamic_target(sink, &fields),
            fields.extensions(
                sink,
                &[
                    "type", "cidr", "dynPorts", "reason", "auth", "protocol", ALLOW_ALL,
                ],
            ),
        )
    } else {
        let Some(protocol) = fields.required(sink, "protocol", "https", owned_string) else {
            return unknown_target(sink, &fields);
        };
        let target = match Registry::of(&protocol) {
            Some(registry) => Some(modules(sink, &fields, registry)),
            None => host_target(sink, &fields, &protocol),
        };
        (target, fields.extensions(sink, keys(&protocol)))
    };
    Some(Dependency {
        name: name?,
        target: target?,
        auth,
        extensions,
    })
}

/// Keys of dependencies of every kind.
const ALL_KEYS: [&str; 14] = [
    "protocol",
    "host",
    "port",
    "version",
    "auth",
    "database",
    "user",
    "subject",
    "container",
    "type",
    "cidr",
    "dynPorts",
    "reason",
    ALLOW_ALL,
];

/// Tells what is wrong with a dependency of no known kind, beside that.
fn unknown_target<T>(sink: &mut Sink<'_>, fields: &Fields<'_>) -> Option<T> {
    fields.extensions(sink, &ALL_KEYS);
    fields.optional(sink, "host", parsed::<Host>);
    fields.optional(sink, "port", port);
    None
}

fn dynamic(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<bool> {
    let text = string(sink, spot)?;
    if text == DYNAMIC {
        return Some(true);
    }
    let nearest = sink.suggester.nearest(text, [DYNAMIC]);
    let problem = Invalid::new(
        "dependency-type",
        format!("`{}` is not a type of dependency", shown(text)),
    );
    sink.error(
        spot,
        problem.did_you_mean(
            nearest,
            format!("use `{DYNAMIC}`, or `protocol` instead of `type`"),
        ),
    );
    None
}

fn keys(protocol: &str) -> &'static [&'static str] {
    match protocol {
        "https" | "http" => &["protocol", "host", "port", "auth"],
        "postgresql" | "postgres" => &["protocol", "host", "port", "auth", "database", "user"],
        "nats" => &["protocol", "host", "port", "auth", "subject"],
        "blob" | "s3" => &["protocol", "host", "port", "auth", "container"],
        "npm" | "jsr" => &["protocol", "host", "port", "auth", "version"],
        _ => &[
            "protocol",
            "host",
            "port",
            "auth",
            "database",
            "user",
            "subject",
            "container",
        ],
    }
}

fn host_target(sink: &mut Sink<'_>, fields: &Fields<'_>, name: &str) -> Option<Target> {
    let host: Option<Host> = fields.required(sink, "host", "api.example.com", parsed);
    let port = fields.optional(sink, "port", port);
    let protocol = protocol(sink, fields, name)?;
    let port = match (port, protocol.default_port(), fields.get("port")) {
        (Some(port), _, _) | (None, Some(port), None) => port,
        (None, None, None) => {
            let problem = Invalid::new("missing-key", "the key `port` is missing");
            let help = format!(
                "add `port`; the protocol `{}` has no port of its own",
                shown(name)
            );
            fields.complain(sink, problem.help(help));
            return None;
        }
        (None, _, Some(_)) => return None,
    };
    let host = host?;
    advise(sink, fields, &protocol, &host);
    Some(Target::Host {
        protocol,
        host,
        port,
    })
}

/// What a registry's dependency says is kept, and opens nothing.
fn modules(sink: &mut Sink<'_>, fields: &Fields<'_>, registry: Registry) -> Target {
    let host = fields.optional(sink, "host", owned_string);
    let version = fields.optional(sink, "version", scalar_text);
    fields.optional(sink, "port", port);
    let name = registry.name();
    let message =
        format!("`{name}` needs no network: modules are bundled before they are deployed");
    let problem = Invalid::new("bundled-modules", message);
    let help = format!("import it as `{name}:…`; the contract need not name it");
    if let Some(spot) = fields.get("protocol") {
        sink.hint(spot, problem.help(help));
    }
    Target::Modules {
        registry,
        host,
        version,
    }
}

/// The text of a scalar, also where YAML reads a number.
fn scalar_text(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<String> {
    match &spot.node.value {
        Value::Scalar(scalar) => Some(scalar.text.to_string()),
        _ => owned_string(sink, spot),
    }
}

fn protocol(sink: &mut Sink<'_>, fields: &Fields<'_>, name: &str) -> Option<Protocol> {
    match name {
        "https" => Some(Protocol::Https),
        "http" => Some(Protocol::Http),
        "postgresql" | "postgres" => {
            let database = fields.required(sink, "database", "<name>", filled);
            let user = fields.required(sink, "user", "<name>", filled);
            Some(Protocol::PostgreSql {
                database: database?,
                user: user?,
            })
        }
        "nats" => Some(Protocol::Nats {
            subject: fields.required(sink, "subject", "events.created", parsed)?,
        }),
        "blob" => Some(Protocol::Blob {
            container: fields.required(sink, "container", "<name>", filled)?,
        }),
        "s3" => Some(Protocol::S3 {
            container: fields.optional(sink, "container", filled),
        }),
        _ => Some(other(sink, fields, name)),
    }
}

fn filled(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<String> {
    let text = string(sink, spot)?;
    if text.is_empty() {
        sink.error(
            spot,
            Invalid::new("empty-value", "the value is empty").help("write what it is to be"),
        );
        return None;
    }
    Some(text.to_owned())
}

fn other(sink: &mut Sink<'_>, fields: &Fields<'_>, name: &str) -> Protocol {
    let nearest = sink.suggester.nearest(name, Protocol::KNOWN);
    let problem = Invalid::new(
        "unknown-protocol",
        format!(
            "the protocol `{}` is not known; nodes only get its metadata",
            shown(name)
        ),
    )
    .did_you_mean(
        nearest,
        format!(
            "the protocols with rules of their own are {}",
            Protocol::KNOWN.join(", ")
        ),
    );
    if let Some(spot) = fields.get("protocol") {
        sink.warning(spot, problem);
    }
    let metadata = ["database", "user", "subject", "container"]
        .into_iter()
        .filter_map(|key| {
            Some((
                key.to_owned(),
                fields.optional(sink, key, owned_string)?.into(),
            ))
        });
    Protocol::Other {
        name: name.to_owned(),
        metadata: metadata.collect(),
    }
}

/// Warnings about hosts that are allowed but seldom meant.
fn advise(sink: &mut Sink<'_>, fields: &Fields<'_>, protocol: &Protocol, host: &Host) {
    let Some(spot) = fields.get("host") else {
        return;
    };
    let place = host.place();
    if place == Place::Loopback {
        let problem = Invalid::new("loopback-host", "`localhost` is the workflow's own pod");
        sink.warning(
            spot,
            problem.help("name the Service that is meant: `<service>.<namespace>.svc`"),
        );
    } else if *protocol == Protocol::Http && !matches!(place, Place::InCluster { .. }) {
        let problem = Invalid::new(
            "cleartext",
            format!("`http` sends everything to {host} in the clear"),
        );
        if let Some(spot) = fields.get("protocol") {
            sink.warning(spot, problem.help("use `protocol: https`"));
        }
    }
}

fn dynamic_target(sink: &mut Sink<'_>, fields: &Fields<'_>) -> Option<Target> {
    let protocol = fields.optional(sink, "protocol", owned_string);
    let cidr = fields.required(sink, "cidr", "10.0.0.0/8", cidr);
    let ports = fields.required(sink, "dynPorts", "[\"443/TCP\"]", ports);
    let reason = fields.optional(sink, "reason", owned_string);
    if reason.is_none() && fields.get("reason").is_none() {
        let problem = Invalid::new(
            "missing-reason",
            "a dynamic target should say why it is needed",
        );
        sink.hint(fields.spot, problem.help("add `reason: <why>`"));
    }
    let cidr = cidr?;
    let asked = fields.optional(sink, ALLOW_ALL, boolean).unwrap_or(false);
    Some(Target::Dynamic {
        allow_all_hosts: all_hosts(sink, fields, &cidr, asked)?,
        protocol,
        cidr,
        ports: ports?,
        reason,
    })
}

/// Whether the target opens every host to the engine. Where it has to, that must be asked for: by a block that is every
/// address, or by the key. A narrower block of IPv6 addresses does not say that much.
fn all_hosts(sink: &mut Sink<'_>, fields: &Fields<'_>, cidr: &Cidr, asked: bool) -> Option<bool> {
    let needed = cidr.for_deno().is_none();
    let block = fields.get("cidr").unwrap_or(fields.spot);
    if needed && !asked && cidr.prefix() > 0 {
        sink.error(block, unasked(cidr));
        return None;
    }
    let key = fields.get(ALLOW_ALL).filter(|_| asked);
    if needed {
        let problem = Invalid::new(
            "all-hosts",
            "the engine may reach every host and look up every name; the NetworkPolicy alone confines it",
        );
        sink.warning(
            key.unwrap_or(block),
            problem.help("name the hosts where they are known"),
        );
    } else if let Some(key) = key {
        let problem = Invalid::new(
            "all-hosts-unused",
            "this block has a flag of its own, so that nothing else is opened",
        );
        sink.warning(key, problem.help("remove `allowAllHosts`"));
    }
    Some(needed)
}

fn unasked(cidr: &Cidr) -> Invalid {
    let problem = Invalid::new(
        "all-hosts",
        format!(
            "no permission flag of Deno stands for {cidr}, but the one that opens every host, name lookups included"
        ),
    );
    problem.help(format!(
        "name the hosts, or IPv4 blocks or single IPv6 addresses; if the workflow has to reach hosts that nobody knows, add `{ALLOW_ALL}: true`"
    ))
}

fn auth(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Auth> {
    let fields = Fields::open(sink, spot)?;
    let extensions = fields.extensions(sink, &["type", "secret"]);
    let kind = fields.required(sink, "type", "bearer-token", filled);
    let secret = fields.required(sink, "secret", "<service>.<key>", parsed);
    Some(Auth {
        kind: kind?,
        secret: secret?,
        extensions,
    })
}
