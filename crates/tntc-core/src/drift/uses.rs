//! Whether nodes keep to their `uses`, as far as the sources show it.

use super::{Deviation, Kind, Place};
use crate::workflow::{Node, Workflow};

/// What the files of one node show of the dependencies that it uses. Files that several nodes import count for each.
#[derive(Debug, Clone)]
pub struct NodeUses {
    /// The node.
    pub node: String,
    /// Declared dependencies, with each place that uses one.
    pub accesses: Vec<(String, Place)>,
    /// Whether it may use others as well: through a name that only a run knows, or in a file that cannot be read.
    pub is_open: bool,
    /// Whether the node's violations are asked for.
    pub counts: bool,
}

impl NodeUses {
    fn uses(&self, name: &str) -> bool {
        self.accesses.iter().any(|(used, _)| used == name)
    }
}

/// Whether the node is given the dependency.
fn has(node: &Node, name: &str) -> bool {
    let Some(uses) = &node.uses else {
        return true;
    };
    uses.iter().any(|known| known.as_str() == name)
}

/// Uses of what a node is not given. In a file that several nodes import, only what none of them is given: which function
/// of it each calls is not known, and the engine refuses what is wrong.
pub(super) fn undeclared(workflow: &Workflow, all: &[NodeUses]) -> Vec<Deviation> {
    let given_to_another = |access: &(String, Place)| {
        let users = all.iter().filter(|it| it.accesses.contains(access));
        let mut nodes = users.filter_map(|it| workflow.node(&it.node));
        nodes.any(|node| has(node, &access.0))
    };
    let counted = all.iter().filter(|it| it.counts);
    counted
        .flat_map(|it| it.accesses.iter().map(move |access| (it, access)))
        .filter(|(_, access)| !given_to_another(access))
        .map(|(it, (name, place))| deviation(Kind::UndeclaredUse, it, name, Some(place.clone())))
        .collect()
}

/// What nodes are given and do not use.
pub(super) fn dead(workflow: &Workflow, all: &[NodeUses]) -> Vec<Deviation> {
    let mut found = Vec::new();
    for it in all.iter().filter(|it| it.counts && !it.is_open) {
        let uses = workflow.node(&it.node).and_then(|node| node.uses.as_ref());
        let unused = uses
            .into_iter()
            .flatten()
            .filter(|name| !it.uses(name.as_str()));
        found.extend(unused.map(|name| deviation(Kind::DeadUse, it, name.as_str(), None)));
    }
    found
}

fn deviation(kind: Kind, uses: &NodeUses, name: &str, place: Option<Place>) -> Deviation {
    Deviation {
        kind,
        subject: name.to_owned(),
        node: Some(uses.node.clone()),
        place,
    }
}
