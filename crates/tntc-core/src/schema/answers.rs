//! What each command answers with `-o json`. The end-to-end tests hold every answer against these.
//!
//! Fields may be added in later versions, so nothing is said to be absent.

#![allow(dead_code, reason = "only the schema of these types is ever used")]

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

/// What every answer has.
#[derive(JsonSchema)]
struct Envelope {
    /// Version of this envelope.
    #[schemars(extend("const" = "1"))]
    version: String,
    /// The command that answers.
    command: String,
    status: Status,
    /// One line for a person or an agent.
    summary: String,
    /// What to do next.
    hints: Vec<String>,
    timing: Timing,
}

/// Whether the exit status is zero.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Status {
    Pass,
    Fail,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct Timing {
    /// RFC 3339, in UTC.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"))]
    started_at: String,
    duration_ms: u64,
}

/// What a failure of any command may carry.
#[derive(JsonSchema)]
struct Failure {
    /// What is wrong with workflow.yaml.
    errors: Option<Vec<Diagnostic>>,
    /// What is questionable about workflow.yaml.
    warnings: Option<Vec<Diagnostic>>,
    /// Preflight, when it stopped the command.
    checks: Option<Vec<Check>>,
    /// The steps that were taken.
    phases: Option<Vec<Phase>>,
    /// The last lines of the pods that failed.
    log: Option<Vec<String>>,
}

#[derive(JsonSchema)]
struct Diagnostic {
    /// Stable identifier in kebab-case.
    code: String,
    message: String,
    /// JSON pointer to the value in question.
    path: String,
    #[schemars(range(min = 1))]
    line: u64,
    #[schemars(range(min = 1))]
    column: u64,
    /// What to write instead.
    help: Option<String>,
}

