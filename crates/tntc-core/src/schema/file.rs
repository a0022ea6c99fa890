//! `workflow.yaml` as its author writes it. The documentation of these fields is what editors show.

#![allow(dead_code, reason = "only the schema of these types is ever used")]

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::Value;

/// A Tentacular workflow: what starts it, its nodes, how their outputs flow, and what it may talk to.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
pub(super) struct Workflow {
    /// Name of the workflow and of its objects in the cluster.
    #[schemars(regex(pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), length(max = 63))]
    name: String,
    /// Version as MAJOR.MINOR or MAJOR.MINOR.PATCH, in quotes.
    #[schemars(with = "Version")]
    version: String,
    /// What the workflow is for.
    description: Option<String>,
    /// Whose the workflow is and where it belongs; annotations on its objects.
    metadata: Option<Metadata>,
    /// What starts the workflow.
    #[schemars(length(min = 1))]
    triggers: Vec<Trigger>,
    /// The nodes by name, each one file with a default-exported async function.
    #[schemars(extend("minProperties" = 1, "propertyNames" = {"pattern": "^[a-z][a-z0-9_-]*$"}))]
    nodes: BTreeMap<String, Node>,
    /// Which node's output is which node's input; without cycles.
    edges: Option<Vec<Edge>>,
    /// Values that nodes see as `ctx.config`.
    config: Option<Config>,
    /// How the workflow runs in a cluster.
    deployment: Option<Deployment>,
    /// Everything outside its pod that the workflow may talk to.
    contract: Option<Contract>,
}

/// A string with two or three numbers; a bare number such as `1.0` works, with a warning.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Version {
    Text(#[schemars(regex(pattern = "^[0-9]+\\.[0-9]+(\\.[0-9]+)?$"))] String),
    Number(f64),
}

/// Whose the workflow is and where it belongs.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct Metadata {
    /// Who answers for it.
    #[schemars(length(max = 4096))]
    owner: Option<String>,
    /// The team of the owner.
    #[schemars(length(max = 4096))]
    team: Option<String>,
    /// What it belongs to.
    #[schemars(length(max = 4096))]
    group: Option<String>,
    /// Where it is meant to run, in words for people.
    #[schemars(length(max = 4096))]
    environment: Option<String>,
    /// Words to find it by: `tntc list -l tentacular.dev/tag-<tag>`.
    #[schemars(length(max = 64), inner(length(max = 256)))]
    tags: Option<Vec<String>>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Trigger {
    Manual(Manual),
    Cron(Cron),
    Queue(Queue),
    Webhook(Webhook),
    GitHub(GitHub),
}

/// Started by someone who asks.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct Manual {
    #[schemars(extend("const" = "manual"))]
    r#type: String,
    #[schemars(with = "Option<Name>")]
    name: Option<String>,
}

/// Started at times.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct Cron {
    #[schemars(extend("const" = "cron"))]
    r#type: String,
    #[schemars(with = "Option<Name>")]
    name: Option<String>,
    /// Five fields (minute, hour, day of month, month, day of week), or `@hourly` and the like.
    schedule: String,
    /// IANA name of the time zone, such as `Europe/Berlin`.
    timezone: Option<String>,
}

/// Started by a NATS message.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct Queue {
    #[schemars(extend("const" = "queue"))]
    r#type: String,
    #[schemars(with = "Option<Name>")]
    name: Option<String>,
    /// The subject to subscribe to; `*` stands for one word, a final `>` for all that follow.
    subject: String,
    /// Whether messages wait in a stream while no engine runs.
    durable: Option<bool>,
    /// Deliveries of one message before it is given up.
    #[schemars(range(min = 1, max = 1000))]
    max_deliver: Option<u32>,
    /// Messages worked on at once.
    #[schemars(range(min = 1, max = 1000))]
    concurrency: Option<u32>,
    /// Subject for messages that were given up.
    dlq: Option<String>,
    /// Which messages a durable trigger gets first: `all` that its stream holds, or those from now on.
    #[schemars(extend("enum" = ["all", "new", null]))]
    deliver: Option<String>,
    /// Reply subjects below this one are answered with the run's result, besides clients' own inboxes.
    reply_prefix: Option<String>,
}

/// Started by an HTTP request to a path of its own.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct Webhook {
    #[schemars(extend("const" = "webhook"))]
    r#type: String,
    #[schemars(with = "Option<Name>")]
    name: Option<String>,
    /// Where the webhook listens; not a path of the engine's own.
    #[schemars(regex(pattern = "^/"))]
    path: String,
    /// How the sender proves who it is; without it, anyone can start the workflow.
    verify: Option<Verification>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Verification {
    Hmac(HmacVerification),
    Timed(TimedVerification),
    Bearer(BearerVerification),
}

