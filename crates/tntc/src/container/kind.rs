//! Loading an image into the nodes of a kind cluster.

use tokio::process::Command;

use super::docker;
use crate::error::{Error, Result};
use crate::output::Printer;

/// What became of a load.
#[derive(Debug, PartialEq, Eq)]
pub enum Loaded {
    /// The nodes have the image.
    Yes,
    /// The `kind` program is not installed; this command would do it.
    Run(String),
}

/// Loads an image into the kind cluster of that name.
pub async fn load(image: &str, cluster: &str, printer: &Printer) -> Result<Loaded> {
    let arguments = ["load", "docker-image", "--name", cluster, image];
    if Command::new("kind").arg("version").output().await.is_err() {
        return Ok(Loaded::Run(format!("kind {}", arguments.join(" "))));
    }
    match docker::run(Command::new("kind").args(arguments), printer).await {
        Ok(()) => Ok(Loaded::Yes),
        Err(tail) => Err(Error::surroundings(format!(
            "cannot load {image} into kind cluster {cluster}"
        ))
        .details(tail)),
    }
}
