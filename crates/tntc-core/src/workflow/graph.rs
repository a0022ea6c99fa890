//! The graph of a workflow: stages, cycles, and how long its longest path can take.

use std::collections::HashMap;
use std::time::Duration;

use super::{NodeName, Workflow};

/// Shortest grace period of the engine's pod: what Kubernetes gives any pod.
const LEAST_GRACE: Duration = Duration::from_secs(30);

/// Pause before the first retry; each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Nodes by index, with the edges that leave each.
#[derive(Debug, Clone)]
pub struct Graph {
    successors: Vec<Vec<usize>>,
}

/// Nodes that lead to each other in a circle, in edge order; the first follows the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle(pub Vec<usize>);

impl Graph {
    /// A graph of `nodes` nodes. Edges are pairs of indices below `nodes`.
    ///
    /// # Panics
    /// When an edge has an index that is no node's.
    #[must_use]
    pub fn new(nodes: usize, edges: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut successors = vec![Vec::new(); nodes];
        for (from, to) in edges {
            successors[from].push(to);
        }
        Self { successors }
    }

    /// Stages by Kahn's algorithm: every node of a stage has all its inputs in earlier stages, and one in the stage
    /// right before. Within a stage nodes keep the order of their indices.
    ///
    /// # Errors
    /// One cycle, beginning at its smallest index.
    pub fn stages(&self) -> Result<Vec<Vec<usize>>, Cycle> {
        let mut inputs = self.inputs();
        let mut stage: Vec<usize> = (0..inputs.len())
            .filter(|&node| inputs[node] == 0)
            .collect();
        let mut stages = Vec::new();
        let mut placed = 0;
        while !stage.is_empty() {
            placed += stage.len();
            let next = self.next_stage(&stage, &mut inputs);
            stages.push(std::mem::replace(&mut stage, next));
        }
        if placed == inputs.len() {
            Ok(stages)
        } else {
            Err(self.cycle(&inputs))
        }
    }

    /// The heaviest sum of weights along any path. Weights are one a node.
    ///
    /// # Errors
    /// One cycle, as [`Self::stages`] finds it.
    pub fn longest_path(&self, weights: &[Duration]) -> Result<Duration, Cycle> {
        let mut before = vec![Duration::ZERO; weights.len()];
        let mut longest = Duration::ZERO;
        for node in self.stages()?.into_iter().flatten() {
            let through = before[node].saturating_add(weights[node]);
            longest = longest.max(through);
            for &next in &self.successors[node] {
                before[next] = before[next].max(through);
            }
        }
        Ok(longest)
    }

    fn inputs(&self) -> Vec<usize> {
        let mut inputs = vec![0; self.successors.len()];
        self.successors
            .iter()
            .flatten()
            .for_each(|&to| inputs[to] += 1);
        inputs
    }

    fn next_stage(&self, stage: &[usize], inputs: &mut [usize]) -> Vec<usize> {
        let mut next = Vec::new();
        for &to in stage.iter().flat_map(|&from| &self.successors[from]) {
            inputs[to] -= 1;
            if inputs[to] == 0 {
                next.push(to);
            }
        }
        next.sort_unstable();
        next
    }

    /// A cycle among the nodes that still wait for inputs: each of them has a waiting predecessor, so walking backwards
    /// must come round.
    fn cycle(&self, inputs: &[usize]) -> Cycle {
        let waiting = |node: usize| inputs[node] > 0;
        let mut predecessor = vec![usize::MAX; inputs.len()];
        for from in (0..inputs.len()).filter(|&node| waiting(node)) {
            for &to in &self.successors[from] {
                predecessor[to] = predecessor[to].min(from);
            }
        }
        let mut node = (0..inputs.len())
            .find(|&node| waiting(node))
            .unwrap_or_default();
        let mut seen = vec![false; inputs.len()];
        while !std::mem::replace(&mut seen[node], true) {
            node = predecessor[node];
        }
        let mut cycle = vec![node];
        let mut at = predecessor[node];
        while at != node {
            cycle.push(at);
            at = predecessor[at];
        }
        cycle.reverse();
        let smallest = (0..cycle.len())
            .min_by_key(|&index| cycle[index])
            .unwrap_or_default();
        cycle.rotate_left(smallest);
        Cycle(cycle)
    }
}

