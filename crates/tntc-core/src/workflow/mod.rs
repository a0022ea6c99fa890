//! A workflow as its file describes it, and nothing that its file could get wrong.

mod duration;
pub mod graph;
mod metadata;
mod overrides;
mod parse;
mod verification;
mod write;

use std::time::Duration;

use serde_json::{Map, Value};

use crate::contract::Contract;
use crate::cron::Schedule;

pub use duration::{MAX_TIMEOUT, format_duration, parse_duration};
pub use metadata::{MAX_METADATA, MAX_TAG, MAX_TAGS, Metadata, OWN_LABELS, tag_label};
pub use overrides::{Overridden, OverrideError, merge, overridden};
pub use parse::{Checked, parse};

pub(crate) use crate::values::is_identifier;
pub use crate::values::{
    DependencyName, MAX_LABEL, Namespace, NodeName, Port, ServiceAccountName, Subject, TimeZone,
    Transport, TransportPort, TriggerName, Version, WebhookPath, WorkflowName,
};
pub use verification::{
    Algorithm, BEARER, Convention, DEFAULT_TOLERANCE, Encoding, HeaderName, HeaderPrefix,
    MAX_TOLERANCE, Scheme, Verification,
};

/// Most retries of a node.
pub const MAX_RETRIES: u8 = 10;

/// Most deliveries of a message, and most messages at once, that a queue may ask for. The engine has the same limit.
pub const MAX_QUEUE_COUNT: u32 = 1000;

/// Timeout of a node's attempt when neither the node nor the config sets one.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Where webhooks of GitHub arrive.
pub const GITHUB_PATH: &str = "/webhook/github";

/// A checked workflow. Names are unique, edges lead from node to node, and the graph has no cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    /// What the workflow and its objects in the cluster are called.
    pub name: WorkflowName,
    /// The version that its objects are labelled with.
    pub version: Version,
    /// What it is for.
    pub description: Option<String>,
    /// Whose it is and where it belongs.
    pub metadata: Metadata,
    /// What starts it, at least one.
    pub triggers: Vec<Trigger>,
    /// Its nodes in the order of the file, at least one.
    pub nodes: Vec<Node>,
    /// Whose output goes where, in the order of the file.
    pub edges: Vec<Edge>,
    /// What nodes see as `ctx.config`.
    pub config: Config,
    /// How it runs in a cluster.
    pub deployment: Deployment,
    /// What it may talk to.
    pub contract: Option<Contract>,
    /// The user's own `x-` keys.
    pub extensions: Map<String, Value>,
}

impl Workflow {
    /// The node of this name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name.as_str() == name)
    }

    /// Timeout of one attempt of a node: its own, else the config's, else 30 s.
    #[must_use]
    pub fn timeout_of(&self, node: &Node) -> Duration {
        node.timeout
            .or(self.config.timeout)
            .unwrap_or(DEFAULT_TIMEOUT)
    }

    /// Retries after a node's first attempt: its own, else the config's, else none.
    #[must_use]
    pub fn retries_of(&self, node: &Node) -> u8 {
        node.retries.or(self.config.retries).unwrap_or(0)
    }

    /// The triggers that become `CronJob`s, in the order of the file.
    pub fn crons(&self) -> impl Iterator<Item = (&Trigger, &Schedule, Option<&TimeZone>)> {
        self.triggers
            .iter()
            .filter_map(|trigger| match &trigger.kind {
                TriggerKind::Cron { schedule, timezone } => {
                    Some((trigger, schedule, timezone.as_ref()))
                }
                _ => None,
            })
    }
}

