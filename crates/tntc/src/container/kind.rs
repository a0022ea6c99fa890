//! Loading an image into the nodes of a kind cluster.

use std::path::Path;

use tokio::process::Command;

use super::program;
use crate::error::{Error, Result};
use crate::output::Printer;
use crate::progress::Phase;

/// Whether the `kind` program is there.
pub async fn is_installed() -> bool {
    program::exists("kind").await
}

/// The command that loads an image, from an archive or else from Docker.
pub fn command(image: &str, cluster: &str, archive: Option<&Path>) -> String {
    format!("kind {}", arguments(image, cluster, archive).join(" "))
}

/// Loads an image into the kind cluster of that name, from an archive or else from Docker.
pub async fn load(
    image: &str,
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

fn arguments(image: &str, cluster: &str, archive: Option<&Path>) -> [String; 5] {
    let (what, source) = match archive {
        None => ("docker-image", image.to_owned()),
        Some(path) => ("image-archive", path.display().to_string()),
    };
    ["load", what, "--name", cluster, &source].map(str::to_owned)
}
