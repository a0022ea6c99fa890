//! Nodes that import from npm, JSR or a URL, made into files that need no download: `deno bundle`, before a deploy and
//! before a local run.
//!
//! Both run with `--no-remote --no-npm`. So such a node's file becomes one line that re-exports its bundle, and the
//! bundle goes beside it under its own key. It cannot take the node's own place: `f(a<b,c>(d))` is two comparisons in
//! the bundle's JavaScript and a call in a `.ts` file.

mod bundler;
mod edits;
mod graph;
mod map;
mod node;
mod origin;
mod size_limit;
mod surroundings;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use tntc_core::manifests::code::Code;
use tntc_core::modules::{self, Fault, FaultKind, SyntaxError};
use tntc_core::project::Project;

use crate::deno;
use crate::outcome::error::io;
use crate::outcome::{Error, Result};
use crate::process::interrupt::Interrupt;
use crate::terminal::Printer;
use crate::terminal::progress::Phase;
use crate::workspace::project::Opened;
use crate::workspace::scratch::{self, Scratch};
use bundler::Bundler;
use node::{Bundle, Needy, Shape};
use surroundings::Surroundings;

/// What a workflow calls the file that fixes the versions of its dependencies.
const LOCK_FILE: &str = "deno.lock";
/// Where a workflow may map the names that it imports; Deno looks above for one when there is none.
const CONFIGS: [&str; 2] = ["deno.json", "deno.jsonc"];

/// The project as it is delivered: every node with such imports replaced by its bundle. Without any, no Deno is needed.
///
/// # Errors
/// A file is no TypeScript, Deno is missing, an import cannot be had, the lock file is out of date, or the bundles do
/// not fit a ConfigMap.
pub async fn delivered(opened: &Opened, printer: &Printer) -> Result<Project> {
    let found: std::result::Result<Vec<_>, _> = paths(opened, |_| true)
        .into_iter()
        .map(|path| needy(&opened.project, path))
        .collect();
    let found = found.map_err(|cause| Error::failed(cause.to_string()))?;
    let needy: Vec<_> = found.into_iter().flatten().collect();
    let bundles = bundle_all(opened, &needy, Shape::Small, printer).await?;
    Ok(replaced(&opened.project, &bundles))
}

/// The project as it runs on this machine, with the nodes that `wanted` accepts replaced as in [`delivered`]; `None`
/// when none of them has to be. A node that is no TypeScript is left for Deno to refuse when it is imported.
///
/// # Errors
/// Deno is missing, an import cannot be had, or the lock file is out of date.
pub async fn runnable(
    opened: &Opened,
    wanted: impl Fn(&str) -> bool,
    printer: &Printer,
) -> Result<Option<Project>> {
    let needy: Vec<_> = paths(opened, wanted)
        .into_iter()
        .filter_map(|path| needy(&opened.project, path).ok().flatten())
        .collect();
    if needy.is_empty() {
        return Ok(None);
    }
    let bundles = bundle_all(opened, &needy, Shape::Readable, printer).await?;
    Ok(Some(replaced(&opened.project, &bundles)))
}

/// Files of the nodes whose names `wanted` accepts, each once.
fn paths(opened: &Opened, wanted: impl Fn(&str) -> bool) -> BTreeSet<&str> {
    let nodes = opened.workflow.nodes.iter();
    nodes
        .filter(|node| wanted(node.name.as_str()))
        .map(|node| node.path.as_str())
        .collect()
}

/// Whether a node's file imports something from outside, itself or through files that it imports.
fn needy(project: &Project, path: &str) -> std::result::Result<Option<Needy>, SyntaxError> {
    let closure = modules::closure(project, path)?;
    Ok(closure.bundled().map(|import| Needy {
        path: path.to_owned(),
        import: import.specifier.clone(),
    }))
}

