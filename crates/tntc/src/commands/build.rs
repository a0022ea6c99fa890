//! `tntc build`: the engine image, with Docker or without.

use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use tntc_core::diagnostic::Invalid;
use tntc_core::settings::Settings;
use tntc_core::values::ImageReference;

use crate::cli::image;
use crate::cluster::client::connect::Target;
use crate::context::{Context, Overrides};
use crate::image::docker::{self, Docker};
use crate::image::platform::Platform;
use crate::image::{kind, oci, reference};
use crate::outcome::{Error, Outcome, Result};
use crate::process::interrupt::Interrupt;
use crate::terminal::Printer;
use crate::workspace::image_record::{self, Turn};
use crate::workspace::scratch::Scratch;

/// Build the engine image, with Docker or without
#[derive(Debug, Args)]
pub struct Build {
    /// Workflow directory
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Image tag [default: tentacular-engine:latest]
    #[arg(short, long, value_parser = image)]
    pub tag: Option<ImageReference>,
    /// Push the image after building it
    #[arg(long)]
    pub push: bool,
    /// Write the image to an archive FILE.tar, or to a directory
    #[arg(long, value_name = "PATH")]
    pub to: Option<PathBuf>,
    /// Target platforms, such as linux/amd64,linux/arm64 [default: this machine's]
    #[arg(long, value_delimiter = ',', value_name = "PLATFORM")]
    pub platform: Vec<Platform>,
    /// What builds the image [default: docker when it answers, otherwise oci, which needs no container program]
    #[arg(long, value_enum)]
    pub builder: Option<Builder>,
    /// Base image, such as your mirror's [default: from config, then denoland/deno:distroless]
    #[arg(long, value_name = "IMAGE", value_parser = image)]
    pub base: Option<ImageReference>,
    /// Use plain HTTP also for registries on other machines
    #[arg(long)]
    pub plain_http: bool,
}

/// What builds an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Builder {
    /// Docker, or podman when that is what is there
    Docker,
    /// This program itself, from registry to registry or file
    Oci,
}

/// The fields of the answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer<'a> {
    /// The image's full reference.
    image: &'a ImageReference,
    /// `sha256:…`; null for an image that only Docker or Podman has.
    digest: Option<&'a str>,
    /// `docker`, `podman` or `oci`.
    builder: &'static str,
    /// Such as `linux/amd64`; empty for this machine's own.
    platforms: Vec<String>,
    /// Where it was written to, besides.
    output: Option<&'a Path>,
}

/// Everything that a build is decided by.
struct Plan<'a> {
    image: ImageReference,
    base: ImageReference,
    platforms: Vec<Platform>,
    push: bool,
    plain_http: bool,
    output: Option<PathBuf>,
    settings: Settings,
    printer: &'a Printer,
}

/// What was built.
struct Built {
    builder: &'static str,
    /// Of what a registry or an archive has; an image that only Docker has, has none.
    digest: Option<String>,
    /// Tells this build from others of its tag.
    id: Option<String>,
}

/// Who holds an image that was built.
enum Held<'a> {
    Docker(&'a Docker),
    Built(&'a oci::Built),
}

impl Held<'_> {
    /// The digest of its configuration.
    async fn id(&self, image: &ImageReference) -> Option<String> {
        match self {
            Held::Docker(docker) => docker.id(image).await,
            Held::Built(built) => built.config_digest().map(str::to_owned),
        }
    }
}

/// Builds, pushes or writes, loads into kind, and remembers the image for `deploy`.
pub async fn run(arguments: Build, context: &Context) -> Result<Outcome> {
    let plan = plan(&arguments, context)?;
    if context.global.context.is_some() {
        // Whoever names a context means its cluster, and would not learn that the image was loaded nowhere.
        Target::find(&plan.settings)?;
    }
    let mut interrupt = Interrupt::listen()?;
    tokio::select! {
        built = in_turn(&arguments, &plan) => built,
        signal = interrupt.raised() => Err(signal.error("interrupted; nothing was remembered for deploy")),
    }
}

