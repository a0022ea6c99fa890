/** Runs workflows and knows which runs are under way. */

import type { Json } from "../mod.ts";
import { AbortedError } from "./attempt.ts";
import type { Program } from "./program.ts";
import { Run, type RunResult } from "./run.ts";

export class Engine {
  #program: Program;
  readonly #newRunId: () => string;
  readonly #active = new Set<Run>();
  #whenIdle: (() => void)[] = [];

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

  /** Never rejects. */
  async run(input: Json): Promise<RunResult> {
    const run = new Run(this.#program.plan, this.#newRunId(), input);
    this.#active.add(run);
    const result = await run.start().result;
    this.#active.delete(run);
    if (this.#active.size === 0) this.#whenIdle.splice(0).forEach((tell) => tell());
    return result;
  }

  /** Resolves when no run is under way. */
  async idle(): Promise<void> {
    if (this.#active.size === 0) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /** Ends every run under way as failed. */
  abort(reason: string): void {
    for (const run of this.#active) run.abort(new AbortedError(`aborted: ${reason}`));
  }
}