/// The workflow's graph, nodes in the order of the file.
#[must_use]
pub fn of(workflow: &Workflow) -> Graph {
    let indices: HashMap<&str, usize> = workflow
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| (node.name.as_str(), index))
        .collect();
    let index = |name: &NodeName| indices.get(name.as_str()).copied();
    let edges = workflow
        .edges
        .iter()
        .filter_map(|edge| Some((index(&edge.from)?, index(&edge.to)?)));
    Graph::new(workflow.nodes.len(), edges)
}

/// The workflow's stages by node name; see [`Graph::stages`].
#[must_use]
pub fn stages(workflow: &Workflow) -> Vec<Vec<&NodeName>> {
    // A workflow has no cycle; were one built by hand, its nodes would stand in no stage.
    let stages = of(workflow).stages().unwrap_or_default();
    stages
        .into_iter()
        .map(|stage| {
            stage
                .into_iter()
                .map(|node| &workflow.nodes[node].name)
                .collect()
        })
        .collect()
}

/// How long a run in flight may need to end: the longest path of timeouts, retries and their pauses, in whole seconds,
/// and at least thirty.
#[must_use]
pub fn grace_period(workflow: &Workflow) -> Duration {
    let weights: Vec<Duration> = workflow
        .nodes
        .iter()
        .map(|node| longest_run(workflow.timeout_of(node), workflow.retries_of(node)))
        .collect();
    let longest = of(workflow).longest_path(&weights).unwrap_or_default();
    let seconds = longest.as_secs() + u64::from(longest.subsec_nanos() > 0);
    Duration::from_secs(seconds).max(LEAST_GRACE)
}

/// All attempts of a node with the pauses between them: 100 ms, 200 ms, 400 ms and so on.
fn longest_run(timeout: Duration, retries: u8) -> Duration {
    let attempts = timeout.saturating_mul(u32::from(retries) + 1);
    let pauses = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(u32::from(retries)) - 1);
    attempts.saturating_add(pauses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_holds_what_needs_only_earlier_stages() {
        let diamond = Graph::new(5, [(0, 2), (0, 1), (1, 3), (2, 3)]);
        assert_eq!(diamond.stages(), Ok(vec![vec![0, 4], vec![1, 2], vec![3]]));
    }

    #[test]
    fn a_cycle_is_told_whole_and_without_what_hangs_on_it() {
        let graph = Graph::new(6, [(0, 3), (3, 2), (2, 1), (1, 3), (2, 4), (4, 5)]);
        assert_eq!(graph.stages(), Err(Cycle(vec![1, 3, 2])));
    }

    #[test]
    fn the_longest_path_is_the_heaviest_not_the_one_with_most_nodes() {
        let graph = Graph::new(4, [(0, 1), (1, 2), (0, 3)]);
        let weights = [1, 1, 1, 10].map(Duration::from_secs);
        assert_eq!(graph.longest_path(&weights), Ok(Duration::from_secs(11)));
    }

    #[test]
    fn retries_cost_their_attempts_and_doubling_pauses() {
        assert_eq!(
            longest_run(Duration::from_secs(10), 0),
            Duration::from_secs(10)
        );
        assert_eq!(
            longest_run(Duration::from_secs(10), 3),
            Duration::from_millis(40_700)
        );
    }

    #[test]
    fn ten_thousand_nodes_in_a_row_need_no_stack() {
        let chain = Graph::new(10_000, (0..9_999).map(|node| (node, node + 1)));
        assert_eq!(chain.stages().unwrap().len(), 10_000);
        let ring = Graph::new(10_000, (0..10_000).map(|node| (node, (node + 1) % 10_000)));
        assert_eq!(ring.stages().unwrap_err().0.len(), 10_000);
    }
}
