//! Building with Docker, its legacy builder or `BuildKit`, or with podman when that is what is there.
//!
//! The build context is a temporary directory: nothing is written beside the user's files, and it is gone when the
//! build is over, or when the next one starts after this one was killed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tntc_core::values::ImageReference;
use tokio::process::Command;

use super::fault::{self, Fault, Subject};
use super::platform::Platform;
use super::{recipe, reference, retry};
use crate::deno;
use crate::outcome::error::io;
use crate::outcome::{Error, Result};
use crate::process::program::{self, Failure};
use crate::terminal::Printer;
use crate::terminal::progress::Phase;
use crate::workspace::scratch::Scratch;

/// Name of the generated Dockerfile.
const DOCKERFILE: &str = "Dockerfile.tentacular";

/// A container program that answers.
#[derive(Debug)]
pub struct Docker {
    program: &'static str,
    podman: bool,
}

/// One image to build.
#[derive(Debug, Clone)]
pub struct Build<'a> {
    /// Full reference of the image.
    pub image: &'a ImageReference,
    /// Full reference of its base.
    pub base: &'a ImageReference,
    /// Target platform; `None` is the program's own.
    pub platform: Option<&'a Platform>,
    /// Whether to speak plain HTTP to registries elsewhere, too.
    pub plain_http: bool,
}

impl Docker {
    /// Docker, or podman where there is no docker program; asked whether it works.
    ///
    /// # Errors
    /// Neither is on PATH, or the one that is does not answer.
    pub async fn find() -> Result<Self> {
        if let Some(answer) = ask("docker").await? {
            let podman = is_podman("docker").await;
            return Self::answering("docker", podman, &answer);
        }
        match ask("podman").await? {
            Some(answer) => Self::answering("podman", true, &answer),
            None => Err(
                Error::surroundings("there is no docker program on PATH, and no podman").hint(
                    "build without one: tntc build --builder oci --push, or with --to FILE.tar",
                ),
            ),
        }
    }

    fn answering(program: &'static str, podman: bool, answer: &Output) -> Result<Self> {
        if answer.status.success() {
            return Ok(Self { program, podman });
        }
        let told = String::from_utf8_lossy(&answer.stderr).into_owned();
        Err(if podman {
            podman_down(&told)
        } else {
            docker_down()
        }
        .cause(told))
    }

