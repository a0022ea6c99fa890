/** Runs workflows and knows which runs are under way. */

import type { Json } from "../mod.ts";
import { AbortedError } from "./attempt.ts";
import type { Gauge } from "./metrics.ts";
import type { Program } from "./program.ts";
import type { Origin } from "./tracing.ts";
import { Run, type RunResult } from "./run.ts";

export interface StartedRun {
  readonly runId: string;
  /** Never rejects. */
  readonly result: Promise<RunResult>;
}

export class Engine {
  #program: Program;
  readonly #newRunId: () => string;
  readonly #active = new Set<Run>();
  #whenIdle: (() => void)[] = [];
  #stopping = false;

  constructor(program: Program, newRunId: () => string) {
    this.#program = program;
    this.#newRunId = newRunId;
  }

  get program(): Program {
    return this.#program;
  }

  /** Runs under way finish with the code they began with. */
  replace(program: Program): void {
    this.#program = program;
  }

  get inFlight(): number {
    return this.#active.size;
  }

  /** Starts a run, for callers that do not wait for its end. */
  start(input: Json, origin?: Origin): StartedRun {
    const run = new Run(this.#program.plan, this.#newRunId(), input, origin);
    this.#active.add(run);
    return { runId: run.id, result: this.#follow(run.start()) };
  }

  /** Never rejects. */
  run(input: Json, origin?: Origin): Promise<RunResult> {
    return this.start(input, origin).result;
  }

  async #follow(run: Run): Promise<RunResult> {
    const result = await run.result;
    this.#active.delete(run);
    if (this.#active.size === 0) this.#whenIdle.splice(0).forEach((tell) => tell());
    return result;
  }

  /** Resolves when no run is under way. */
  async idle(): Promise<void> {
    if (this.#active.size === 0) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /** Whether runs fail for no fault of their own. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Ends every run under way as failed, at the end of the process. */
  abort(reason: string): void {
    this.#stopping = true;
    for (const run of this.#active) run.abort(new AbortedError(`aborted: ${reason}`));
  }
}

export function inFlight(engine: Engine): Gauge {
  return {
    name: "tentacular_runs_in_flight",
    help: "Runs under way.",
    read: () => [["", engine.inFlight]],
  };
}
