/** A workflow with its code and its secrets: everything that a run needs. */

import type { Json, NodeFunction } from "../mod.ts";
import type { Clock } from "./clock.ts";
import { type ContextPlan, deepFreeze, NodeContext } from "./context.ts";
import { Deadlines } from "./deadlines.ts";
import { formatDuration } from "./duration.ts";
import { framesOf, messageOf } from "./errors.ts";
import { compileGraph } from "./graph.ts";
import { createLogger, type LogOptions } from "./log.ts";
import { createMask } from "./mask.ts";
import type { Loaded } from "./revision.ts";
import type { NodePlan, RunObserver, RunPlan, RunTracker } from "./run.ts";
import { namedSecrets, type Secrets, secretTexts } from "./secrets.ts";
import type { Tracing } from "./tracing.ts";
import type { NodeSpec, Workflow } from "./workflow.ts";

export interface Program {
  readonly workflow: Workflow;
  readonly secrets: Secrets;
  readonly plan: RunPlan;
  /** URL of the workflow's directory, ending in `/`. */
  readonly root: string;
  readonly log: LogOptions;
  readonly tracing?: Tracing;
  /** What was loaded, where the command line says what should be. */
  readonly loaded?: Loaded;
}

export interface ProgramParts {
  readonly workflow: Workflow;
  /** In the order of `workflow.nodes`. */
  readonly nodes: readonly NodeFunction[];
  readonly secrets: Secrets;
  readonly loaded?: Loaded;
  /** URL of the workflow's directory, ending in `/`. */
  readonly root: string;
  readonly log: Omit<LogOptions, "mask">;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  readonly tracker?: RunTracker;
  readonly observer?: RunObserver;
  readonly tracing?: Tracing;
}

/** Throws a `WorkflowError` when the edges make no graph. */
export function createProgram(parts: ProgramParts): Program {
  const { workflow, secrets, tracing, loaded } = parts;
  const mask = createMask(namedSecrets(workflow, secrets), secretTexts(secrets));
  const log = { ...parts.log, mask };
  const contexts: ContextPlan = {
    config: deepFreeze(workflow.config),
    secrets: deepFreeze(secrets),
    dependencies: workflow.dependencies,
    logger: (attempt) => createLogger(attempt.node, log, attempt.runId),
    fetch: parts.fetch,
  };
  const plan: RunPlan = {
    graph: compileGraph(workflow.nodes.map((node) => node.name), workflow.edges),
    nodes: workflow.nodes.map((spec, index) => planNode(contexts, spec, parts.nodes[index])),
    revision: loaded?.revision ?? null,
    clock: parts.clock,
    deadlines: new Deadlines(parts.clock),
    observer: observe(parts, log),
    ...(parts.tracker && { tracker: parts.tracker }),
    ...(tracing && { startSpan: (id, origin) => tracing.run(workflow.name, id, origin) }),
    mask,
  };
  return {
    ...{ workflow, secrets, plan, root: parts.root, log },
    ...(tracing && { tracing }),
    ...(loaded && { loaded }),
  };
}

function planNode(contexts: ContextPlan, spec: NodeSpec, code?: NodeFunction): NodePlan {
  if (code === undefined) throw new Error(`node ${spec.name} has no code`);
  const own = { ...contexts, uses: spec.uses };
  return {
    timeoutMs: spec.timeoutMs,
    retries: spec.retries,
    call: (attempt, input: Json) => code(new NodeContext(own, attempt), input),
  };
}

/** What went wrong and where goes to the log: a run's result has only the message. */
function observe({ observer, root }: ProgramParts, log: LogOptions): RunObserver {
  return {
    runEnded: (result, milliseconds) => observer?.runEnded?.(result, milliseconds),
    nodeEnded: (node, milliseconds, failed) => observer?.nodeEnded?.(node, milliseconds, failed),
    attemptFailed: (attempt, thrown, retryInMs) => {
      observer?.attemptFailed?.(attempt, thrown, retryInMs);
      const logger = createLogger(attempt.node, log, attempt.runId);
      const message = `attempt ${attempt.number} failed: ${messageOf(thrown)}`;
      if (retryInMs === undefined) logger.error(message);
      else logger.warn(`${message}; next attempt in ${formatDuration(retryInMs)}`);
      for (const frame of framesOf(thrown, root)) logger.error(`    ${frame}`);
    },
  };
}
