//! Nodes that import from npm, JSR or a URL, made into files that need no download: `deno bundle`, before a deploy and
//! before a local run.
//!
//! Both run with `--no-remote --no-npm`. So such a node's file becomes one line that re-exports its bundle, and the
//! bundle goes beside it under its own key. It cannot take the node's own place: `f(a<b,c>(d))` is two comparisons in
//! the bundle's JavaScript and a call in a `.ts` file.

mod bundler;
mod edits;
mod map;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use tempfile::TempDir;
use tntc_core::manifests::code::MAX_BYTES;
use tntc_core::modules::{self, Import, ImportKind, SyntaxError};
use tntc_core::project::Project;

use self::bundler::Bundler;
use self::map::SourceMap;
use crate::deno;
use crate::error::{Error, Result, io};
use crate::interrupt::Interrupt;
use crate::output::Printer;
use crate::progress::Phase;
use crate::project::{self, Opened};

/// What a workflow calls the file that fixes the versions of its dependencies.
const LOCK_FILE: &str = "deno.lock";
/// Names a private registry of npm; a dot-file, which is no part of the delivered code.
const NPM_CONFIG: &str = ".npmrc";
/// How many of the largest imports are named.
const LARGEST: usize = 3;

/// A node and the imports for whose sake it is bundled.
struct Needy {
    path: String,
    /// The first, as written.
    import: String,
    /// All of them, with the places where they stand.
    imports: Vec<String>,
}

/// What a bundle is made for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// To fit a ConfigMap.
    Small,
    /// To give errors with the names and the places of the sources.
    Readable,
}

/// One bundled node.
struct Bundle {
    code: String,
    map: SourceMap,
}

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
    require_room(&needy, &bundles)?;
    replaced(&opened.project, &bundles)
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
    replaced(&opened.project, &bundles).map(Some)
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
    let mut first = None;
    let mut imports = Vec::new();
    for (file, module) in closure.loaded() {
        for import in module.imports.iter().filter(|import| is_outside(import)) {
            let (place, specifier) = (import.place, &import.specifier);
            imports.push(format!(
                "{file}:{}:{} imports {specifier}",
                place.line, place.column
            ));
            first.get_or_insert_with(|| specifier.clone());
        }
    }
    Ok(first.map(|import| Needy {
        path: path.to_owned(),
        import,
        imports,
    }))
}

/// A bare name is one that the workflow's deno.json may explain.
fn is_outside(import: &Import) -> bool {
    let mapped = import.kind == ImportKind::Other;
    (import.kind.is_remote() || mapped) && !import.types_only
}

/// Bundles by the path of their node.
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
    let deno = deno::find().await.map_err(|error| {
        error.hint(format!(
            "{} imports {}, which Deno bundles",
            first.path, first.import
        ))
    })?;
    let mut interrupt = Interrupt::listen()?;
    let copy = copy(opened)?;
    let deno_bundle = Bundler {
        deno,
        dir: copy.path(),
        locked: opened.project.files.contains_key(LOCK_FILE),
    };
    for node in needy {
        let phase = Phase::begin(&format!("bundling {}", node.path), printer);
        let made = tokio::select! {
            made = deno_bundle.bundle(node, shape, &phase) => made?,
            () = interrupt.raised() => {
                return Err(Error::failed(format!("interrupted while bundling {}", node.path)));
            }
        };
        bundles.insert(node.path.clone(), made);
    }
    Ok(bundles)
}

fn replaced(project: &Project, bundles: &BTreeMap<String, Bundle>) -> Result<Project> {
    let mut project = project.clone();
    for (path, bundle) in bundles {
        put(&mut project, path, bundle)?;
    }
    Ok(project)
}

/// Bundling happens in a copy: Deno writes lock files and module directories beside what it reads.
fn copy(opened: &Opened) -> Result<TempDir> {
    let dir = tempfile::Builder::new()
        .prefix("tentacular-bundle-")
        .tempdir();
    let dir = dir.map_err(|cause| {
        Error::surroundings(format!("cannot make a temporary directory: {cause}"))
    })?;
    for (name, content) in &opened.project.files {
        project::write(dir.path(), name, content)?;
    }
    let npm_config = opened.dir.join(NPM_CONFIG);
    if npm_config.is_file() {
        fs::copy(&npm_config, dir.path().join(NPM_CONFIG)).map_err(io("read", &npm_config))?;
    }
    Ok(dir)
}

/// The whole code must fit a ConfigMap; here it can still be said which import is the large one.
fn require_room(needy: &[Needy], bundles: &BTreeMap<String, Bundle>) -> Result<()> {
    let total: usize = bundles.values().map(|bundle| bundle.code.len()).sum();
    if total <= MAX_BYTES {
        return Ok(());
    }
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    for bundle in bundles.values() {
        for (source, size) in bundle.map.sizes(&bundle.code) {
            *sizes.entry(import_of(source)).or_default() += size;
        }
    }
    let mut sizes: Vec<_> = sizes.into_iter().collect();
    sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let largest: Vec<_> = sizes
        .iter()
        .take(LARGEST)
        .map(|(import, size)| format!("{import} with {size}"))
        .collect();
    let nodes: Vec<_> = bundles.keys().map(String::as_str).collect();
    let imports: Vec<_> = needy
        .iter()
        .flat_map(|node| &node.imports)
        .cloned()
        .collect();
    Err(Error::failed(format!(
        "the bundle of {} has {total} bytes, more than the {MAX_BYTES} that fit a ConfigMap; the largest imports are {}",
        nodes.join(", "),
        largest.join(", ")
    ))
    .hint(imports.join(", "))
    .hint("import a smaller library, or only the part of it that is used"))
}

/// The import that a source belongs to: a package with its version, the host of a URL, or a file.
fn import_of(source: &str) -> String {
    if let Some((_, inside)) = source.rsplit_once("/npm/") {
        let mut parts = inside.split('/').skip(1);
        let scope = parts.next().unwrap_or_default();
        let name = if scope.starts_with('@') {
            format!("{scope}/{}", parts.next().unwrap_or_default())
        } else {
            scope.to_owned()
        };
        return format!("npm:{name}@{}", parts.next().unwrap_or_default());
    }
    source.to_owned()
}

fn put(project: &mut Project, path: &str, bundle: &Bundle) -> Result<()> {
    let beside = format!("{path}.bundle.js");
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
    let map = serde_json::to_string(&bundle.map.only(own)).map_err(|cause| {
        Error::failed(format!("cannot write the source map of {path}: {cause}"))
    })?;
    let code = format!(
        "{}\n//# sourceMappingURL={name}.map\n",
        bundle.code.trim_end()
    );
    let stub = format!("export {{ default }} from \"./{name}\";\n");
    let files = [
        (path.to_owned(), stub),
        (beside.clone(), code),
        (format!("{beside}.map"), map),
    ];
    for (path, text) in files {
        project.files.insert(path, text.into_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_of_a_package_belongs_to_the_package() {
        let source = "../cache/npm/registry.npmjs.org/pg-types/2.2.0/lib/text.js";
        assert_eq!(import_of(source), "npm:pg-types@2.2.0");
        let source = "../cache/npm/registry.npmjs.org/@scope/x/1.0.0/index.js";
        assert_eq!(import_of(source), "npm:@scope/x@1.0.0");
        assert_eq!(import_of("nodes/db.ts"), "nodes/db.ts");
    }
}