fn plan<'a>(arguments: &Build, context: &'a Context) -> Result<Plan<'a>> {
    let opened = context.open(&arguments.dir)?;
    let overrides = Overrides {
        base: arguments.base.clone(),
        rebuilds: true,
        ..Overrides::default()
    };
    let settings = context.settings_of(&opened, overrides)?;
    context.require_images(&settings, &["base_image"], &arguments.dir)?;
    let tag = arguments.tag.as_ref().unwrap_or(&ImageReference::DEFAULT);
    let plan = Plan {
        image: reference::tagged(tag, settings.registry.as_ref())?,
        base: settings.base_image.value.clone(),
        platforms: distinct(&arguments.platform),
        push: arguments.push,
        plain_http: arguments.plain_http,
        output: destination(arguments, context),
        settings,
        printer: &context.printer,
    };
    if arguments.builder == Some(Builder::Oci) && !plan.has_destination() {
        return Err(
            Error::usage("the oci builder has no local store to leave the image in")
                .hint("push it with --push, or write it with --to FILE.tar or --to DIRECTORY"),
        );
    }
    Ok(plan)
}

/// `--output` was where the image goes, too; it is to mean the format of the answer only.
fn destination(arguments: &Build, context: &Context) -> Option<PathBuf> {
    let place = context.global.place();
    if let Some(place) = place {
        let place = place.display();
        let warning = format!("--output {place} is deprecated: write --to {place}");
        context.printer.warn(warning);
    }
    arguments.to.clone().or_else(|| place.map(Path::to_owned))
}

/// Builds of one directory end in one file, so they take turns.
async fn in_turn(arguments: &Build, plan: &Plan<'_>) -> Result<Outcome> {
    let turn = Turn::take(&arguments.dir, plan.printer).await?;
    let built = match choose(arguments.builder, plan).await? {
        Some(docker) => with_docker(&docker, plan).await?,
        None => without_docker(plan).await?,
    };
    let pushed = built.digest.as_ref().filter(|_| plan.push);
    let image = match pushed {
        Some(digest) => plan
            .image
            .with_digest(digest)
            .map_err(|invalid| unexpected(&invalid))?,
        None => plan.image.clone(),
    };
    image_record::write(&arguments.dir, &image, built.id.as_deref())?;
    drop(turn);
    Ok(outcome(plan, &built))
}

/// Docker, or nothing for the builder that needs none.
async fn choose(builder: Option<Builder>, plan: &Plan<'_>) -> Result<Option<Docker>> {
    match builder {
        Some(Builder::Oci) => Ok(None),
        Some(Builder::Docker) => Docker::find().await.map(Some),
        None => match Docker::find().await {
            Err(error) if plan.has_destination() => {
                plan.printer.note(format!("{error}: building without it"));
                Ok(None)
            }
            found => found.map(Some),
        },
    }
}

async fn with_docker(docker: &Docker, plan: &Plan<'_>) -> Result<Built> {
    if plan.platforms.len() > 1 {
        return several_with_docker(docker, plan).await;
    }
    let build = docker::Build {
        image: &plan.image,
        base: &plan.base,
        platform: plan.platforms.first(),
        plain_http: plan.plain_http,
    };
    if plan
        .output
        .as_deref()
        .is_some_and(|to| !oci::is_archive(to))
    {
        return Err(
            Error::usage(format!("{} can only write an archive", docker.name()))
                .hint("name a file that ends in .tar, or build with --builder oci"),
        );
    }
    docker.build(&build, plan.printer).await?;
    let digest = if plan.push {
        Some(
            docker
                .push(&plan.image, plan.plain_http, plan.printer)
                .await?,
        )
    } else {
        None
    };
    if let Some(to) = &plan.output {
        docker.save(&plan.image, to, plan.printer).await?;
    }
    load_into_kind(plan, Held::Docker(docker)).await?;
    Ok(Built {
        builder: docker.name(),
        digest,
        id: docker.id(&plan.image).await,
    })
}

/// Docker's store may hold one platform a tag, so each goes to the registry under a tag of its own, and an index of
/// them under the one asked for.
async fn several_with_docker(docker: &Docker, plan: &Plan<'_>) -> Result<Built> {
    if !plan.push || plan.output.is_some() {
        return Err(Error::usage(format!(
            "{} can build several platforms at once only for a registry",
            docker.name()
        ))
        .hint("push them with --push, or write them with --builder oci --to FILE.tar"));
    }
    let mut digests = Vec::with_capacity(plan.platforms.len());
    for platform in &plan.platforms {
        let image = plan.image.with_tag_suffix(&platform.tag_suffix());
        let image = image.map_err(|invalid| Error::usage(invalid.in_one_line()))?;
        let build = docker::Build {
            image: &image,
            base: &plan.base,
            platform: Some(platform),
            plain_http: plan.plain_http,
        };
        docker.build(&build, plan.printer).await?;
        let digest = docker.push(&image, plan.plain_http, plan.printer).await?;
        digests.push((digest, platform.clone()));
    }
    let digest = oci::push_index(&plan.image, &digests, plan.plain_http).await?;
    Ok(Built {
        builder: docker.name(),
        id: Some(digest.clone()),
        digest: Some(digest),
    })
}

