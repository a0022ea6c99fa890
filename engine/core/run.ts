/**
 * One run of a workflow: a node starts as soon as its own inputs are there, and the first failure
 * ends the run.
 */

import type { Json, RunTrigger } from "../mod.ts";
import { AbortedError, Attempt, TimeoutError } from "./attempt.ts";
import type { Clock } from "./clock.ts";
import type { Deadlines } from "./deadlines.ts";
import { messageOf, typeOf } from "./errors.ts";
import type { Graph } from "./graph.ts";
import { inputOf } from "./input.ts";
import { copyJson } from "./json.ts";
import { isoTime } from "./primordials.ts";
import { isRefusal } from "./refusal.ts";
import type { NodeSpan, Origin, RunSpan } from "./tracing.ts";

/** How to run one node. */
export interface NodePlan {
  readonly timeoutMs: number;
  readonly retries: number;
  readonly call: (attempt: Attempt, input: Json) => unknown;
}

/** Told of what happens, in order; must not throw. */
export interface RunObserver {
  /** The run ended, well or not. */
  runEnded?(result: RunResult, milliseconds: number): void;
  /** A fraction as well: most nodes take less than a millisecond. */
  nodeEnded?(node: string, milliseconds: number, failed: boolean): void;
  /** `retryInMs` is absent when no attempt is left. */
  attemptFailed?(attempt: Attempt, thrown: unknown, retryInMs?: number): void;
}

/** What may be known of a run from outside while it goes on. */
export interface RunView {
  readonly id: string;
  /** Names of the nodes that are running. */
  underWay(): string[];
  /** A permission was refused to what the run does, which may happen less than `most` times. */
  refused(request: string, error: Error, most: number): void;
}

/** Follows what is running where; called for every run and node, so each must cost next to nothing. */
export interface RunTracker {
  /** Calls back, so that whatever that starts, now or later, is known to be the run's. */
  within(run: RunView, call: () => void): void;
  /** The node with this index begins an attempt. */
  nodeStarts(run: RunView, node: number): void;
}

export interface RunPlan {
  readonly graph: Graph;
  /** In the order of `graph.names`. */
  readonly nodes: readonly NodePlan[];
  readonly revision: string | null;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly observer: RunObserver;
  readonly tracker?: RunTracker;
  /** Makes the span of a run, when there is telemetry. */
  readonly startSpan?: (runId: string, origin?: Origin) => RunSpan;
  /** For the messages of errors, which leave the process. */
  readonly mask: (text: string) => string;
}

/** The body of the answer to `POST /run`. Durations are whole milliseconds. */
export interface RunResult {
  readonly success: boolean;
  readonly outputs: Readonly<Record<string, Json>>;
  readonly errors: readonly string[];
  readonly timing: Timing & { readonly nodes: Readonly<Record<string, NodeTiming>> };
  readonly runId: string;
  readonly revision: string | null;
}

export interface Timing {
  /** RFC 3339, in UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
}

export interface NodeTiming extends Timing {
  readonly attempts: number;
}

const FIRST_BACKOFF_MS = 100;

/** The delay before the attempt that follows attempt number `attempt`: 100 ms, doubled each time. */
export function backoffMs(attempt: number): number {
  return FIRST_BACKOFF_MS * 2 ** (attempt - 1);
}

/** A node that has started. */
interface Started {
  readonly node: number;
  readonly at: number;
  readonly began: number;
  readonly span: NodeSpan | undefined;
  attempt: Attempt | undefined;
  /** Takes back the attempt that is to come. */
  forget: (() => void) | undefined;
  timing: NodeTiming | undefined;
}

/** What was refused to one request of a run. */
interface Refusals {
  readonly count: number;
  /** The monotonic moment of the first. */
  readonly since: number;
  readonly error: Error;
}

/** What is refused again after so long is a retry: connections of one pool are refused within it. */
const RETRY_PAUSE_MS = 900;

export class Run implements RunView {
  readonly #plan: RunPlan;
  readonly #input: Json;
  readonly #at: number;
  readonly #began: number;
  readonly #waiting: number[];
  readonly #outputs: (Json | undefined)[];
  readonly #started: (Started | undefined)[];
  readonly #errors: string[] = [];
  #refusals: Map<string, Refusals> | undefined;
  readonly #span: RunSpan | undefined;
  #left: number;
  #resolve: (result: RunResult) => void = () => {};

