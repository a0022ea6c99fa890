//! `tntc list`: the workflows that are deployed.

use std::collections::BTreeSet;

use clap::Args;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use schemars::JsonSchema;
use serde::Serialize;
use tntc_core::manifests::labels;
use tntc_core::observe::workload;

use crate::cluster::{Cluster, inventory, loaded};
use crate::context::{self, Context};
use crate::outcome::{Outcome, Result};
use crate::terminal::{Format, table};

/// List deployed workflows
#[derive(Debug, Args)]
#[command(visible_alias = "ls")]
pub struct List {
    /// List the workflows of all namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Only workflows whose labels match, such as tentacular.dev/tag-nightly, or tier!=test
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub label: Option<String>,
}

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// By namespace and name.
    workflows: Vec<Row>,
}

/// One deployed workflow.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    version: String,
    namespace: String,
    status: &'static str,
    ready: i32,
    replicas: i32,
    created_at: Option<String>,
    metadata: Metadata,
    #[serde(skip)]
    age: String,
}

/// What the workflow's `metadata` said when it was deployed.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Metadata {
    owner: Option<String>,
    team: Option<String>,
    group: Option<String>,
    environment: Option<String>,
    tags: Vec<String>,
}

impl Metadata {
    /// Reads the annotations that a deploy wrote.
    pub fn of(deployment: &Deployment) -> Self {
        let mut metadata = Self::default();
        for (key, text) in labels::metadata(deployment.annotations()) {
            let text = Some(text.to_owned());
            match key {
                "owner" => metadata.owner = text,
                "team" => metadata.team = text,
                "group" => metadata.group = text,
                "environment" => metadata.environment = text,
                _ => {
                    metadata.tags = text
                        .iter()
                        .flat_map(|it| it.split(','))
                        .map(str::to_owned)
                        .collect();
                }
            }
        }
        metadata
    }

    /// Columns of the wide table.
    fn cells(&self) -> [String; 5] {
        let Self {
            owner,
            team,
            group,
            environment,
            tags,
        } = self;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let cells = [
            text(owner),
            text(team),
            text(group),
            text(environment),
            tags.join(","),
        ];
        cells.map(|cell| cell.replace(char::is_control, " "))
    }
}

/// Lists the workflows of the namespace in force, or of all.
pub async fn run(arguments: &List, context: &Context) -> Result<Outcome> {
    let settings = context.settings()?;
    let namespace = context::namespace(&settings)?;
    let one = (!arguments.all_namespaces).then_some(namespace.as_str());
    let cluster = context.connect(&settings).await?;
    let selector = arguments.label.as_deref();
    let deployments = inventory::deployments(&cluster, one, selector).await?;
    let (pods, unsynced) = pods(&cluster, one, &deployments).await;
    let now = Timestamp::now();
    let rows: Vec<_> = deployments
        .iter()
        .map(|deployment| {
            let own = || pods.iter().filter(|pod| is_of(pod, deployment));
            let unsynced = own().any(|pod| unsynced.contains(&pod.uid().unwrap_or_default()));
            let failing = workload::is_failing(deployment, own());
            let status = match state(deployment, failing) {
                READY if unsynced => "out of sync",
                status => status,
            };
            row(deployment, status, now)
        })
        .collect();
    let place = one.map_or("all namespaces".to_owned(), |name| {
        format!("namespace {name}")
    });
    let plural = if rows.len() == 1 { "" } else { "s" };
    let summary = format!("{} workflow{plural} in {place}", rows.len());
    let text = if rows.is_empty() {
        format!("no workflows in {place}")
    } else if context.printer.format() == Format::Wide {
        wide_table(&rows)
    } else {
        table::render(HEADER, rows.iter().map(cells))
    };
    let names: Vec<_> = rows.iter().map(|row| row.name.clone()).collect();
    Ok(Outcome::new(summary)
        .text(text)
        .names(names)
        .own(Answer { workflows: rows }))
}

/// The workflows' pods, and the UIDs of those that have loaded something else than was deployed. Who may see no pods or
/// no logs gets a list without that.
async fn pods(
    cluster: &Cluster,
    namespace: Option<&str>,
    deployments: &[Deployment],
) -> (Vec<Pod>, BTreeSet<String>) {
    if deployments.is_empty() {
        return Default::default();
    }
    let pods = inventory::every_pod(cluster, namespace).await;
    let pods = pods.unwrap_or_default();
    let unsynced = loaded::unlike_their_templates(cluster, &pods).await;
    (pods, unsynced)
}

fn is_of(pod: &Pod, deployment: &Deployment) -> bool {
    pod.namespace() == deployment.namespace()
        && pod.labels().get(labels::NAME) == Some(&deployment.name_any())
}

fn row(deployment: &Deployment, status: &'static str, now: Timestamp) -> Row {
    let (ready, replicas) = (workload::ready(deployment), workload::wanted(deployment));
    let created = deployment
        .metadata
        .creation_timestamp
        .as_ref()
        .map(|time| time.0);
    Row {
        name: deployment.name_any(),
        version: deployment
            .labels()
            .get(labels::VERSION)
            .cloned()
            .unwrap_or_default(),
        namespace: deployment.namespace().unwrap_or_default(),
        status,
        ready,
        replicas,
        metadata: Metadata::of(deployment),
        created_at: created.map(|time| time.to_string()),
        age: created
            .map(|time| table::age(now, time))
            .unwrap_or_default(),
    }
}

/// Every wanted pod runs the newest template.
const READY: &str = "ready";

/// One word for how the workflow is doing; `failing` when waiting cannot be expected to help.
pub fn state(deployment: &Deployment, failing: bool) -> &'static str {
    let (ready, wanted) = (workload::ready(deployment), workload::wanted(deployment));
    if wanted == 0 {
        "stopped"
    } else if workload::is_complete(deployment) {
        READY
    } else if failing {
        "failing"
    } else if ready > 0 {
        "progressing"
    } else {
        "not ready"
    }
}

const HEADER: [&str; 6] = ["NAME", "VERSION", "NAMESPACE", "STATUS", "REPLICAS", "AGE"];

fn cells(row: &Row) -> [String; 6] {
    [
        row.name.clone(),
        row.version.clone(),
        row.namespace.clone(),
        row.status.to_owned(),
        format!("{}/{}", row.ready, row.replicas),
        row.age.clone(),
    ]
}

fn wide_table(rows: &[Row]) -> String {
    let [name, version, namespace, status, replicas, age] = HEADER;
    let header = [
        name,
        version,
        namespace,
        status,
        replicas,
        age,
        "OWNER",
        "TEAM",
        "GROUP",
        "ENVIRONMENT",
        "TAGS",
    ];
    let rows = rows.iter().map(|row| {
        let [name, version, namespace, status, replicas, age] = cells(row);
        let [owner, team, group, environment, tags] = row.metadata.cells();
        [
            name,
            version,
            namespace,
            status,
            replicas,
            age,
            owner,
            team,
            group,
            environment,
            tags,
        ]
    });
    table::render(header, rows)
}
