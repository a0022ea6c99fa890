import { deepEqual, equal, notEqual } from "node:assert/strict";
import { compileGraph } from "./graph.ts";
import { inputOf } from "./input.ts";

Deno.test("a single root's last attempt is given the input itself, one before it a copy", () => {
  const graph = compileGraph(["only"], []);
  const trigger = { rows: [{ id: 1 }] };
  equal(inputOf(graph, 0, trigger, [], 0), trigger);
  const copy = inputOf(graph, 0, trigger, [], 1);
  deepEqual(copy, trigger);
  notEqual(copy, trigger);
});

Deno.test("each of several roots has a copy of its own", () => {
  const graph = compileGraph(["a", "b"], []);
  const trigger = { rows: [] };
  notEqual(inputOf(graph, 0, trigger, [], 0), trigger);
  notEqual(inputOf(graph, 0, trigger, [], 0), inputOf(graph, 1, trigger, [], 0));
});

Deno.test("outputs are copied, and several are keyed by the node that they are from", () => {
  const edges = [{ from: "a", to: "c" }, { from: "b", to: "c" }];
  const graph = compileGraph(["a", "b", "c"], edges);
  const outputs = [{ n: 1 }, [2]];
  const input = inputOf(graph, 2, {}, outputs, 0) as { a: unknown; b: unknown };
  deepEqual(input, { a: { n: 1 }, b: [2] });
  notEqual(input.a, outputs[0]);
});
