import { deepEqual, throws } from "node:assert/strict";
import { compileGraph } from "./graph.ts";
import { WorkflowError } from "./shape.ts";
import type { Edge } from "./workflow.ts";

function edges(...pairs: string[]): Edge[] {
  return pairs.map((pair) => {
    const [from = "", to = ""] = pair.split(">");
    return { from, to };
  });
}

Deno.test("nodes without edges are one stage", () => {
  deepEqual(compileGraph(["a", "b"], []).stages, [[0, 1]]);
});

Deno.test("a diamond has three stages, and its fan-in knows both sides", () => {
  const graph = compileGraph(["a", "b", "c", "d"], edges("a>b", "a>c", "b>d", "c>d"));
  deepEqual(graph.stages, [[0], [1, 2], [3]]);
  deepEqual(graph.upstream[3], [1, 2]);
  deepEqual(graph.downstream[0], [1, 2]);
});

Deno.test("a node waits for its slowest input, whatever the order of the edges", () => {
  const graph = compileGraph(["end", "a", "b", "c"], edges("a>end", "c>end", "a>b", "b>c"));
  deepEqual(graph.stages, [[1], [2], [3], [0]]);
});

Deno.test("a cycle is told whole, and in the direction of its edges", () => {
  throws(
    () => compileGraph(["start", "a", "b", "c"], edges("start>a", "a>b", "b>c", "c>a")),
    new WorkflowError("edges form a cycle: a -> b -> c -> a"),
  );
});

Deno.test("a node that waits for itself is a cycle", () => {
  throws(() => compileGraph(["a"], edges("a>a")), /cycle: a -> a/);
});

Deno.test("a cycle is found behind nodes that only follow from it", () => {
  throws(
    () => compileGraph(["x", "a", "b"], edges("b>x", "a>b", "b>a")),
    /cycle: (a -> b -> a|b -> a -> b)$/,
  );
});

Deno.test("an edge must name defined nodes, once", () => {
  throws(
    () => compileGraph(["a"], edges("a>b")),
    /edge a -> b names the node b, which is not defined/,
  );
  throws(() => compileGraph(["a", "b"], edges("a>b", "a>b")), /edge a -> b is there twice/);
});

Deno.test("in any graph, every edge leads to a later stage and every node is in one", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = generator(seed);
    const names = Array.from({ length: 1 + random(12) }, (_, index) => `n${index}`);
    const all = names.flatMap((from, i) => names.slice(i + 1).map((to) => ({ from, to })));
    const chosen = all.filter(() => random(3) === 0);
    const { stages } = compileGraph(names, chosen);
    const stageOf = new Map(stages.flatMap((it, at) => it.map((node) => [names[node], at])));
    deepEqual([...stageOf.keys()].sort(), [...names].sort());
    for (const { from, to } of chosen) {
      deepEqual((stageOf.get(from) ?? 0) < (stageOf.get(to) ?? 0), true, `${seed}: ${from}>${to}`);
    }
  }
});

/** The same numbers for the same seed (Park and Miller's generator). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 48_271) % 2_147_483_647) % below;
}
