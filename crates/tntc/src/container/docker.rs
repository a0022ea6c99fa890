//! `docker build` of the engine image, in a temporary context that is gone afterwards.

use std::ffi::OsStr;
use std::fs;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::deno;
use crate::error::{Error, Result, io};
use crate::output::Printer;

/// Name of the generated Dockerfile; it lives as long as the build.
const DOCKERFILE: &str = "Dockerfile.tentacular";

/// Lines of a failed command that are shown.
const TAIL: usize = 30;

/// The engine and nothing else: a workflow's code arrives by ConfigMap. The broad permissions are the fallback of a
/// workflow without a contract; with one, the Deployment replaces the entrypoint.
const DOCKERFILE_TEXT: &str = r#"FROM denoland/deno:distroless

WORKDIR /app

COPY .engine/ /app/engine/
COPY .engine/deno.json /app/deno.json
COPY .engine/deno.lock /app/deno.lock

RUN ["deno", "cache", "--lock=deno.lock", "engine/main.ts"]

EXPOSE 8080

ENTRYPOINT ["deno", "run", "--no-lock", "--unstable-net", "--allow-net", "--allow-read=/app,/var/run/secrets", "--allow-write=/tmp", "--allow-env", "engine/main.ts", "--workflow", "/app/workflow/workflow.yaml", "--port", "8080"]
"#;

/// What to build.
#[derive(Debug, Clone)]
pub struct Build<'a> {
    /// Full image reference.
    pub image: &'a str,
    /// Target platform; `None` is the daemon's own.
    pub platform: Option<&'a str>,
}

/// Builds the engine image.
///
/// # Errors
/// Docker is missing or does not answer; the build failed, with the tail of its output.
pub async fn build(build: &Build<'_>, printer: &Printer) -> Result<()> {
    require_daemon().await?;
    let context = tempfile::Builder::new()
        .prefix("tentacular-build-")
        .tempdir()
        .map_err(|cause| {
            Error::surroundings(format!("cannot make a temporary build context: {cause}"))
        })?;
    deno::write_engine(&context.path().join(".engine"))?;
    let dockerfile = context.path().join(DOCKERFILE);
    fs::write(&dockerfile, DOCKERFILE_TEXT).map_err(io("write", &dockerfile))?;
    let mut arguments = vec![
        OsStr::new("build"),
        OsStr::new("--file"),
        dockerfile.as_os_str(),
    ];
    arguments.extend(["--tag", build.image].map(OsStr::new));
    if let Some(platform) = build.platform {
        arguments.extend(["--platform", platform].map(OsStr::new));
    }
    arguments.push(context.path().as_os_str());
    let built = run(Command::new("docker").args(arguments), printer).await;
    built.map_err(|tail| {
        Error::failed(format!("docker build of {} failed", build.image)).details(tail)
    })
}

/// Pushes an image.
pub async fn push(image: &str, printer: &Printer) -> Result<()> {
    let pushed = run(Command::new("docker").args(["push", image]), printer).await;
    pushed.map_err(|tail| {
        Error::surroundings(format!("docker push of {image} failed"))
            .details(tail)
            .hint("check that the registry is up and that you are logged in: docker login")
    })
}

async fn require_daemon() -> Result<()> {
    let asked = Command::new("docker")
        .args(["version", "--format", "{{.Server.Version}}"])
        .output()
        .await;
    match asked {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::surroundings("there is no docker program on PATH")
                .hint("install Docker; `tntc build` needs it"))
        }
        Err(cause) => Err(Error::surroundings(format!("cannot run docker: {cause}"))),
        Ok(answer) if answer.status.success() => Ok(()),
        Ok(answer) => Err(Error::surroundings("the Docker daemon does not answer")
            .details(String::from_utf8_lossy(&answer.stderr).into_owned())
            .hint("start it, or point DOCKER_HOST at one that runs")),
    }
}

/// Runs to the end, showing the output when verbose; on failure, returns its tail.
pub async fn run(command: &mut Command, printer: &Printer) -> std::result::Result<(), String> {
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|cause| cause.to_string())?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (out, err) = tokio::join!(lines(out, printer), lines(err, printer));
    match child.wait().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(tail(out.into_iter().chain(err), &status.to_string())),
        Err(cause) => Err(cause.to_string()),
    }
}

async fn lines(
    stream: Option<impl tokio::io::AsyncRead + Unpin>,
    printer: &Printer,
) -> Vec<String> {
    let mut kept = Vec::new();
    let Some(stream) = stream else { return kept };
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if printer.verbose() {
            printer.note(&line);
        }
        kept.push(line);
    }
    kept
}

fn tail(lines: impl Iterator<Item = String>, status: &str) -> String {
    let lines: Vec<_> = lines.collect();
    let shown = lines.len().saturating_sub(TAIL);
    format!("{}\n{status}", lines[shown..].join("\n"))
}
