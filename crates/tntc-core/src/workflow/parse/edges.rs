//! The `edges` section.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Invalid, shown};
use crate::workflow::graph::{self, Graph};
use crate::workflow::{Edge, NodeName};
use crate::yaml::{Fields, Items, Sink, Spot, parsed};

/// Tangles of edges of which a cycle is told. A file with more has one mistake made many times.
const MAX_CYCLES: usize = 10;

pub(super) fn read(
    sink: &mut Sink<'_>,
    spot: Spot<'_>,
    nodes: &HashSet<&str>,
) -> Option<Vec<Edge>> {
    let items = Items::open(sink, spot)?;
    let mut edges = Vec::new();
    let mut places = Vec::new();
    let mut seen = HashSet::new();
    for item in items.iter() {
        let Some(edge) = edge(sink, item, nodes) else {
            continue;
        };
        if is_sound(sink, item, &edge, &mut seen) {
            edges.push(edge);
            places.push(item);
        }
    }
    for cycle in cycles(&edges) {
        let problem = Invalid::new("cycle", format!("the edges form a cycle: {}", cycle.nodes));
        let help = "remove one of these edges; a workflow runs from its roots to its leaves";
        sink.error(places[cycle.closing_edge], problem.help(help));
    }
    Some(edges)
}

fn edge(sink: &mut Sink<'_>, spot: Spot<'_>, nodes: &HashSet<&str>) -> Option<Edge> {
    let fields = Fields::open(sink, spot)?;
    let extensions = fields.extensions(sink, &["from", "to"]);
    let from = fields.required(sink, "from", "<node>", |sink, spot| {
        defined(sink, spot, nodes)
    });
    let to = fields.required(sink, "to", "<node>", |sink, spot| {
        defined(sink, spot, nodes)
    });
    Some(Edge {
        from: from?,
        to: to?,
        extensions,
    })
}

fn defined(sink: &mut Sink<'_>, spot: Spot<'_>, nodes: &HashSet<&str>) -> Option<NodeName> {
    let name: NodeName = parsed(sink, spot)?;
    if nodes.contains(name.as_str()) {
        return Some(name);
    }
    let nearest = sink.suggester.nearest(name.as_str(), nodes.iter().copied());
    let problem = Invalid::new(
        "unknown-node",
        format!("there is no node `{}`", shown(name.as_str())),
    );
    sink.error(
        spot,
        problem.did_you_mean(nearest, "add it under `nodes`, or remove the edge"),
    );
    None
}

fn is_sound(
    sink: &mut Sink<'_>,
    item: Spot<'_>,
    edge: &Edge,
    seen: &mut HashSet<(String, String)>,
) -> bool {
    let (from, to) = (edge.from.to_string(), edge.to.to_string());
    if from == to {
        let problem = Invalid::new(
            "self-loop",
            format!("the edge leads from `{}` to itself", shown(&from)),
        );
        sink.error(item, problem.help("remove the edge"));
        return false;
    }
    let message = format!(
        "there is already an edge from `{}` to `{}`",
        shown(&from),
        shown(&to)
    );
    let is_new = seen.insert((from, to));
    if !is_new {
        sink.error(
            item,
            Invalid::new("duplicate-edge", message).help("remove one of the two"),
        );
    }
    is_new
}

struct Cycle {
    /// The nodes in edge order, the first again at the end.
    nodes: String,
    /// Index of the edge that leads back to the first node.
    closing_edge: usize,
}

/// Cycles that share no node.
fn cycles(edges: &[Edge]) -> Vec<Cycle> {
    let mut names: Vec<&str> = edges
        .iter()
        .flat_map(|edge| [edge.from.as_str(), edge.to.as_str()])
        .collect();
    names.sort_unstable();
    names.dedup();
    let indices: HashMap<&str, usize> = names
        .iter()
        .enumerate()
        .map(|(index, name)| (*name, index))
        .collect();
    let pairs: Vec<(usize, usize)> = edges
        .iter()
        .map(|edge| (indices[edge.from.as_str()], indices[edge.to.as_str()]))
        .collect();
    let mut told = vec![false; names.len()];
    let mut cycles = Vec::new();
    while cycles.len() < MAX_CYCLES {
        let untold = pairs
            .iter()
            .copied()
            .filter(|(from, to)| !told[*from] && !told[*to]);
        let Err(graph::Cycle(cycle)) = Graph::new(names.len(), untold).stages() else {
            break;
        };
        for &node in &cycle {
            told[node] = true;
        }
        cycles.extend(described(&cycle, &names, &pairs));
    }
    cycles
}

fn described(cycle: &[usize], names: &[&str], pairs: &[(usize, usize)]) -> Option<Cycle> {
    let (first, last) = (*cycle.first()?, *cycle.last()?);
    let closing_edge = pairs.iter().position(|pair| *pair == (last, first))?;
    let nodes: Vec<&str> = cycle
        .iter()
        .chain([&first])
        .map(|&node| names[node])
        .collect();
    Some(Cycle {
        nodes: nodes.join(" → "),
        closing_edge,
    })
}
