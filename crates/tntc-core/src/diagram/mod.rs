//! A workflow as pictures and tables for people: Mermaid, and a summary of its contract in Markdown.
//!
//! Everything is a function of the workflow and its files, in the order of the workflow file, so that the results can be
//! committed and compared.

mod markdown;
mod mermaid;

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::{SyntaxError, closure};
use crate::project::Project;
use crate::workflow::{DependencyName, Node, NodeName, Workflow};

pub use markdown::{contract_summary, diagram_page};
pub use mermaid::{plain, rich};

/// Name of the file that [`diagram_page`] is written to.
pub const DIAGRAM_FILE: &str = "workflow-diagram.md";

/// Name of the file that [`contract_summary`] is written to.
pub const SUMMARY_FILE: &str = "contract-summary.md";

/// Which node uses which dependency, as far as its code tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Names of dependencies, declared or not, by node. A node that uses none is missing.
    pub by_node: BTreeMap<NodeName, BTreeSet<String>>,
    /// Files that could not be understood; what they use is unknown.
    pub errors: Vec<SyntaxError>,
}

impl Usage {
    /// Reads the code of all nodes, with what they import from inside the project.
    #[must_use]
    pub fn of(project: &Project, workflow: &Workflow) -> Self {
        let mut usage = Self::default();
        let mut known: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for node in &workflow.nodes {
            let used = known
                .entry(&node.path)
                .or_insert_with(|| usage.read(project, &node.path));
            if !used.is_empty() {
                usage.by_node.insert(node.name.clone(), used.clone());
            }
        }
        usage
    }

    fn read(&mut self, project: &Project, path: &str) -> BTreeSet<String> {
        match closure(project, path) {
            Ok(closure) => closure
                .dependencies()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            Err(error) => {
                self.errors.push(error);
                BTreeSet::new()
            }
        }
    }

    /// The nodes that use each dependency, or say so in `uses`, in the order of the workflow file.
    fn users<'w>(&'w self, workflow: &'w Workflow) -> BTreeMap<&'w str, Vec<&'w Node>> {
        let mut users: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
        for node in &workflow.nodes {
            let said = node.uses.iter().flatten().map(DependencyName::as_str);
            let used = self.by_node.get(&node.name).into_iter().flatten();
            let all: BTreeSet<&str> = said.chain(used.map(String::as_str)).collect();
            for dependency in all {
                users.entry(dependency).or_default().push(node);
            }
        }
        users
    }
}
