//! Loading an image into the nodes of a kind cluster.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tntc_core::values::ImageReference;
use tokio::process::Command;

use crate::outcome::{Error, Result};
use crate::process::program;
use crate::terminal::Printer;
use crate::terminal::progress::Phase;

/// Whether the `kind` program is there.
pub async fn is_installed() -> bool {
    program::exists("kind").await
}

/// Whether every node of the cluster has this very image under its name. What cannot be found out counts as no: loading
/// an image once more does no harm.
///
/// `id` is the digest of the image's configuration, which names all of its content.
pub async fn has(image: &ImageReference, id: &str, cluster: &str) -> bool {
    let nodes = output("kind", &["get", "nodes", "--name", cluster]).await;
    let nodes = nodes.unwrap_or_default();
    let nodes: Vec<_> = nodes.split_whitespace().collect();
    let provider = provider().await;
    let ids = nodes
        .iter()
        .map(|node| id_on(node, image.as_str(), &provider));
    let ids = futures::future::join_all(ids).await;
    let is_this = |found: &Option<String>| found.as_deref().is_some_and(|found| is_same(found, id));
    !ids.is_empty() && ids.iter().all(is_this)
}

/// The program that runs kind's nodes, chosen as kind chooses it.
async fn provider() -> String {
    match std::env::var("KIND_EXPERIMENTAL_PROVIDER") {
        Ok(named) if !named.is_empty() => named,
        _ if program::exists("docker").await => "docker".to_owned(),
        _ => "podman".to_owned(),
    }
}

/// Asked for as kind itself asks before `kind load docker-image`; archives it loads unasked.
async fn id_on(node: &str, image: &str, provider: &str) -> Option<String> {
    let inspect = [
        "exec", node, "crictl", "inspecti", "--output", "json", image,
    ];
    let found = output(provider, &inspect).await?;
    let found: Value = serde_json::from_str(&found).ok()?;
    found["status"]["id"].as_str().map(str::to_owned)
}

/// Podman leaves the algorithm out.
fn is_same(one: &str, other: &str) -> bool {
    one.trim_start_matches("sha256:") == other.trim_start_matches("sha256:")
}

async fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.ok()?;
    let succeeded = output.status.success();
    succeeded.then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command that loads an image, from an archive or else from Docker.
pub fn command(image: &ImageReference, cluster: &str, archive: Option<&Path>) -> String {
    format!("kind {}", arguments(image, cluster, archive).join(" "))
}

/// Loads an image into the kind cluster of that name, from an archive or else from Docker.
pub async fn load(
    image: &ImageReference,
    cluster: &str,
    archive: Option<&Path>,
    printer: &Printer,
) -> Result<()> {
    let phase = Phase::begin(
        &format!("loading {image} into kind cluster '{cluster}'"),
        printer,
    );
    let mut command = Command::new("kind");
    command.args(arguments(image, cluster, archive));
    let loaded = program::run(&mut command, &phase).await;
    loaded.map(drop).map_err(|failure| {
        Error::surroundings(format!("cannot load {image} into kind cluster {cluster}"))
            .cause(failure.tail)
    })
}

fn arguments(image: &ImageReference, cluster: &str, archive: Option<&Path>) -> [String; 5] {
    let (what, source) = match archive {
        None => ("docker-image", image.to_string()),
        Some(path) => ("image-archive", path.display().to_string()),
    };
    ["load", what, "--name", cluster, &source].map(str::to_owned)
}
