//! `tntc audit`: is what is deployed still what the workflow directory means?

use std::path::PathBuf;

use clap::Args;
use kube::ResourceExt;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tntc_core::audit::{self, Compared, Finding, Found, Kind, Remedy};
use tntc_core::manifests::Plan;
use tntc_core::values::ImageReference;

use crate::cli::image;
use crate::cluster::{Cluster, deployed, inventory, loaded};
use crate::context::{Context, Overrides};
use crate::deploy::prepare::{Variant, prepare};
use crate::outcome::followup::quoted;
use crate::outcome::{Outcome, Result};

/// Compare what is deployed with what the workflow directory means
#[derive(Debug, Args)]
pub struct Audit {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Engine image [default: from environment, what `build` wrote, tentacular-engine:latest]
    #[arg(long, value_parser = image)]
    pub image: Option<ImageReference>,
    /// RuntimeClass of the pod; empty for none [default: from environment, config, then gvisor]
    #[arg(long, value_name = "NAME")]
    pub runtime_class: Option<String>,
}

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer<'a> {
    /// Every object that was planned or found.
    audit: &'a [Compared],
}

/// Plans as deploy would, reads what the cluster has, and compares the two.
pub async fn run(arguments: Audit, context: &Context) -> Result<Outcome> {
    let overrides = Overrides {
        image: arguments.image,
        runtime_class: arguments.runtime_class,
        ..Overrides::default()
    };
    let (prepared, target) = prepare(&arguments.dir, overrides, context).await?;
    let cluster = target?.connect()?;
    let plan = prepared.plan_on(&cluster, Variant::Own).await?;
    let namespace = prepared.namespace.as_str();
    let found = deployed::everything(&cluster, namespace, &plan).await?;
    let name = prepared.workflow.name.as_str();
    let mut compared = audit::compare(&plan, &found);
    let unseen = pods(&cluster, &plan, &found, &mut compared).await?;
    let outcome = outcome(name, namespace, &compared);
    for line in unseen {
        context.printer.warn(line);
    }
    let remedy = audit::remedy(&plan, &found, &compared);
    let dir = quoted(&arguments.dir.display().to_string()).into_owned();
    let hints = hints(&cluster, &dir, namespace, &remedy);
    Ok(hints.into_iter().fold(outcome, Outcome::hint))
}

/// Adds what the running pods have loaded; of which pods that could not be seen.
async fn pods(
    cluster: &Cluster,
    plan: &Plan,
    found: &Found,
    compared: &mut Vec<Compared>,
) -> Result<Vec<String>> {
    let namespace = plan.deployment.namespace().unwrap_or_default();
    let pods = inventory::pods(cluster, &namespace, &plan.deployment.name_any()).await?;
    let reports = loaded::reports(cluster, &namespace, pods).await;
    let known = reports.known.iter().map(|(pod, loaded)| (pod, loaded));
    compared.extend(audit::pods(plan, found, known));
    Ok(reports.unknown)
}

/// Commands after which the audit is clean.
fn hints(cluster: &Cluster, dir: &str, namespace: &str, remedy: &Remedy) -> Vec<String> {
    let mut hints: Vec<_> = remedy
        .delete
        .iter()
        .map(|object| {
            let delete = format!("delete {object} -n {namespace}");
            format!(
                "remove what is not planned with: {}",
                cluster.followup.kubectl(delete)
            )
        })
        .collect();
    hints.extend(remedy.remove_keys.iter().map(|(secret, key)| {
        let pointer = key.replace('~', "~0").replace('/', "~1");
        let patch = format!(r#"[{{"op":"remove","path":"/data/{pointer}"}}]"#);
        let patch = format!("patch secret {secret} -n {namespace} --type=json -p '{patch}'");
        format!(
            "remove what is not planned with: {}",
            cluster.followup.kubectl(patch)
        )
    }));
    if remedy.deploy {
        let flag = if remedy.force {
            " --force-conflicts"
        } else {
            ""
        };
        let deploy = format!("deploy {dir} -n {namespace}{flag} --wait");
        let deploy = cluster.followup.tntc(deploy);
        hints.push(format!("bring it back to what is planned with: {deploy}"));
    }
    hints
}

fn outcome(name: &str, namespace: &str, compared: &[Compared]) -> Outcome {
    let differing = compared.iter().filter(|object| !object.matches).count();
    let summary = if differing == 0 {
        format!("{name} in {namespace} is in sync")
    } else {
        let plural = if differing == 1 {
            "object differs"
        } else {
            "objects differ"
        };
        format!("{name} in {namespace} has drifted: {differing} {plural}")
    };
    let mut lines: Vec<_> = compared.iter().flat_map(lines).collect();
    lines.push(String::new());
    lines.push(format!("{} {summary}", mark(differing == 0)));
    Outcome::new(summary)
        .text(lines.join("\n"))
        .own(Answer { audit: compared })
        .failed_if(differing > 0)
}

fn mark(good: bool) -> &'static str {
    if good { "✓" } else { "✗" }
}

fn lines(compared: &Compared) -> Vec<String> {
    let head = format!("  {} {}", mark(compared.matches), compared.object);
    let findings = compared
        .findings
        .iter()
        .map(|finding| format!("    -> {}", told(finding)));
    std::iter::once(head).chain(findings).collect()
}

fn told(finding: &Finding) -> String {
    let at = if finding.path.is_empty() {
        "the object"
    } else {
        &finding.path
    };
    let shown = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let of = |value: &Value| {
        if value.is_null() {
            String::new()
        } else {
            format!(": {}", shown(value))
        }
    };
    match finding.kind {
        Kind::Missing => format!("{at} is missing{}", of(&finding.expected)),
        Kind::Extra => format!("{at} is unexpected{}", of(&finding.actual)),
        Kind::Changed => format!(
            "{at} is {}, expected {}",
            shown(&finding.actual),
            shown(&finding.expected)
        ),
    }
}
