/** What a node is given. */

import type { Json, JsonObject } from "../mod.ts";
import { copyJson, isShallow, NotJsonError, UNBOUNDED } from "./json.ts";
import type { Graph } from "./graph.ts";

/**
 * A root gets the trigger's input, a node with one incoming edge that node's output, and a node
 * with several an object keyed by upstream node. No node sees another's changes, nor an attempt those of
 * the one before: `attemptsLeft` may still follow.
 */
export function inputOf(
  graph: Graph,
  node: number,
  trigger: Json,
  outputs: readonly (Json | undefined)[],
  attemptsLeft: number,
): Json {
  const upstream = graph.upstream[node] ?? [];
  const [only] = upstream;
  if (only === undefined) {
    // Nobody else sees it: what was just parsed need not be copied, only looked at.
    const alone = graph.stages[0]?.length === 1 && attemptsLeft === 0;
    return alone && isShallow(trigger) ? trigger : copyTrigger(trigger);
  }
  if (upstream.length === 1) return copyJson(outputs[only], UNBOUNDED);
  const byName: JsonObject = {};
  for (const from of upstream) byName[graph.names[from] ?? ""] = copyJson(outputs[from], UNBOUNDED);
  return byName;
}

/** Parsed JSON can still be nested deeper than is sensible, and that is not the node's doing. */
function copyTrigger(trigger: Json): Json {
  try {
    return copyJson(trigger, UNBOUNDED);
  } catch (error) {
    throw error instanceof NotJsonError ? new NotJsonError(error.what, "was given") : error;
  }
}