/// A signature of the body in a header.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct HmacVerification {
    /// The hash function.
    #[schemars(extend("enum" = ["sha256", "sha512", "sha1"]))]
    hmac: String,
    /// The header that holds the signature.
    #[schemars(with = "HeaderName")]
    header: String,
    /// What stands before the signature in the header, such as `sha256=`.
    #[schemars(regex(pattern = "^([!-~][ -~]*)?$"))]
    prefix: Option<String>,
    /// How the signature is written; `hex` when absent.
    #[schemars(extend("enum" = ["hex", "base64", null]))]
    encoding: Option<String>,
    /// The secret that sender and engine share, as `service.key`.
    #[schemars(with = "Secret")]
    secret: String,
}

/// A signature of the body and of its time, as Standard Webhooks, Stripe or Slack make it.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct TimedVerification {
    #[schemars(extend("enum" = ["standard-webhooks", "stripe", "slack"]))]
    r#type: String,
    /// The secret that sender and engine share, as `service.key`.
    #[schemars(with = "Secret")]
    secret: String,
    /// How old or new a signature may be, at most `1h`; `5m` when absent.
    #[schemars(with = "Option<Duration>")]
    tolerance: Option<String>,
}

/// A token, as in `Authorization: Bearer <token>`.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct BearerVerification {
    #[schemars(extend("const" = "bearer"))]
    r#type: String,
    /// The token, as `service.key`.
    #[schemars(with = "Secret")]
    secret: String,
    /// The header that is the token, instead of `Authorization`.
    #[schemars(with = "Option<HeaderName>")]
    header: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(inline)]
struct HeaderName(#[schemars(regex(pattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"))] String);

#[derive(JsonSchema)]
#[schemars(inline)]
struct Secret(#[schemars(regex(pattern = "^[a-z][a-z0-9_-]*\\.[a-z][a-z0-9_-]*$"))] String);

/// Started by GitHub, whose signature is checked.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct GitHub {
    #[schemars(extend("const" = "webhook"))]
    r#type: String,
    #[schemars(with = "Option<Name>")]
    name: Option<String>,
    #[schemars(extend("const" = "github"))]
    provider: String,
    /// The only event that starts the workflow.
    event: Option<String>,
    /// The only actions of the event that start the workflow.
    actions: Option<Vec<String>>,
}

#[derive(JsonSchema)]
#[schemars(inline)]
struct Name(#[schemars(regex(pattern = "^[a-z][a-z0-9_-]*$"))] String);

#[derive(JsonSchema)]
#[schemars(inline)]
struct Duration(#[schemars(regex(pattern = "^[0-9]+(ms|s|m|h)$"))] String);

/// One file with a function.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct Node {
    /// The file, relative to the workflow's directory.
    #[schemars(regex(pattern = "\\.(ts|tsx|js|mjs)$"))]
    path: String,
    /// What the node does, for readers.
    description: Option<String>,
    /// What the node can do, for readers.
    #[schemars(extend("type" = ["object", "array", "null"]))]
    capabilities: Option<Value>,
    /// Timeout of one attempt, such as `30s`.
    #[schemars(with = "Option<Duration>")]
    timeout: Option<String>,
    /// Retries after the first attempt.
    #[schemars(range(min = 0, max = 10))]
    retries: Option<u8>,
    /// The dependencies that the node is given, of those that the contract declares; all of them when absent.
    #[schemars(inner(regex(pattern = "^[a-z][a-z0-9_-]*$")), extend("uniqueItems" = true))]
    uses: Option<Vec<String>>,
}

/// The output of one node is input of another.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct Edge {
    /// The node whose output is passed on.
    #[schemars(with = "Name")]
    from: String,
    /// The node that receives it.
    #[schemars(with = "Name")]
    to: String,
}

/// Values that nodes see as `ctx.config`; any key is allowed.
#[derive(JsonSchema)]
struct Config {
    /// Timeout of one attempt of a node that sets none; `30s` when absent.
    #[schemars(with = "Option<Duration>")]
    timeout: Option<String>,
    /// Retries of a node that sets none.
    #[schemars(range(min = 0, max = 10))]
    retries: Option<u8>,
    /// The NATS server of queue triggers, such as `nats.example.com:4222`.
    #[schemars(extend("type" = ["string", "number", "boolean", "object", "array", "null"]))]
    nats_url: Option<Value>,
}

/// How the workflow runs in a cluster.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct Deployment {
    /// The namespace, when neither flag nor environment names one.
    #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), length(max = 63))]
    namespace: Option<String>,
    /// An existing service account whose token the engine gets.
    service_account: Option<String>,
    /// Number of engine pods.
    #[schemars(range(min = 0, max = 2_147_483_647))]
    replicas: Option<u32>,
}

