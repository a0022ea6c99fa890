/** Names the node whose module does not come to its end: it loops, or awaits what never comes. */

import { systemClock } from "../core/clock.ts";
import { WorkflowError } from "../core/shape.ts";
import type { NodeSpec } from "../core/workflow.ts";
import type { Logger } from "../mod.ts";
import { type Journal, LOADING } from "./journal.ts";

/** After so long, a module that awaits something is told of. */
const SLOW_MS = 5_000;

/** Before the liveness probe ends the process, which could not say why. */
const LIMIT_MS = 55_000;

export interface LoadingParts {
  readonly log: Logger;
  readonly journal: Journal;
  /** Called before each module, with its place among the nodes. */
  readonly begins: (node: number) => void;
}

/** Waits for `load`, but not for ever. */
export async function loadNode<T>(
  parts: LoadingParts,
  spec: NodeSpec,
  node: number,
  load: () => Promise<T>,
): Promise<T> {
  const { journal } = parts;
  journal.begin(LOADING + spec.name);
  parts.begins(node);
  try {
    return await inTime(parts.log, spec, load);
  } finally {
    journal.end(LOADING + spec.name);
  }
}

async function inTime<T>(log: Logger, spec: NodeSpec, load: () => Promise<T>): Promise<T> {
  const told = (seconds: number): string =>
    `node ${spec.name}: ${spec.path} is still not loaded after ${seconds} s: ` +
    `what it awaits at its top level has not come`;
  const notSlow = systemClock.after(SLOW_MS, () => log.warn(told(SLOW_MS / 1_000)));
  const { promise: late, reject } = Promise.withResolvers<never>();
  const notLate = systemClock.after(LIMIT_MS, () => {
    reject(new WorkflowError(told(LIMIT_MS / 1_000)));
  });
  try {
    return await Promise.race([load(), late]);
  } finally {
    notSlow();
    notLate();
  }
}
