/** Time as a parameter. */

import { after, epochNow, monotonicNow } from "./primordials.ts";

export interface Clock {
  /** Milliseconds since the epoch, for people and other machines. */
  now(): number;
  /** Milliseconds since any fixed moment, never going back: for durations. */
  monotonic(): number;
  /** Calls back once, after `milliseconds` or more; the result takes that back. */
  after(milliseconds: number, callback: () => void): () => void;
}

export const systemClock: Clock = { now: epochNow, monotonic: monotonicNow, after };

/** Calls again and again until the result takes it back. */
export function every(milliseconds: number, call: () => void, clock = systemClock): () => void {
  let cancel = (): void => {};
  const next = (): void => {
    cancel = clock.after(milliseconds, () => {
      next();
      call();
    });
  };
  next();
  return () => cancel();
}