async fn without_docker(plan: &Plan<'_>) -> Result<Built> {
    let wanted = oci::Build {
        image: &plan.image,
        base: &plan.base,
        platforms: &plan.platforms,
        plain_http: plan.plain_http,
    };
    let built = oci::build(&wanted, plan.printer).await?;
    if plan.push {
        built.push(plan.printer).await?;
    }
    if let Some(to) = &plan.output {
        built.write(to, plan.printer).await?;
    }
    load_into_kind(plan, Held::Built(&built)).await?;
    Ok(Built {
        builder: "oci",
        digest: Some(built.digest()),
        id: Some(built.digest()),
    })
}

/// Without a kubeconfig there is no kind cluster to load into, and building needs none.
async fn load_into_kind(plan: &Plan<'_>, held: Held<'_>) -> Result<()> {
    let target = Target::find(&plan.settings);
    let Some(cluster) = target.ok().and_then(|target| target.kind) else {
        return Ok(());
    };
    let image = &plan.image;
    if !kind::is_installed().await {
        plan.printer.warn(format!(
            "there is no kind program on PATH; load the image yourself: {}",
            kind::command(image, &cluster, plan.archive())
        ));
        return Ok(());
    }
    if let Some(id) = held.id(image).await
        && kind::has(image, &id, &cluster).await
    {
        let there = format!("kind cluster '{cluster}' has {image} already");
        plan.printer.note(there);
        return Ok(());
    }
    match (held, plan.archive()) {
        (Held::Docker(docker), _) if docker.is_docker() => {
            kind::load(image, &cluster, None, plan.printer).await?;
        }
        (_, Some(archive)) => kind::load(image, &cluster, Some(archive), plan.printer).await?,
        (held, None) => {
            let temporary = Scratch::new("archive")?;
            let archive = temporary.path().join("image.tar");
            match held {
                Held::Docker(podman) => podman.save(image, &archive, plan.printer).await?,
                Held::Built(built) => built.write(&archive, plan.printer).await?,
            }
            kind::load(image, &cluster, Some(&archive), plan.printer).await?;
        }
    }
    plan.printer
        .note(format!("loaded {image} into kind cluster '{cluster}'"));
    Ok(())
}

impl Plan<'_> {
    fn has_destination(&self) -> bool {
        self.push || self.output.is_some()
    }

    fn archive(&self) -> Option<&Path> {
        self.output.as_deref().filter(|to| oci::is_archive(to))
    }
}

/// Of a digest that a builder names.
fn unexpected(invalid: &Invalid) -> Error {
    Error::failed(invalid.in_one_line())
}

/// The platforms, each once, in the order in which they were named.
fn distinct(platforms: &[Platform]) -> Vec<Platform> {
    let mut kept: Vec<Platform> = Vec::new();
    for platform in platforms {
        if !kept.contains(platform) {
            kept.push(platform.clone());
        }
    }
    kept
}

fn outcome(plan: &Plan<'_>, built: &Built) -> Outcome {
    let image = &plan.image;
    let summary = match (&plan.output, plan.push) {
        (Some(to), false) => format!("built {image} into {}", to.display()),
        (Some(to), true) => format!("built and pushed {image}, also into {}", to.display()),
        (None, true) => format!("built and pushed {image}"),
        (None, false) => format!("built {image}"),
    };
    let text = match &built.digest {
        Some(digest) => format!("{summary}\n{digest}"),
        None => summary.clone(),
    };
    Outcome::new(summary).text(text).own(Answer {
        image,
        digest: built.digest.as_deref(),
        builder: built.builder,
        platforms: plan.platforms.iter().map(ToString::to_string).collect(),
        output: plan.output.as_deref(),
    })
}