#[derive(JsonSchema)]
struct Check {
    /// Which check this is.
    #[schemars(rename = "check")]
    id: String,
    status: String,
    message: String,
    remedies: Vec<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct Phase {
    name: String,
    status: Status,
    duration_ms: u64,
}

#[derive(JsonSchema)]
struct Validate {
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    derived: Derived,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct Derived {
    /// Secrets as `service.key`, sorted.
    secrets: Vec<String>,
    network: Vec<Rule>,
    /// Null without a contract.
    deno_flags: Option<Vec<String>>,
}

#[derive(JsonSchema)]
struct Rule {
    direction: Direction,
    peer: String,
    ports: String,
    because: String,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Direction {
    Egress,
    Ingress,
}

#[derive(JsonSchema)]
struct Visualize {
    artifacts: Vec<Artifact>,
}

#[derive(JsonSchema)]
struct Artifact {
    /// `diagram`, or the file name of a page.
    name: String,
    format: ArtifactFormat,
    content: String,
    path: Option<String>,
    /// How the file compares, or compared before it was written.
    state: Option<PageState>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum ArtifactFormat {
    Mermaid,
    Markdown,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum PageState {
    Current,
    Stale,
    Missing,
}

#[derive(JsonSchema)]
struct Init {
    files: Vec<String>,
}

#[derive(JsonSchema)]
struct Test {
    /// One entry a fixture; absent with `--live`.
    results: Option<Vec<TestResult>>,
    /// Violations, what the sources leave open, and the counts.
    drift: Option<Map<String, Value>>,
    execution: Option<Execution>,
    phases: Option<Vec<Phase>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct TestResult {
    node: Option<String>,
    fixture: Option<String>,
    status: TestStatus,
    /// Milliseconds of the node alone.
    duration_ms: f64,
    error: Option<String>,
    log: Option<Vec<String>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum TestStatus {
    Pass,
    Fail,
    Untested,
}

/// What the engine says of one run.
#[derive(JsonSchema)]
struct Execution {
    success: bool,
}

#[derive(JsonSchema)]
struct Build {
    image: String,
}

#[derive(JsonSchema)]
struct Deploy {
    /// With `--dry-run`: the objects, every Secret value redacted.
    manifests: Option<Vec<Map<String, Value>>>,
    /// `Kind/name` of what changed.
    applied: Option<Vec<String>>,
    /// `Kind/name` of what was no longer wanted.
    deleted: Option<Vec<String>>,
    /// With `--verify`: the run.
    execution: Option<Execution>,
    phases: Option<Vec<Phase>>,
}

#[derive(JsonSchema)]
struct Run {
    execution: Execution,
}

#[derive(JsonSchema)]
struct Logs {
    lines: Vec<LogLine>,
}

#[derive(JsonSchema)]
struct LogLine {
    pod: String,
    line: String,
}

#[derive(JsonSchema)]
struct List {
    workflows: Vec<Listed>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct Listed {
    name: String,
    version: String,
    namespace: String,
    status: String,
    ready: i32,
    replicas: i32,
    created_at: Option<String>,
}

#[derive(JsonSchema)]
struct StatusAnswer {
    workflow: WorkflowStatus,
}

/// With `--detail` there is more.
#[derive(JsonSchema)]
struct WorkflowStatus {
    name: String,
    namespace: String,
    version: Option<String>,
    status: String,
    problem: Option<String>,
}

#[derive(JsonSchema)]
struct Undeploy {
    removed: Vec<String>,
    kept: Vec<Value>,
}

#[derive(JsonSchema)]
struct ClusterCheck {
    checks: Vec<Check>,
}

#[derive(JsonSchema)]
struct Audit {
    audit: Vec<Compared>,
}

#[derive(JsonSchema)]
struct Compared {
    /// `Kind/name`.
    object: String,
    matches: bool,
    findings: Vec<Finding>,
}

#[derive(JsonSchema)]
struct Finding {
    kind: FindingKind,
    path: String,
    expected: Option<Value>,
    actual: Option<Value>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum FindingKind {
    Missing,
    Changed,
    Extra,
}

#[derive(JsonSchema)]
struct Secrets {
    secrets: Vec<SecretAnswer>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum SecretAnswer {
    /// `secrets check`
    Checked(CheckedSecret),
    /// `secrets init`
    Written(String),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct CheckedSecret {
    /// `service.key`
    secret: String,
    provisioned: bool,
    found_in: Option<String>,
}

#[derive(JsonSchema)]
struct Configure {
    /// By name: what was written, or with `--show` the value and its origin.
    settings: BTreeMap<String, Value>,
}

#[derive(JsonSchema)]
struct Completions {
    script: String,
}

#[derive(JsonSchema)]
struct Version {
    tntc: String,
}

#[derive(JsonSchema)]
struct Schema {
    /// Without a name: every name there is.
    schemas: Option<Vec<String>>,
    /// With a name: its schema.
    schema: Option<Map<String, Value>>,
}

/// A command that is not described further.
#[derive(JsonSchema)]
struct Other {}

/// The commands whose answers are described, as the envelope names them.
pub const COMMANDS: [&str; 19] = [
    "audit",
    "build",
    "cluster check",
    "completions",
    "configure",
    "deploy",
    "dev",
    "init",
    "list",
    "logs",
    "run",
    "schema",
    "secrets",
    "status",
    "test",
    "undeploy",
    "validate",
    "version",
    "visualize",
];

pub(super) fn of(command: &str) -> Value {
    let own = own(command);
    let mut schema = schemars::schema_for!(Envelope).to_value();
    let failure = schemars::schema_for!(Failure).to_value();
    take(&mut schema, &failure, "properties");
    take(&mut schema, &failure, "$defs");
    take(&mut schema, &own, "properties");
    take(&mut schema, &own, "$defs");
    schema["title"] = json!(format!("The answer of tntc {command}"));
    if let Some(required) = own.get("required") {
        schema["if"] = json!({"properties": {"status": {"const": "pass"}}});
        schema["then"] = json!({"required": required});
    }
    schema
}

/// The command's own fields, which are required of a success.
fn own(command: &str) -> Value {
    let schema = match command {
        "audit" => schemars::schema_for!(Audit),
        "build" => schemars::schema_for!(Build),
        "cluster check" => schemars::schema_for!(ClusterCheck),
        "completions" => schemars::schema_for!(Completions),
        "configure" => schemars::schema_for!(Configure),
        "deploy" => schemars::schema_for!(Deploy),
        "init" => schemars::schema_for!(Init),
        "list" => schemars::schema_for!(List),
        "logs" => schemars::schema_for!(Logs),
        "run" => schemars::schema_for!(Run),
        "schema" => schemars::schema_for!(Schema),
        "secrets" => schemars::schema_for!(Secrets),
        "status" => schemars::schema_for!(StatusAnswer),
        "test" => schemars::schema_for!(Test),
        "undeploy" => schemars::schema_for!(Undeploy),
        "validate" => schemars::schema_for!(Validate),
        "version" => schemars::schema_for!(Version),
        "visualize" => schemars::schema_for!(Visualize),
        _ => schemars::schema_for!(Other),
    };
    schema.to_value()
}

/// Adds the entries of one keyword of a schema to another's.
fn take(into: &mut Value, from: &Value, keyword: &str) {
    let Some(more) = from.get(keyword).and_then(Value::as_object) else {
        return;
    };
    let held = into[keyword].take();
    let mut all = held.as_object().cloned().unwrap_or_default();
    all.extend(more.clone());
    into[keyword] = Value::Object(all);
}
