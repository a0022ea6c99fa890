/** The order in which nodes can run, worked out once per workflow. */

import { WorkflowError } from "./shape.ts";
import type { Edge } from "./workflow.ts";

/** Nodes are numbers here, in the order of workflow.yaml: a run indexes arrays, not maps. */
export interface Graph {
  readonly names: readonly string[];
  /** For each node, the nodes it gets its input from, in the order of the edges. */
  readonly upstream: readonly (readonly number[])[];
  /** For each node, the nodes that wait for its output. */
  readonly downstream: readonly (readonly number[])[];
  /** Every node of a stage has all its inputs in earlier stages. */
  readonly stages: readonly (readonly number[])[];
}

/** Throws a `WorkflowError` for an undefined, doubled or circular edge. */
export function compileGraph(names: readonly string[], edges: readonly Edge[]): Graph {
  const indices = new Map(names.map((name, index) => [name, index]));
  const upstream: number[][] = names.map(() => []);
  const downstream: number[][] = names.map(() => []);
  for (const edge of edges) {
    const from = indexOf(indices, edge, edge.from);
    const to = indexOf(indices, edge, edge.to);
    if (upstream[to]?.includes(from)) fail(edge, "is there twice");
    upstream[to]?.push(from);
    downstream[from]?.push(to);
  }
  return { names, upstream, downstream, stages: layer(names, upstream, downstream) };
}

function indexOf(indices: ReadonlyMap<string, number>, edge: Edge, name: string): number {
  return indices.get(name) ?? fail(edge, `names the node ${name}, which is not defined`);
}

function fail(edge: Edge, problem: string): never {
  throw new WorkflowError(`edge ${edge.from} -> ${edge.to} ${problem}`);
}

/** Kahn's algorithm, a whole layer at a time. */
function layer(
  names: readonly string[],
  upstream: readonly (readonly number[])[],
  downstream: readonly (readonly number[])[],
): number[][] {
  const waiting = upstream.map((nodes) => nodes.length);
  const stages: number[][] = [];
  let stage = names.map((_, index) => index).filter((index) => waiting[index] === 0);
  while (stage.length > 0) {
    stages.push(stage);
    stage = release(stage, downstream, waiting);
  }
  if (stages.flat().length < names.length) throw circular(names, upstream, waiting);
  return stages;
}

/** The nodes whose last missing input was in `stage`, lowest first. */
function release(
  stage: readonly number[],
  downstream: readonly (readonly number[])[],
  waiting: number[],
): number[] {
  const free: number[] = [];
  for (const node of stage.flatMap((index) => downstream[index] ?? [])) {
    const left = (waiting[node] ?? 0) - 1;
    waiting[node] = left;
    if (left === 0) free.push(node);
  }
  return free.sort((a, b) => a - b);
}

/** Every node left over waits for another one left over, so walking upstream must meet itself. */
function circular(
  names: readonly string[],
  upstream: readonly (readonly number[])[],
  waiting: readonly number[],
): WorkflowError {
  const stuck = (index: number): boolean => (waiting[index] ?? 0) > 0;
  const walked: number[] = [];
  let at = waiting.findIndex((count) => count > 0);
  while (!walked.includes(at)) {
    walked.push(at);
    at = upstream[at]?.find(stuck) ?? at;
  }
  const cycle = [at, ...walked.slice(walked.indexOf(at)).reverse()];
  return new WorkflowError(`edges form a cycle: ${cycle.map((i) => names[i]).join(" -> ")}`);
}
