//! Imports between the engine's files, as the parser of node files reads them.

use std::collections::BTreeMap;

use tntc_core::modules::{ImportKind, analyse};

use crate::graph::Graph;

/// Who imports whom, types alone included. What is vendored is other people's, and its declarations stand beside it.
pub fn imports(files: &BTreeMap<String, String>) -> Graph {
    let mut graph = Graph::default();
    let own = files
        .iter()
        .filter(|(path, _)| !path.starts_with("vendor/") && !path.contains("testdata/"));
    for (path, text) in own {
        graph.node(path);
        let module = analyse(path, text.as_bytes()).expect("TypeScript");
        let relative = module.imports.iter();
        let relative = relative.filter(|import| import.kind == ImportKind::Relative);
        for target in relative.filter_map(|import| resolved(path, &import.specifier)) {
            if files.contains_key(&target) {
                graph.edge(path, &target);
            }
        }
    }
    graph
}

/// The path that a relative specifier names; nothing above the engine's directory.
fn resolved(from: &str, specifier: &str) -> Option<String> {
    let mut parts: Vec<_> = from.split('/').collect();
    parts.pop();
    for part in specifier.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}