/// One TypeScript or JavaScript file with a function that the engine calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What the graph, results and fixtures call it.
    pub name: NodeName,
    /// Its file, relative to the workflow directory, with `/` and without `.` or `..`.
    pub path: String,
    /// What it does, for readers.
    pub description: Option<String>,
    /// What the author says it can do; a list or a mapping that nothing here depends on.
    pub capabilities: Option<Value>,
    /// Timeout of one attempt, when the node sets its own.
    pub timeout: Option<Duration>,
    /// Retries after the first attempt, 0 to 10, when the node sets its own.
    pub retries: Option<u8>,
    /// The dependencies that it is given, when it says which: each declared, each once. All of them otherwise.
    pub uses: Option<Vec<DependencyName>>,
    /// The user's own `x-` keys.
    pub extensions: Map<String, Value>,
}

/// The output of one node is input of another.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// The node whose output is passed on.
    pub from: NodeName,
    /// The node that receives it.
    pub to: NodeName,
    /// The user's own `x-` keys.
    pub extensions: Map<String, Value>,
}

/// The config section: everything in it, and the keys that have a meaning here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// All keys in the order of the file, `timeout` and `retries` as well.
    pub values: Map<String, Value>,
    /// Timeout of one attempt of a node that sets none.
    pub timeout: Option<Duration>,
    /// Retries of a node that sets none, 0 to 10.
    pub retries: Option<u8>,
}

/// How the workflow runs in a cluster.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Deployment {
    /// The namespace, when neither flag nor environment names one.
    pub namespace: Option<Namespace>,
    /// An existing service account whose token the engine's pod gets.
    pub service_account: Option<ServiceAccountName>,
    /// Number of engine pods, when the file sets it.
    pub replicas: Option<u32>,
    /// The user's own `x-` keys.
    pub extensions: Map<String, Value>,
}

/// Something that starts the workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// What the workflow's input calls it; unique.
    pub name: Option<TriggerName>,
    /// What it waits for.
    pub kind: TriggerKind,
    /// The user's own `x-` keys.
    pub extensions: Map<String, Value>,
}

/// What a trigger waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum TriggerKind {
    /// Someone who asks.
    Manual,
    /// A time.
    Cron {
        /// When.
        schedule: Schedule,
        /// In which time zone; that of the cluster's control plane when absent.
        timezone: Option<TimeZone>,
    },
    /// A NATS message.
    Queue(Queue),
    /// An HTTP request from outside.
    Webhook(Webhook),
}

impl TriggerKind {
    /// What the file calls the types, in the order of the documentation.
    pub const NAMES: [&'static str; 4] = ["manual", "cron", "queue", "webhook"];

    /// What the file calls the type.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Cron { .. } => "cron",
            Self::Queue(_) => "queue",
            Self::Webhook(_) => "webhook",
        }
    }
}

/// A NATS subscription.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// The subject that is subscribed to.
    pub subject: Subject,
    /// Whether messages wait in a stream while no engine runs.
    pub durable: Option<bool>,
    /// Deliveries of one message before it is given up, 1 to [`MAX_QUEUE_COUNT`].
    pub max_deliver: Option<u32>,
    /// Messages worked on at once, 1 to [`MAX_QUEUE_COUNT`].
    pub concurrency: Option<u32>,
    /// Subject for messages that were given up, without wildcards.
    pub dlq: Option<Subject>,
    /// Which messages of the stream a new consumer gets.
    pub deliver: Option<Deliver>,
    /// Reply subjects below it are answered, besides clients' own inboxes.
    pub reply_prefix: Option<Subject>,
}

/// Which messages of a stream a consumer gets that is made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deliver {
    /// Also those that were published before.
    All,
    /// Those that are published from then on.
    New,
}

impl Deliver {
    /// What the file calls them.
    pub const NAMES: [&'static str; 2] = ["all", "new"];

    /// What the file calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::New => "new",
        }
    }
}

/// A webhook.
#[derive(Debug, Clone, PartialEq)]
pub enum Webhook {
    /// Anyone who posts to this path.
    Path(WebhookPath),
    /// Who posts to this path and proves who they are.
    Verified(WebhookPath, Verification),
    /// GitHub, with its signature checked.
    GitHub {
        /// The only event that starts the workflow.
        event: Option<String>,
        /// The only actions of the event that start the workflow; all when empty.
        actions: Vec<String>,
    },
}