    /// Which program this is, as the user knows it.
    pub fn name(&self) -> &'static str {
        if self.podman { "podman" } else { "docker" }
    }

    /// Builds one image.
    ///
    /// # Errors
    /// The base cannot be had, or the build failed, with the tail of its output.
    pub async fn build(&self, build: &Build<'_>, printer: &Printer) -> Result<()> {
        let base_digest = self.base(build, printer).await?;
        let context = context(&self.full_name(build.base))?;
        let labels = recipe::labels(build.base.as_str(), base_digest.as_deref());
        let phase = Phase::begin(&format!("building {}", build.image), printer);
        let mut command = self.build_command(build, context.path(), &labels);
        let done = program::run(&mut command, &phase).await;
        let doing = format!("{} build of {}", self.name(), build.image);
        done.map(drop).map_err(|failure| match Fault::of(&failure) {
            Some(fault @ (Fault::DiskFull | Fault::Runtime)) => fault
                .error(&doing, Subject::Image(build.base))
                .cause(failure.tail),
            _ => Error::failed(format!("{doing} failed")).cause(failure.tail),
        })
    }

    fn build_command(
        &self,
        build: &Build<'_>,
        context: &Path,
        labels: &BTreeMap<String, String>,
    ) -> Command {
        let mut command = Command::new(self.program);
        command
            .arg("build")
            .arg("--file")
            .arg(context.join(DOCKERFILE));
        command.arg("--tag").arg(self.full_name(build.image));
        for (name, value) in labels {
            command.args(["--label", &format!("{name}={value}")]);
        }
        if let Some(platform) = build.platform {
            command.args(["--platform", &platform.to_string()]);
        }
        command.arg(context);
        command
    }

    /// Sees to it that the base is there for the platform, and returns its digest, which an image that never came
    /// from a registry has not.
    async fn base(&self, build: &Build<'_>, printer: &Printer) -> Result<Option<String>> {
        let fits = |found: &Value| build.platform.is_none_or(|wanted| has(found, wanted));
        let base = self.full_name(build.base);
        if let Some(found) = self.inspect(&base).await.filter(fits) {
            return Ok(repository_digest(&found));
        }
        self.pull(build, printer).await?;
        let pulled = self.inspect(&base).await;
        // Docker takes the only platform that an image has, whichever was asked for.
        match pulled.as_ref().filter(|found| fits(found)) {
            Some(found) => Ok(repository_digest(found)),
            None => Err(Fault::NoPlatform
                .error(&format!("{} pull", self.name()), Subject::Image(build.base))),
        }
    }

    async fn pull(&self, build: &Build<'_>, printer: &Printer) -> Result<()> {
        let phase = Phase::begin(&format!("pulling the base {}", build.base), printer);
        let mut command = Command::new(self.program);
        command.arg("pull");
        if let Some(platform) = build.platform {
            command.args(["--platform", &platform.to_string()]);
        }
        command.args(self.plain_http_flag(build.base, build.plain_http));
        command.arg(self.full_name(build.base));
        let pulled = program::run(&mut command, &phase).await;
        let doing = format!("{} pull of {}", self.name(), build.base);
        pulled
            .map(drop)
            .map_err(|failure| told(&failure, &doing, build.base))
    }

    /// What the program knows of an image that it has.
    async fn inspect(&self, image: &str) -> Option<Value> {
        let output = Command::new(self.program)
            .args(["image", "inspect", image])
            .stdin(Stdio::null())
            .output()
            .await
            .ok()?;
        let mut found: Vec<Value> = serde_json::from_slice(&output.stdout).ok()?;
        found.pop()
    }

    /// The ID of an image that the program has: a digest of its configuration, which names all of its content.
    pub async fn id(&self, image: &ImageReference) -> Option<String> {
        let found = self.inspect(image.as_str()).await?;
        found["Id"].as_str().map(str::to_owned)
    }

    /// Pushes an image and returns its digest.
    ///
    /// # Errors
    /// The registry is down, wants credentials, or answers with another failure.
    pub async fn push(
        &self,
        image: &ImageReference,
        plain_http: bool,
        printer: &Printer,
    ) -> Result<String> {
        let phase = Phase::begin(&format!("pushing {image}"), printer);
        let doing = format!("{} push of {image}", self.name());
        let temporary = Scratch::new("push")?;
        let digest_file = temporary.path().join("digest");
        let mut command = Command::new(self.program);
        command.arg("push");
        if self.podman {
            command.arg("--digestfile").arg(&digest_file);
        }
        command.args(self.plain_http_flag(image, plain_http));
        command.arg(self.full_name(image));
        // Docker tries again by itself when the connection breaks; podman does after some breaks only.
        let broken = |failure: &Failure| Fault::of(failure) == Some(Fault::Broken);
        let again = |failure: &Failure| (self.podman && broken(failure)).then_some(Duration::ZERO);
        let push = async || program::run(&mut command, &phase).await;
        let lines = retry::while_transient(again, push).await;
        let lines = lines.map_err(|failure| told(&failure, &doing, image))?;
        let written = fs::read_to_string(digest_file).unwrap_or_default();
        digest(&written)
            .or_else(|| lines.iter().rev().find_map(|line| digest(line)))
            .ok_or_else(|| {
                Error::failed(format!("{doing} named no digest")).cause(lines.join("\n"))
            })
    }

    /// Writes an image as a docker-archive.
    pub async fn save(&self, image: &ImageReference, path: &Path, printer: &Printer) -> Result<()> {
        let phase = Phase::begin(&format!("writing {}", path.display()), printer);
        let mut command = Command::new(self.program);
        command.args(["save", "--output"]).arg(path);
        command.arg(self.full_name(image));
        let saved = program::run(&mut command, &phase).await;
        let doing = format!("{} save of {image}", self.name());
        saved
            .map(drop)
            .map_err(|failure| told(&failure, &doing, image))
    }

    /// The name of an image for this program. To podman a short one is a name on this machine (`localhost/e`), or none
    /// at all; in a cluster, as in Docker, it is Docker Hub's.
    fn full_name(&self, image: &ImageReference) -> String {
        if self.podman {
            image.whole()
        } else {
            image.to_string()
        }
    }

    /// Docker speaks plain HTTP to this machine by itself, and elsewhere only where its daemon's settings say so.
    fn plain_http_flag(&self, image: &ImageReference, plain_http: bool) -> Option<&'static str> {
        let plain = plain_http || reference::is_local(image.registry());
        (self.podman && plain).then_some("--tls-verify=false")
    }

    /// Whether the images of this program are where `kind load docker-image` looks for them.
    pub fn is_docker(&self) -> bool {
        !self.podman
    }
}

