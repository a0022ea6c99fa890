//! `deno bundle`, and what its failures mean.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::edits;
use super::graph::Graph;
use super::map::{self, SourceMap};
use super::node::{Bundle, Needy, Shape, beside};
use super::origin::Origins;
use super::surroundings::Surroundings;
use crate::outcome::error::io;
use crate::outcome::{Error, ErrorKind, Result};
use crate::process::lifetime;
use crate::process::program::{self, Failure};
use crate::terminal::progress::Phase;

/// What the engine itself provides.
const PROVIDED: [&str; 2] = ["tentacular", "tentacular/testing"];

/// Deno in a copy of the project.
pub struct Bundler<'a> {
    pub deno: PathBuf,
    pub dir: &'a Path,
    /// Whether the project has a lock file, which is held to then.
    pub locked: bool,
    /// What may be in a bundle.
    pub origins: Origins<'a>,
    /// What Deno gets to see.
    pub surroundings: &'a Surroundings,
}

impl Bundler<'_> {
    /// Bundles one node.
    ///
    /// # Errors
    /// An import cannot be had, is not what the lock file says, or is no TypeScript.
    pub async fn bundle(&self, node: &Needy, shape: Shape, phase: &Phase<'_>) -> Result<Bundle> {
        let output = self.dir.join("bundle.js");
        let mut command = self.command("bundle");
        command.args(["--platform", "deno", "--sourcemap=external"]);
        // Classes and functions are told apart by their names, also where others are called the same.
        command.arg("--keep-names");
        if shape == Shape::Small {
            command.arg("--minify");
        }
        command.args(PROVIDED.map(|name| format!("--external={name}")));
        command.arg("--output").arg(&output).arg(&node.path);
        if let Err(failure) = program::run(&mut command, phase).await {
            let failure = self.reason(node, failure, phase).await;
            return Err(told(node, &failure, &self.in_project(&failure.tail)));
        }
        let code = edits::repaired(fs::read_to_string(&output).map_err(io("read", &output))?)?;
        let map = output.with_extension("js.map");
        let map = fs::read_to_string(&map).map_err(io("read", &map))?;
        let map = SourceMap::from_json(&map).map_err(|cause| {
            Error::failed(format!(
                "the source map of {} cannot be read: {cause}",
                node.path
            ))
        })?;
        if let Some(source) = self.origins.foreign(map.sources()) {
            return Err(self.refused(node, &source, &map).await);
        }
        let name = beside(&node.path);
        let name = name.rsplit('/').next().unwrap_or_default();
        Ok(Bundle::new(&code, map, name))
    }

    /// Of something that must not be in a bundle: which import of the workflow or which packages brought it.
    async fn refused(&self, node: &Needy, source: &str, map: &SourceMap) -> Error {
        let url = if source.contains("://") {
            source.to_owned()
        } else {
            format!("file://{source}")
        };
        let origins = self.graph(&node.path).await.unwrap_or_default().origins();
        let packages: BTreeSet<_> = map.sources().map(map::module_of).collect();
        let packages: Vec<_> = packages
            .into_iter()
            .filter(|it| it.starts_with("npm:"))
            .collect();
        let cause = match origins.get(&url) {
            Some(import) => format!("it is imported as {import}"),
            None => format!("one of its packages takes it in: {}", packages.join(", ")),
        };
        let message = format!(
            "cannot bundle {}: {source} would be in it, which is neither the workflow's nor a package's",
            node.path
        );
        Error::failed(message).cause(cause).hint(
            "import from the workflow's own directory, from a package, or over https from a public host; \
             modules of a private network need trust in this directory: tntc configure --trust",
        )
    }

    /// What a node loads; `None` when Deno does not tell.
    pub async fn graph(&self, path: &str) -> Option<Graph> {
        let mut command = self.command("info");
        let output = command.arg("--json").arg(path).kill_on_drop(true).output();
        let answer = String::from_utf8(output.await.ok()?.stdout).ok()?;
        serde_json::from_str(&self.in_project(&answer)).ok()
    }

    /// What Deno tells of the copy, as it holds for the project: files by their paths there.
    fn in_project(&self, told: &str) -> String {
        told.replace(&format!("file://{}/", self.dir.display()), "")
    }

    /// Of a module that cannot be had, `deno bundle` says no more than that; `deno cache` says why.
    async fn reason(&self, node: &Needy, failure: Failure, phase: &Phase<'_>) -> Failure {
        if !failure.says(&["could not resolve"]) {
            return failure;
        }
        let mut command = self.command("cache");
        command.arg(&node.path);
        program::run(&mut command, phase)
            .await
            .err()
            .unwrap_or(failure)
    }

    fn command(&self, subcommand: &str) -> Command {
        let mut command = lifetime::bound(&self.deno);
        command.args([subcommand, "--quiet"]);
        self.surroundings.apply(&mut command);
        // Nothing of what is fetched runs here, so any public host may be imported from.
        command.args(["--allow-import", "--node-modules-dir=none"]);
        let denied = self.origins.denied();
        if !denied.is_empty() {
            command.arg(format!("--deny-import={}", denied.join(",")));
        }
        if self.locked {
            command.args(["--lock=deno.lock", "--frozen-lockfile"]);
        } else {
            command.arg("--no-lock");
        }
        command.current_dir(self.dir);
        command
    }
}

fn told(node: &Needy, failure: &Failure, cause: &str) -> Error {
    let unreachable = [
        "error sending request",
        "dns error",
        "connection refused",
        "timed out",
    ];
    let (kind, hint) = if failure.says(&["lockfile is out of date", "lock file is out of date"]) {
        (
            ErrorKind::Failed,
            "bring deno.lock up to date: deno install --lock, or deno cache with --frozen=false",
        )
    } else if failure.says(&["integrity check failed", "checksum"]) {
        (
            ErrorKind::Failed,
            "what was downloaded is not what deno.lock was written for: find out why before you replace it",
        )
    } else if failure.says(&["requires import access", "denied import access"]) {
        (
            ErrorKind::Failed,
            "nothing is imported from this machine or its private network unless the directory is trusted: tntc configure --trust",
        )
    } else if failure.says(&unreachable) {
        (
            ErrorKind::Surroundings,
            "check that the module's registry can be reached from here",
        )
    } else {
        (
            ErrorKind::Failed,
            "see whether Deno accepts it: deno check, in the workflow's directory",
        )
    };
    Error::new(
        kind,
        format!("cannot bundle {}, which imports {}", node.path, node.import),
    )
    .cause(cause)
    .hint(hint)
}
