/**
 * One run of a workflow: a node starts as soon as its own inputs are there, and the first failure
 * ends the run.
 */

import type { Json } from "../mod.ts";
import { AbortedError, Attempt } from "./attempt.ts";
import type { Clock } from "./clock.ts";
import { messageOf } from "./errors.ts";
import type { Graph } from "./graph.ts";
import { inputOf } from "./input.ts";
import { copyJson } from "./json.ts";

/** How to run one node. */
export interface NodePlan {
  readonly timeoutMs: number;
  readonly retries: number;
  readonly call: (attempt: Attempt, input: Json) => unknown;
}

/** Told of what happens, in order; must not throw. */
export interface RunObserver {
  /** The run ended, well or not. */
  runEnded?(result: RunResult): void;
  nodeEnded?(node: string, timing: NodeTiming, failed: boolean): void;
  /** `retryInMs` is absent when no attempt is left. */
  attemptFailed?(attempt: Attempt, thrown: unknown, retryInMs?: number): void;
}

export interface RunPlan {
  readonly graph: Graph;
  /** In the order of `graph.names`. */
  readonly nodes: readonly NodePlan[];
  readonly revision: string | null;
  readonly clock: Clock;
  readonly observer: RunObserver;
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
  readonly at: number;
  readonly began: number;
  attempt: Attempt | undefined;
  wake: (() => void) | undefined;
  timing: NodeTiming | undefined;
}

export class Run {
  readonly #plan: RunPlan;
  readonly #input: Json;
  readonly #at: number;
  readonly #began: number;
  readonly #waiting: number[];
  readonly #outputs: (Json | undefined)[];
  readonly #started: (Started | undefined)[];
  readonly #errors: string[] = [];
  #left: number;
  #resolve: (result: RunResult) => void = () => {};

  /** Settled exactly once, never rejected: a failed run is a result. */
  readonly result: Promise<RunResult>;

  constructor(plan: RunPlan, readonly id: string, input: Json) {
    this.#plan = plan;
    this.#input = input;
    this.#at = plan.clock.now();
    this.#began = plan.clock.monotonic();
    this.#waiting = plan.graph.upstream.map((nodes) => nodes.length);
    this.#left = plan.graph.names.length;
    this.#outputs = new Array(this.#left);
    this.#started = new Array(this.#left);
    this.result = new Promise((resolve) => this.#resolve = resolve);
  }

  /** Starts every root. Returns the run, to be read as `new Run(...).start().result`. */
  start(): this {
    for (const node of this.#plan.graph.stages[0] ?? []) this.#launch(node);
    return this;
  }

  /** Ends the run as failed, with one error for each node that is running. */
  abort(reason: AbortedError): void {
    if (this.#over) return;
    for (const [node] of this.#running()) this.#errors.push(this.#describe(node, reason));
    this.#end(reason);
  }

  get #over(): boolean {
    return this.#errors.length > 0 || this.#left === 0;
  }

  /** Started and without a timing yet: in an attempt, or waiting for the next one. */
  #running(): [number, Started][] {
    return [...this.#started.entries()].filter((entry): entry is [number, Started] =>
      entry[1] !== undefined && entry[1].timing === undefined
    );
  }

  #launch(node: number): void {
    const { clock } = this.#plan;
    const started: Started = {
      at: clock.now(),
      began: clock.monotonic(),
      attempt: undefined,
      wake: undefined,
      timing: undefined,
    };
    this.#started[node] = started;
    this.#work(node, started);
  }

  async #work(node: number, started: Started): Promise<void> {
    try {
      const output = await this.#firstSuccess(node, started);
      if (!this.#over) this.#succeed(node, started, output);
    } catch (error) {
      if (!this.#over) this.#fail(node, error);
    }
  }

  async #firstSuccess(node: number, started: Started): Promise<Json> {
    const plan = this.#plan.nodes[node];
    if (plan === undefined) throw new Error("has no code");
    for (let number = 1;; number++) {
      try {
        return await this.#try(node, plan, started, number);
      } catch (error) {
        if (this.#over) throw error;
        const retryInMs = number <= plan.retries ? backoffMs(number) : undefined;
        if (started.attempt) this.#plan.observer.attemptFailed?.(started.attempt, error, retryInMs);
        if (retryInMs === undefined) throw error;
        await this.#sleep(started, retryInMs);
        if (this.#over) throw error;
      }
    }
  }

  async #try(node: number, plan: NodePlan, started: Started, number: number): Promise<Json> {
    const { graph, clock } = this.#plan;
    const attempt = new Attempt(this.id, graph.names[node] ?? "", number);
    started.attempt = attempt;
    const input = inputOf(graph, node, this.#input, this.#outputs);
    return copyJson(await attempt.settle(() => plan.call(attempt, input), plan.timeoutMs, clock));
  }

  #sleep(started: Started, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const forget = this.#plan.clock.after(milliseconds, resolve);
      started.wake = () => (forget(), resolve());
    });
  }

  #succeed(node: number, started: Started, output: Json): void {
    this.#outputs[node] = output;
    this.#close(node, started, false);
    this.#left--;
    if (this.#left === 0) return this.#finish();
    for (const next of this.#plan.graph.downstream[node] ?? []) {
      const missing = (this.#waiting[next] ?? 0) - 1;
      this.#waiting[next] = missing;
      if (missing === 0) this.#launch(next);
    }
  }

  #fail(node: number, error: unknown): void {
    const { names } = this.#plan.graph;
    this.#errors.push(this.#describe(node, error));
    this.#end(new AbortedError(`aborted: node ${names[node]} failed`));
  }

  /** Nothing new starts once `#errors` has an entry; what still runs is told to stop. */
  #end(reason: AbortedError): void {
    for (const [node, started] of this.#running()) {
      this.#close(node, started, true);
      started.attempt?.abort(reason);
      started.wake?.();
    }
    this.#finish();
  }

  #close(node: number, started: Started, failed: boolean): void {
    const timing = {
      ...this.#timing(started.at, started.began),
      attempts: started.attempt?.number ?? 0,
    };
    started.timing = timing;
    this.#plan.observer.nodeEnded?.(this.#plan.graph.names[node] ?? "", timing, failed);
  }

  #finish(): void {
    const result = this.#result();
    this.#plan.observer.runEnded?.(result);
    this.#resolve(result);
  }

  #result(): RunResult {
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
      timing: { ...this.#timing(this.#at, this.#began), nodes },
      runId: this.id,
      revision: this.#plan.revision,
    };
  }

  #timing(at: number, began: number): Timing {
    const durationMs = Math.round(this.#plan.clock.monotonic() - began);
    return { startedAt: new Date(at).toISOString(), durationMs };
  }

  #describe(node: number, error: unknown): string {
    const name = this.#plan.graph.names[node];
    return this.#plan.mask(`node ${name} threw: ${messageOf(error)}`);
  }
}
