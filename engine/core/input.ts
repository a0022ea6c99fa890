/** What a node is given. */

import type { Json, JsonObject } from "../mod.ts";
import { copyJson, NotJsonError } from "./json.ts";
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
  if (only === undefined) return copyTrigger(trigger);
  if (upstream.length === 1) return copyJson(outputs[only]);
  const byName: JsonObject = {};
  for (const from of upstream) byName[graph.names[from] ?? ""] = copyJson(outputs[from]);
  return byName;
}

/** Parsed JSON can still be nested deeper than is sensible, and that is not the node's doing. */
function copyTrigger(trigger: Json): Json {
  try {
    return copyJson(trigger);
  } catch (error) {
    throw error instanceof NotJsonError ? new NotJsonError(error.what, "was given") : error;
  }
}
