/** One call of one node, which a timeout, a failed run or a shutdown may end early. */

import { rejected, resolved, then } from "./primordials.ts";
import type { RunTrigger } from "../mod.ts";
import type { Clock } from "./clock.ts";
import type { Deadlines } from "./deadlines.ts";
import { formatDuration } from "./duration.ts";

/** Why an attempt ended before the node did. */
export class AbortedError extends Error {
  override readonly name: string = "AbortedError";
}

/** The node took longer than its `timeout`. */
export class TimeoutError extends AbortedError {
  override readonly name = "TimeoutError";

  constructor(limitMs: number) {
    super(`timed out after ${formatDuration(limitMs)}`);
  }
}

/** Started by somebody who asked for it. */
const MANUAL: RunTrigger = Object.freeze({ type: "manual" });

export class Attempt {
  /** Only made when the node asks for it: most never do. */
  #controller: AbortController | undefined;
  #aborted: AbortedError | undefined;
  #end: ((reason: unknown) => void) | undefined;

  /** `number` counts from one. */
  constructor(
    readonly runId: string,
    readonly node: string,
    readonly number: number,
    readonly trigger: RunTrigger = MANUAL,
  ) {}

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted);
    }
    return this.#controller.signal;
  }

  /** Ends the attempt at once, whether the node listens to its signal or not. */
  abort(reason: AbortedError): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = reason;
    this.#end?.(reason);
    this.#controller?.abort(reason);
  }

  /**
   * Calls back exactly once, and never before it returns unless it is aborted: with what `call`
   * gives, or with the reason of {@linkcode abort} when that comes first. Whatever a node does
   * after its abort is without effect; a late rejection is nobody's.
   *
   * Callbacks, as this is the innermost loop: promises here are a third of the cost of a run.
   */
  start(call: () => unknown, limit: Limit, outcome: Outcome): void {
    const late = (): void => this.abort(new TimeoutError(limit.milliseconds));
    const deadline = limit.deadlines.set(limit.milliseconds, limit.from, late);
    this.#end = (reason) => {
      this.#end = undefined;
      deadline.cancel();
      outcome.failed(reason);
    };
    const finish = (value: unknown): void => {
      if (this.#end === undefined) return;
      const now = limit.clock.monotonic();
      // A node that blocked the event loop kept the timer from firing, and is late all the same.
      if (now > deadline.at) return late();
      this.#end = undefined;
      deadline.cancel();
      outcome.succeeded(value, now);
    };
    then(invoke(call), finish, (error) => this.#end?.(error));
  }
}

/** How long an attempt may take, counted from the monotonic moment `from`. */
export interface Limit {
  readonly milliseconds: number;
  readonly from: number;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
}

/** What became of an attempt. */
export interface Outcome {
  /** `now` is the monotonic moment. */
  readonly succeeded: (value: unknown, now: number) => void;
  readonly failed: (thrown: unknown) => void;
}

/** A node that throws before its first `await` rejects like any other. */
function invoke(call: () => unknown): Promise<unknown> {
  try {
    return resolved(call());
  } catch (error) {
    return rejected(error);
  }
}
