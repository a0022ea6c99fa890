//! Everything outside its pod that a workflow may talk to, and what follows from that.
//!
//! The types of this module say what the contract holds; `derive` has what follows from it.

mod cidr;
pub mod endpoints;
mod host;
mod secret_ref;

use std::fmt;

use serde_json::{Map, Value};

use crate::values::{DependencyName, Port, Subject, TransportPort};

pub use cidr::Cidr;
pub use endpoints::Endpoint;
pub use host::{Host, Place};
pub use secret_ref::SecretRef;

/// The only version of the contract there is.
pub const CONTRACT_VERSION: &str = "1";

/// Everything outside its pod that a workflow may talk to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contract {
    /// Dependencies in the order of the file, with unique names.
    pub dependencies: Vec<Dependency>,
    /// Network access that belongs to no dependency, in the order of the file.
    pub network_policy: NetworkPolicy,
    /// The user's own `x-` keys.
    pub extensions: Map<String, Value>,
}

impl Contract {
    /// The dependency of this name.
    #[must_use]
    pub fn dependency(&self, name: &str) -> Option<&Dependency> {
        self.dependencies
            .iter()
            .find(|dependency| dependency.name.as_str() == name)
    }
}

/// The contract's `networkPolicy` section.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NetworkPolicy {
    /// Egress on top of what the dependencies need.
    pub additional_egress: Vec<AdditionalEgress>,
    /// The user's own `x-` keys.
    pub extensions: Map<String, Value>,
}

/// Egress that belongs to no dependency.
#[derive(Debug, Clone, PartialEq)]
pub struct AdditionalEgress {
    /// The addresses that may be reached.
    pub to: Cidr,
    /// The ports that may be reached; all of them when absent. Never empty.
    pub ports: Option<Vec<ListedPort>>,
    /// Why this is needed.
    pub reason: Option<String>,
    /// The user's own `x-` keys.
    pub extensions: Map<String, Value>,
}

/// One entry of a list of ports.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedPort {
    /// The port itself.
    pub port: TransportPort,
    /// The user's own `x-` keys, when the entry is a mapping.
    pub extensions: Map<String, Value>,
}

impl fmt::Display for ListedPort {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.port.fmt(out)
    }
}

/// One thing that the workflow talks to.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependency {
    /// What nodes call it.
    pub name: DependencyName,
    /// Where it is.
    pub target: Target,
    /// How the workflow proves who it is.
    pub auth: Option<Auth>,
    /// The user's own `x-` keys.
    pub extensions: Map<String, Value>,
}

/// Where a dependency is.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A host with a port that speaks a protocol.
    Host {
        /// What is spoken.
        protocol: Protocol,
        /// The host.
        host: Host,
        /// The port, the protocol's own one when the file names none.
        port: Port,
    },
    /// A package registry. Modules are bundled before anything is deployed, so that nothing is reached at run time.
    Modules {
        /// Which registry.
        registry: Registry,
        /// What the file gives as host: often the name of the module.
        host: Option<String>,
        /// What the file gives as version.
        version: Option<String>,
    },
    /// Addresses that are known only at run time.
    Dynamic {
        /// What is spoken there, as the file says; nodes are told `http` and `https`.
        protocol: Option<String>,
        /// The addresses that may be reached.
        cidr: Cidr,
        /// The ports that may be reached, at least one.
        ports: Vec<ListedPort>,
        /// Why the target cannot be named.
        reason: Option<String>,
        /// The file accepts that the engine may reach every host, where flags of Deno cannot say less.
        allow_all_hosts: bool,
    },
}

/// A registry of modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registry {
    /// npmjs.com.
    Npm,
    /// jsr.io.
    Jsr,
}

impl Registry {
    /// What the file calls its protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Jsr => "jsr",
        }
    }

    /// The registry with this protocol.
    #[must_use]
    pub fn of(protocol: &str) -> Option<Self> {
        [Self::Npm, Self::Jsr]
            .into_iter()
            .find(|registry| registry.name() == protocol)
    }
}

/// What a dependency speaks, with what the protocol needs to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Protocol {
    /// HTTP over TLS.
    Https,
    /// HTTP in the clear.
    Http,
    /// PostgreSQL's own protocol.
    PostgreSql {
        /// Name of the database.
        database: String,
        /// Name of the user.
        user: String,
    },
    /// NATS.
    Nats {
        /// The subject that is spoken on.
        subject: Subject,
    },
    /// A store of blobs, reached over HTTPS.
    Blob {
        /// The container (bucket) in it.
        container: String,
    },
    /// A store of objects with the interface of Amazon S3, reached over HTTPS.
    S3 {
        /// The bucket, when the file names one.
        container: Option<String>,
    },
    /// A protocol that is only passed on to the node.
    Other {
        /// What the file calls it.
        name: String,
        /// Those of `database`, `user`, `subject` and `container` that the file sets.
        metadata: Map<String, Value>,
    },
}

impl Protocol {
    /// Names of the protocols that have rules of their own.
    pub const KNOWN: [&'static str; 6] = ["https", "http", "postgresql", "nats", "blob", "s3"];

    /// What the file calls the protocol.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::PostgreSql { .. } => "postgresql",
            Self::Nats { .. } => "nats",
            Self::Blob { .. } => "blob",
            Self::S3 { .. } => "s3",
            Self::Other { name, .. } => name,
        }
    }

    /// The port that is meant when the file names none.
    #[must_use]
    pub fn default_port(&self) -> Option<Port> {
        match self {
            Self::Https | Self::Blob { .. } | Self::S3 { .. } => Some(const { Port::known(443) }),
            Self::Http => Some(const { Port::known(80) }),
            Self::PostgreSql { .. } => Some(const { Port::known(5432) }),
            Self::Nats { .. } => Some(NATS_PORT),
            Self::Other { .. } => None,
        }
    }

    /// What the protocol needs to know beside host and port, as the file writes it.
    #[must_use]
    pub fn metadata(&self) -> Vec<(&str, &str)> {
        match self {
            Self::Https | Self::Http => Vec::new(),
            Self::PostgreSql { database, user } => vec![("database", database), ("user", user)],
            Self::Nats { subject } => vec![("subject", subject.as_str())],
            Self::Blob { container } => vec![("container", container)],
            Self::S3 { container } => container
                .iter()
                .map(|container| ("container", container.as_str()))
                .collect(),
            Self::Other { metadata, .. } => metadata
                .iter()
                .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
                .collect(),
        }
    }
}

/// The port of NATS servers (NATS documentation, "Server configuration").
pub const NATS_PORT: Port = Port::known(4222);

/// How the workflow proves to a dependency who it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Auth {
    /// The scheme, as the file writes it, such as `bearer-token`. Nodes apply it; nothing here depends on it.
    pub kind: String,
    /// The secret that is needed.
    pub secret: SecretRef,
    /// The user's own `x-` keys.
    pub extensions: Map<String, Value>,
}
