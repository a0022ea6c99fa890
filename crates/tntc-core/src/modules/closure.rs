//! Everything that a file of a workflow imports from inside the workflow, and what it needs from outside.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fault, Import, ImportKind, Module, SyntaxError, UseKind, analyse};
use crate::project::Project;

/// A file with all files that it imports, directly or through others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closure {
    /// The files by path, the one that was asked for included.
    pub modules: BTreeMap<String, Module>,
    /// Relative imports that lead to no file of the project, with the importing file.
    pub missing: Vec<(String, Import)>,
    /// Those of the files that are loaded when the one that was asked for runs: not those that give it types only.
    loaded: BTreeSet<String>,
}

impl Closure {
    /// The files that are loaded at run time, by path.
    pub fn loaded(&self) -> impl Iterator<Item = (&str, &Module)> {
        self.modules
            .iter()
            .filter(|(path, _)| self.loaded.contains(*path))
            .map(|(path, module)| (path.as_str(), module))
    }

    /// Imports that must be fetched before the workflow runs, with the importing file.
    pub fn remote(&self) -> impl Iterator<Item = (&str, &Import)> {
        let all = self
            .loaded()
            .flat_map(|(path, module)| module.imports.iter().map(move |it| (path, it)));
        all.filter(|(_, import)| import.kind.is_remote() && !import.types_only)
    }

    /// The first import for whose sake the file is bundled: a remote one, or a bare name that the workflow's deno.json may
    /// explain.
    #[must_use]
    pub fn bundled(&self) -> Option<&Import> {
        let mut imports = self.loaded().flat_map(|(_, module)| &module.imports);
        imports.find(|import| {
            (import.kind.is_remote() || import.kind == ImportKind::Other) && !import.types_only
        })
    }

    /// What cannot work in the file that was asked for, at `path`, and in those that it loads.
    pub fn faults(&self, path: &str) -> impl Iterator<Item = (&str, &Fault)> {
        let all = self
            .loaded()
            .flat_map(|(file, module)| module.faults.iter().map(move |it| (file, it)));
        all.filter(move |(file, fault)| *file == path || !fault.kind.is_of_nodes())
    }

    /// Names of the dependencies that any of the files asks the context for, sorted, each once.
    #[must_use]
    pub fn dependencies(&self) -> Vec<&str> {
        let uses = self.loaded().flat_map(|(_, module)| &module.uses);
        let mut names: Vec<&str> = uses
            .filter_map(|used| match &used.kind {
                UseKind::Dependency(Some(name)) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Follows the relative imports of a file. Imports of types are followed as well: editors and type checks need them.
///
/// # Errors
/// The first syntax error in any of the files.
pub fn closure(project: &Project, path: &str) -> Result<Closure, SyntaxError> {
    let mut closure = Closure::default();
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        let Some(content) = project
            .files
            .get(&path)
            .filter(|_| !closure.modules.contains_key(&path))
        else {
            continue;
        };
        let module = if is_code(&path) {
            analyse(&path, content)?
        } else {
            Module::default()
        };
        for import in module
            .imports
            .iter()
            .filter(|import| import.kind == ImportKind::Relative)
        {
            match resolve(&path, &import.specifier)
                .filter(|target| project.files.contains_key(target))
            {
                Some(target) => waiting.push(target),
                None => closure.missing.push((path.clone(), import.clone())),
            }
        }
        closure.modules.insert(path, module);
    }
    closure
        .missing
        .sort_by(|a, b| (&a.0, a.1.place).cmp(&(&b.0, b.1.place)));
    closure.loaded = loaded(&closure.modules, path);
    Ok(closure)
}

/// Follows the imports that are more than types.
fn loaded(modules: &BTreeMap<String, Module>, path: &str) -> BTreeSet<String> {
    let mut loaded = BTreeSet::new();
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        let Some(module) = modules.get(&path) else {
            continue;
        };
        let imports = module.imports.iter().filter(|import| {
            import.kind == ImportKind::Relative && !import.types_only && !loaded.contains(&path)
        });
        waiting.extend(imports.filter_map(|import| resolve(&path, &import.specifier)));
        loaded.insert(path);
    }
    loaded
}

/// Files that can import others; JSON and text that code imports are passed on as they are.
fn is_code(path: &str) -> bool {
    [".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

/// The project path of a relative specifier; nothing when it leads out of the project.
fn resolve(from: &str, specifier: &str) -> Option<String> {
    let specifier = specifier.split(['?', '#']).next().unwrap_or(specifier);
    if specifier.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in specifier.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}