  /** Called once, before the result is known; must not throw. */
  ended: () => void = () => {};

  /** Settled exactly once, never rejected: a failed run is a result. */
  readonly result: Promise<RunResult>;

  constructor(
    plan: RunPlan,
    readonly id: string,
    input: Json,
    origin?: Origin,
    readonly trigger?: RunTrigger,
  ) {
    this.#plan = plan;
    this.#input = input;
    this.#at = plan.clock.now();
    this.#began = plan.clock.monotonic();
    this.#waiting = plan.graph.upstream.map((nodes) => nodes.length);
    this.#left = plan.graph.names.length;
    this.#outputs = new Array(this.#left);
    this.#started = new Array(this.#left);
    this.#span = plan.startSpan?.(id, origin);
    this.result = new Promise((resolve) => this.#resolve = resolve);
  }

  /** Starts every root. Returns the run, to be read as `new Run(...).start().result`. */
  start(): this {
    const launch = (): void => this.#launchAll(this.#plan.graph.stages[0] ?? [], this.#began);
    if (this.#plan.tracker === undefined) launch();
    else this.#plan.tracker.within(this, launch);
    return this;
  }

  /** Ends the run as failed, with one error for each node that is running. */
  abort(reason: AbortedError): void {
    if (this.#over) return;
    for (const { node } of this.#running()) this.#errors.push(this.#describe(node, reason));
    this.#end(reason);
  }

  underWay(): string[] {
    return this.#running().map(({ node }) => this.#plan.graph.names[node] ?? "");
  }

  /**
   * A library that tries again does so until the node's time is over, and then the reason is lost. Which
   * node it is for is only known while one is running.
   */
  refused(request: string, error: Error, most: number): void {
    const now = this.#plan.clock.monotonic();
    this.#refusals ??= new Map();
    const before = this.#refusals.get(request) ?? { count: 0, since: now, error };
    const refusals = { ...before, count: before.count + 1 };
    this.#refusals.set(request, refusals);
    const isRetry = refusals.count > 1 && now - refusals.since >= RETRY_PAUSE_MS;
    const [started, ...others] = this.#running();
    if (!started?.attempt || others.length > 0 || !(isRetry || refusals.count >= most)) return;
    const plan = this.#plan.nodes[started.node];
    if (plan !== undefined) this.#retry(started, started.attempt, plan, error);
  }

  get #over(): boolean {
    return this.#errors.length > 0 || this.#left === 0;
  }

  /** Started and without a timing yet: in an attempt, or waiting for the next one. */
  #running(): Started[] {
    return this.#started.filter((it): it is Started => it !== undefined && it.timing === undefined);
  }

  /** `now` holds for the first only: it may block, and the others begin after that. */
  #launchAll(nodes: readonly number[], now: number): void {
    for (const [index, node] of nodes.entries()) {
      this.#launch(node, index === 0 ? now : this.#plan.clock.monotonic());
    }
  }

  #launch(node: number, began: number): void {
    const started: Started = {
      node,
      at: this.#plan.clock.now(),
      began,
      span: this.#span?.node(this.#plan.graph.names[node] ?? ""),
      attempt: undefined,
      forget: undefined,
      timing: undefined,
    };
    this.#started[node] = started;
    this.#try(started, 1, began);
  }