/// Everything outside its pod that the workflow may talk to.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct Contract {
    /// Version of the contract's format.
    #[schemars(extend("const" = "1"))]
    version: String,
    /// What the workflow talks to, by the name that nodes use.
    #[schemars(extend("propertyNames" = {"pattern": "^[a-z][a-z0-9_-]*$"}))]
    dependencies: Option<BTreeMap<String, Dependency>>,
    /// Network access that belongs to no dependency.
    network_policy: Option<NetworkPolicy>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Dependency {
    Host(HostDependency),
    Modules(ModulesDependency),
    Dynamic(DynamicDependency),
}

/// A host with a port that speaks a protocol.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct HostDependency {
    /// `https`, `http`, `postgresql`, `nats`, `blob`, `s3`, or another one that only nodes understand.
    #[schemars(extend("examples" = ["https", "http", "postgresql", "nats", "blob", "s3"], "not" = {"enum": ["npm", "jsr"]}))]
    protocol: String,
    /// A name or an address, without scheme and port.
    host: String,
    /// The port; for the known protocols their own one when absent.
    #[schemars(range(min = 1, max = 65535))]
    port: Option<u16>,
    /// How the workflow proves who it is.
    auth: Option<Auth>,
    /// Name of the database (`postgresql`).
    database: Option<String>,
    /// Name of the user (`postgresql`).
    user: Option<String>,
    /// The subject (`nats`).
    subject: Option<String>,
    /// The container or bucket (`blob`, `s3`).
    container: Option<String>,
}

/// Modules, which are bundled before anything is deployed: it opens nothing.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct ModulesDependency {
    #[schemars(extend("enum" = ["npm", "jsr"]))]
    protocol: String,
    /// The registry or the module.
    host: Option<String>,
    /// The version of the module.
    #[schemars(extend("type" = ["string", "number", "boolean", "null"]))]
    version: Option<Value>,
    #[schemars(range(min = 1, max = 65535))]
    port: Option<u16>,
    /// How the workflow proves who it is.
    auth: Option<Auth>,
}

/// Addresses that are known only at run time.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct DynamicDependency {
    #[schemars(extend("const" = "dynamic-target"))]
    r#type: String,
    /// What is spoken there; nodes are told `https` and `http`.
    protocol: Option<String>,
    /// A block of addresses, such as `10.0.0.0/8`.
    cidr: String,
    /// The ports that may be reached.
    #[schemars(length(min = 1))]
    dyn_ports: Vec<TransportPort>,
    /// Why the target cannot be named.
    reason: Option<String>,
    /// Accepts the flag that opens every host to the engine, where Deno has no narrower one: for a block of all
    /// addresses, or of several IPv6 addresses.
    allow_all_hosts: Option<bool>,
    /// How the workflow proves who it is.
    auth: Option<Auth>,
}

/// How the workflow proves who it is.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct Auth {
    /// The scheme, such as `bearer-token`.
    #[schemars(length(min = 1))]
    r#type: String,
    /// The secret, as `service.key`.
    #[schemars(with = "Secret")]
    secret: String,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum TransportPort {
    Text(#[schemars(regex(pattern = "^[0-9]{1,5}/(TCP|UDP|SCTP)$"))] String),
    Mapping(PortMapping),
}

/// A port with its transport protocol.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct PortMapping {
    #[schemars(range(min = 1, max = 65535))]
    port: u16,
    /// `TCP` when absent.
    #[schemars(extend("enum" = ["TCP", "UDP", "SCTP", null]))]
    protocol: Option<String>,
}

/// Network access that belongs to no dependency.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct NetworkPolicy {
    /// Egress on top of what the dependencies need.
    additional_egress: Option<Vec<Egress>>,
}

/// Addresses and ports that may be reached.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = {"^x-": true}, "additionalProperties" = false))]
struct Egress {
    /// A block of addresses, such as `10.0.0.0/8`.
    #[schemars(rename = "toCIDR")]
    to_cidr: String,
    /// The ports that may be reached; all of them when absent.
    #[schemars(length(min = 1))]
    ports: Option<Vec<TransportPort>>,
    /// Why this is needed.
    reason: Option<String>,
}
