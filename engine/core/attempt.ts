/** One call of one node, which a timeout, a failed run or a shutdown may end early. */

import type { Clock } from "./clock.ts";
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

export class Attempt {
  /** Only made when the node asks for it: most never do. */
  #controller: AbortController | undefined;
  #aborted: AbortedError | undefined;
  #reject: ((reason: AbortedError) => void) | undefined;

  /** `number` counts from one. */
  constructor(readonly runId: string, readonly node: string, readonly number: number) {}

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
    this.#reject?.(reason);
    this.#controller?.abort(reason);
  }

  /**
   * What `call` gives, or the reason of {@linkcode abort} when that comes first. Whatever a node
   * does after its abort is without effect; a late rejection is nobody's.
   *
   * A node that blocked the event loop kept the timer from firing: it has timed out all the same.
   */
  settle<T>(call: () => T | Promise<T>, limitMs: number, clock: Clock): Promise<T> {
    const began = clock.monotonic();
    return new Promise((resolve, reject) => {
      const forget = clock.after(limitMs, () => this.abort(new TimeoutError(limitMs)));
      this.#reject = (reason) => (forget(), reject(reason));
      const finish = (value: T): void => {
        if (clock.monotonic() - began > limitMs) this.abort(new TimeoutError(limitMs));
        forget();
        resolve(value);
      };
      const fail = (error: unknown): void => (forget(), reject(error));
      invoke(call).then(finish, fail);
    });
  }
}

/** A node that throws before its first `await` rejects like any other. */
async function invoke<T>(call: () => T | Promise<T>): Promise<T> {
  return await call();
}