  #try(started: Started, number: number, from: number): void {
    const { graph, clock, deadlines, nodes } = this.#plan;
    const plan = nodes[started.node];
    if (plan === undefined) return this.#fail(started, new Error("has no code"));
    const attempt = new Attempt(this.id, graph.names[started.node] ?? "", number, this.trigger);
    started.attempt = attempt;
    const left = plan.retries + 1 - number;
    this.#plan.tracker?.nodeStarts(this, started.node);
    const call = (): unknown =>
      plan.call(attempt, inputOf(graph, started.node, this.#input, this.#outputs, left));
    const traced = started.span === undefined ? call : () => started.span?.within(call);
    attempt.start(traced, { milliseconds: plan.timeoutMs, from, clock, deadlines }, {
      succeeded: (value, now) => this.#accept(started, attempt, plan, value, now),
      failed: (thrown) => this.#retry(started, attempt, plan, thrown),
    });
  }

  /** A run that is over takes nothing more: its result is out. */
  #accept(started: Started, attempt: Attempt, plan: NodePlan, value: unknown, now: number): void {
    if (this.#over) return;
    let output: Json;
    try {
      output = copyJson(value);
    } catch (error) {
      // Another attempt would return something of the kind again.
      return this.#retry(started, attempt, { ...plan, retries: 0 }, error);
    }
    this.#succeed(started, output, now);
  }

  #retry(started: Started, attempt: Attempt, plan: NodePlan, reason: unknown): void {
    if (this.#over) return;
    const thrown = this.#withRefusal(reason);
    const { number } = attempt;
    const again = number <= plan.retries && !isRefusal(thrown);
    const retryInMs = again ? backoffMs(number) : undefined;
    this.#report(() => {
      this.#plan.observer.attemptFailed?.(attempt, thrown, retryInMs);
      started.span?.attemptFailed(number, typeOf(thrown), this.#plan.mask(messageOf(thrown)));
    });
    if (retryInMs === undefined) return this.#fail(started, thrown);
    started.forget = this.#plan.clock.after(retryInMs, () => {
      this.#try(started, number + 1, this.#plan.clock.monotonic());
    });
  }

  /** A node whose time is over has perhaps waited for what it was refused. */
  #withRefusal(thrown: unknown): unknown {
    const [refusals] = this.#refusals?.values() ?? [];
    if (refusals && thrown instanceof TimeoutError) thrown.cause ??= refusals.error;
    return thrown;
  }

  /** Whatever goes wrong with telling of a failure, the failure itself must end the run. */
  #report(tell: () => void): void {
    try {
      tell();
    } catch {
      // The result says what failed.
    }
  }

  #succeed(started: Started, output: Json, now: number): void {
    this.#outputs[started.node] = output;
    this.#close(started, false, now);
    this.#left--;
    if (this.#left === 0) return this.#finish(now);
    const ready: number[] = [];
    for (const next of this.#plan.graph.downstream[started.node] ?? []) {
      const missing = (this.#waiting[next] ?? 0) - 1;
      this.#waiting[next] = missing;
      if (missing === 0) ready.push(next);
    }
    this.#launchAll(ready, now);
  }

  #fail({ node }: Started, thrown: unknown): void {
    this.#errors.push(this.#describe(node, thrown));
    this.#end(new AbortedError(`aborted: node ${this.#plan.graph.names[node]} failed`));
  }

  /** Nothing new starts once `#errors` has an entry; what still runs is told to stop. */
  #end(reason: AbortedError): void {
    const now = this.#plan.clock.monotonic();
    for (const started of this.#running()) {
      this.#close(started, true, now);
      started.forget?.();
      started.attempt?.abort(reason);
    }
    this.#finish(now);
  }

  #close(started: Started, failed: boolean, now: number): void {
    const milliseconds = now - started.began;
    started.timing = {
      startedAt: timestamp(started.at),
      durationMs: Math.round(milliseconds),
      attempts: started.attempt?.number ?? 0,
    };
    const name = this.#plan.graph.names[started.node] ?? "";
    this.#plan.observer.nodeEnded?.(name, milliseconds, failed);
    started.span?.end(started.attempt?.number ?? 0, failed);
  }

  #finish(now: number): void {
    const result = this.#result(now);
    this.#plan.observer.runEnded?.(result, now - this.#began);
    this.#span?.end(result.errors);
    this.ended();
    this.#resolve(result);
  }

  #result(now: number): RunResult {
    const { names } = this.#plan.graph;
    const outputs: Record<string, Json> = {};
    const nodes: Record<string, NodeTiming> = {};
    for (const [index, name] of names.entries()) {
      const output = this.#outputs[index];
      const timing = this.#started[index]?.timing;
      if (output !== undefined) outputs[name] = output;
      if (timing !== undefined) nodes[name] = timing;
    }
    return {
      success: this.#errors.length === 0,
      outputs,
      errors: this.#errors,
      timing: {
        startedAt: timestamp(this.#at),
        durationMs: Math.round(now - this.#began),
        nodes,
      },
      runId: this.id,
      revision: this.#plan.revision,
    };
  }

  #describe(node: number, error: unknown): string {
    const name = this.#plan.graph.names[node];
    return this.#plan.mask(`node ${name} threw: ${messageOf(error)}`);
  }
}

let lastAt = 0;
let lastTimestamp = isoTime(lastAt);

/** Most nodes start within the millisecond of another one: formatting once is enough. */
function timestamp(at: number): string {
  if (at !== lastAt) {
    lastAt = at;
    lastTimestamp = isoTime(at);
  }
  return lastTimestamp;
}
