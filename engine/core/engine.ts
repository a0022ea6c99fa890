/** Runs workflows and knows which runs are under way. */

import type { Json, RunTrigger } from "../mod.ts";
import { Admission } from "./admission.ts";
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

export interface StartOptions {
  /** For the run's span. */
  readonly origin?: Origin | undefined;
  readonly trigger?: RunTrigger | undefined;
  /** What the input takes in memory, in bytes. */
  readonly weight?: number;
  readonly later?: boolean;
}

export class Engine {
  #program: Program;
  /** Whoever starts runs asks it for room first. */
  readonly admission = new Admission();
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

  /**
   * Starts a run, for callers that do not wait for its end; they have asked {@linkcode admission}
   * whether there is room for an input of this `weight`. A run that is to start `later` lets its
   * caller answer first: the roots are called at once otherwise, and may compute for long.
   */
  start(
    input: Json,
    { origin, trigger, weight = 0, later = false }: StartOptions = {},
  ): StartedRun {
    const run = new Run(this.#program.plan, this.#newRunId(), input, origin, trigger);
    run.ended = () => this.#leave(run, weight);
    this.#active.add(run);
    this.admission.enter(weight);
    if (later) this.#program.plan.clock.after(0, () => run.start());
    else run.start();
    return { runId: run.id, result: run.result };
  }

  /** Never rejects. */
  run(input: Json, options?: StartOptions): Promise<RunResult> {
    return this.start(input, options).result;
  }

  #leave(run: Run, weight: number): void {
    this.#active.delete(run);
    this.admission.leave(weight);
    if (this.#active.size === 0) this.#whenIdle.splice(0).forEach((tell) => tell());
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
