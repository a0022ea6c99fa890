//! `tntc build`: the engine image, with Docker.

use std::fs;
use std::path::Path;

use serde_json::json;
use tntc_core::settings::{DEFAULT_IMAGE, Settings};

use crate::cli::Build;
use crate::cluster::connect::Target;
use crate::container::docker;
use crate::container::kind::{self, Loaded};
use crate::context::{Context, Overrides};
use crate::error::{Result, io};
use crate::interrupt::Interrupt;
use crate::output::Outcome;
use crate::project::BASE_IMAGE_FILE;

/// Builds, loads into kind or pushes, and remembers the tag for `deploy`.
pub async fn run(arguments: Build, context: &Context) -> Result<Outcome> {
    let opened = context.open(&arguments.dir)?;
    let settings = context.settings_of(&opened, Overrides::default())?;
    let image = image(
        arguments.tag.as_deref(),
        settings
            .registry
            .as_ref()
            .map(|registry| registry.value.as_str()),
    );
    let mut interrupt = Interrupt::listen()?;
    tokio::select! {
        built = build(&arguments, &settings, &image, context) => built?,
        () = interrupt.raised() => return Err(crate::error::Error::failed("interrupted; nothing was remembered for deploy")),
    }
    remember(&arguments.dir, &image)?;
    let summary = format!("built {image}");
    Ok(Outcome::new(&summary)
        .text(summary)
        .field("image", json!(image)))
}

async fn build(
    arguments: &Build,
    settings: &Settings,
    image: &str,
    context: &Context,
) -> Result<()> {
    let printer = &context.printer;
    printer.note(format!("building {image}"));
    let build = docker::Build {
        image,
        platform: arguments.platform.as_deref(),
    };
    docker::build(&build, printer).await?;
    if arguments.push {
        printer.note(format!("pushing {image}"));
        docker::push(image, printer).await?;
    }
    load_into_kind(settings, image, context).await
}

/// Without a kubeconfig there is no kind cluster to load into, and building needs none.
async fn load_into_kind(settings: &Settings, image: &str, context: &Context) -> Result<()> {
    let Ok(target) = Target::find(settings).await else {
        return Ok(());
    };
    let Some(cluster) = target.kind else {
        return Ok(());
    };
    match kind::load(image, &cluster, &context.printer).await? {
        Loaded::Yes => context
            .printer
            .note(format!("loaded {image} into kind cluster '{cluster}'")),
        Loaded::Run(command) => {
            context.printer.warn(format!(
                "there is no kind program on PATH; load the image yourself: {command}"
            ));
        }
    }
    Ok(())
}

/// The full reference: a registry goes in front of a tag that names none itself.
fn image(tag: Option<&str>, registry: Option<&str>) -> String {
    let tag = tag.unwrap_or(DEFAULT_IMAGE);
    match registry.map(|registry| registry.trim_end_matches('/')) {
        Some(registry) if !names_registry(tag) => format!("{registry}/{tag}"),
        _ => tag.to_owned(),
    }
}

/// As Docker reads a reference: a first part with a dot or a port, or `localhost`, is a registry.
fn names_registry(tag: &str) -> bool {
    tag.split_once('/')
        .is_some_and(|(first, _)| first.contains(['.', ':']) || first == "localhost")
}

fn remember(dir: &Path, image: &str) -> Result<()> {
    let path = dir.join(BASE_IMAGE_FILE);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(io("create", parent))?;
    }
    fs::write(&path, format!("{image}\n")).map_err(io("write", &path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_goes_in_front_of_a_tag() {
        assert_eq!(
            image(None, Some("reg.example.com")),
            "reg.example.com/tentacular-engine:latest"
        );
        assert_eq!(
            image(Some("my-engine:v2"), Some("localhost:5000/team/")),
            "localhost:5000/team/my-engine:v2"
        );
    }

    #[test]
    fn a_tag_that_names_a_registry_keeps_it() {
        assert_eq!(
            image(Some("other.example.com/e:v1"), Some("reg.example.com")),
            "other.example.com/e:v1"
        );
        assert_eq!(
            image(Some("team/e:v1"), Some("reg.example.com")),
            "reg.example.com/team/e:v1"
        );
    }

    #[test]
    fn without_a_registry_the_tag_stands() {
        assert_eq!(image(Some("e:v1"), None), "e:v1");
    }
}