/// Bundles by the path of their node; small ones fit a `ConfigMap` together, with the workflow's other files.
async fn bundle_all(
    opened: &Opened,
    needy: &[Needy],
    shape: Shape,
    printer: &Printer,
) -> Result<BTreeMap<String, Bundle>> {
    let mut bundles = BTreeMap::new();
    let Some(first) = needy.first() else {
        return Ok(bundles);
    };
    refuse_native(opened, needy)?;
    let deno = deno::find().await.map_err(|error| {
        error.hint(format!(
            "{} imports {}, which Deno bundles",
            first.path, first.import
        ))
    })?;
    let mut interrupt = Interrupt::listen()?;
    let surroundings = Surroundings::of(&opened.dir, printer)?;
    let temporary = copy(opened, &surroundings)?;
    let dir = fs::canonicalize(temporary.path()).map_err(io("open", temporary.path()))?;
    let deno = Bundler {
        deno,
        dir: &dir,
        locked: opened.project.files.contains_key(LOCK_FILE),
        origins: surroundings.origins(&dir, &opened.project),
        surroundings: &surroundings,
    };
    for node in needy {
        let phase = Phase::begin(&format!("bundling {}", node.path), printer);
        let made = tokio::select! {
            made = deno.bundle(node, shape, &phase) => made?,
            signal = interrupt.raised() => {
                return Err(signal.error(format!("interrupted while bundling {}", node.path)));
            }
        };
        bundles.insert(node.path.clone(), made);
    }
    if shape == Shape::Small {
        let others = Code::collect(&opened.project, &opened.workflow);
        // What is wrong with the others is told where they are delivered.
        let others = others.map_or(0, |code| code.files().values().map(Vec::len).sum());
        size_limit::fit(&deno, others, &mut bundles).await?;
    }
    Ok(bundles)
}

/// Native code would be looked for when the node runs, in places of the machine that bundled it.
fn refuse_native(opened: &Opened, needy: &[Needy]) -> Result<()> {
    for node in needy {
        let closure = modules::closure(&opened.project, &node.path).unwrap_or_default();
        let mut faults = closure.faults(&node.path);
        let native = faults.find(|(_, fault)| matches!(fault.kind, FaultKind::Native { .. }));
        if let Some((file, Fault { kind, place })) = native {
            let message = format!("{file}:{}:{}: {kind}", place.line, place.column);
            return Err(Error::failed(message));
        }
    }
    Ok(())
}

fn replaced(project: &Project, bundles: &BTreeMap<String, Bundle>) -> Project {
    let mut project = project.clone();
    for (path, bundle) in bundles {
        put(&mut project, path, bundle);
    }
    project
}

/// Bundling happens in a copy: Deno writes lock files and module directories beside what it reads. The copy has
/// settings of its own, so that none of a directory above are obeyed.
fn copy(opened: &Opened, surroundings: &Surroundings) -> Result<Scratch> {
    let dir = Scratch::new("bundle")?;
    for (name, content) in &opened.project.files {
        scratch::write(dir.path(), name, content)?;
    }
    if !CONFIGS
        .iter()
        .any(|it| opened.project.files.contains_key(*it))
    {
        scratch::write(dir.path(), CONFIGS[0], b"{}")?;
    }
    surroundings.write(dir.path())?;
    Ok(dir)
}

fn put(project: &mut Project, path: &str, bundle: &Bundle) {
    let beside = bundle.file(path);
    let (dir, name) = beside.rsplit_once('/').unwrap_or(("", &beside));
    let up = "../".repeat(if dir.is_empty() {
        0
    } else {
        dir.split('/').count()
    });
    let own = |source: &str| {
        let known = project.files.contains_key(source);
        known.then(|| format!("{up}{source}"))
    };
    let map = bundle.map.only(own).to_json();
    let stub = format!("export {{ default }} from \"./{name}\";\n");
    let files = [
        (path.to_owned(), stub.into_bytes()),
        (beside.clone(), bundle.bytes().to_vec()),
        (format!("{}.map", node::beside(path)), map.into_bytes()),
    ];
    project.files.extend(files);
}
