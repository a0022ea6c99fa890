/** Waiting that can be cut short. */

import { systemClock } from "../core/clock.ts";

/** Ends early, and without an error, when `signal` is aborted. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const cancel = systemClock.after(milliseconds, end);
    signal.addEventListener("abort", end);
  });
}