fn docker_down() -> Error {
    Error::surroundings("the Docker daemon does not answer")
        .hint("start it, or point DOCKER_HOST at one that runs")
        .hint(fault::WITHOUT)
}

fn podman_down(told: &str) -> Error {
    let failure = Failure {
        tail: told.to_owned(),
    };
    match Fault::of(&failure) {
        Some(Fault::Runtime) => Fault::Runtime.error("podman", Subject::Registry("")),
        _ => Error::surroundings("podman does not work here").hint(fault::WITHOUT),
    }
}

/// `None` when there is no such program. Listing containers needs a daemon that works, and podman knows it too.
async fn ask(program: &str) -> Result<Option<Output>> {
    let mut command = Command::new(program);
    command.args(["ps", "--quiet"].map(OsStr::new));
    match command.stdin(Stdio::null()).output().await {
        Ok(output) => Ok(Some(output)),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Error::surroundings(format!(
            "cannot run {program}: {cause}"
        ))),
    }
}

/// Some distributions have a `docker` that is podman.
async fn is_podman(program: &str) -> bool {
    let output = Command::new(program).arg("--version").output().await;
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("podman"))
}

fn context(base: &str) -> Result<Scratch> {
    let context = Scratch::new("build")?;
    deno::write_engine(&context.path().join(recipe::CONTEXT_DIR))?;
    let path = context.path().join(DOCKERFILE);
    fs::write(&path, recipe::dockerfile(base)).map_err(io("write", &path))?;
    Ok(context)
}

fn told(failure: &Failure, doing: &str, image: &ImageReference) -> Error {
    let error = match Fault::of(failure) {
        Some(fault) => fault.error(doing, Subject::Image(image)),
        None => Error::surroundings(format!("{doing} failed")),
    };
    error.cause(failure.tail.clone())
}

/// The digest in a text such as `latest: digest: sha256:… size: 1234`.
fn digest(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("sha256:")?;
    let hexadecimal: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    (hexadecimal.len() == 64).then(|| format!("sha256:{hexadecimal}"))
}

fn has(found: &Value, platform: &Platform) -> bool {
    Platform::of(&lower_keys(found)).is_some_and(|found| platform.accepts(&found))
}

fn repository_digest(found: &Value) -> Option<String> {
    let digests = found["RepoDigests"].as_array()?;
    digests.iter().find_map(|named| digest(named.as_str()?))
}

/// `docker image inspect` writes `Os` and `Architecture` where an image's config has `os` and `architecture`.
fn lower_keys(found: &Value) -> Value {
    let entries = found.as_object().into_iter().flatten();
    entries
        .map(|(key, value)| (key.to_lowercase(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_read_from_the_output_of_a_push() {
        let hexadecimal = "ab".repeat(32);
        let line = format!("latest: digest: sha256:{hexadecimal} size: 1234");
        assert_eq!(digest(&line), Some(format!("sha256:{hexadecimal}")));
        assert_eq!(digest("sha256:abc"), None);
    }
}
