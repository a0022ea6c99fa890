/** What a node is given. */

import type { Json, JsonObject } from "../mod.ts";
import { copyJson } from "./json.ts";
import type { Graph } from "./graph.ts";

/**
 * A root gets the trigger's input, a node with one incoming edge that node's output, and a node
 * with several an object keyed by upstream node. Always a copy: no node sees another's changes.
 */
export function inputOf(
  graph: Graph,
  node: number,
  trigger: Json,
  outputs: readonly (Json | undefined)[],
): Json {
  const upstream = graph.upstream[node] ?? [];
  const [only] = upstream;
  if (only === undefined) return copyJson(trigger);
  if (upstream.length === 1) return copyJson(outputs[only]);
  const byName: JsonObject = {};
  for (const from of upstream) byName[graph.names[from] ?? ""] = copyJson(outputs[from]);
  return byName;
}
