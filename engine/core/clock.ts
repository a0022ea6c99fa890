/** Time as a parameter. */

import { clearTimeout, epochNow, monotonicNow, setTimeout } from "./primordials.ts";

export interface Clock {
  /** Milliseconds since the epoch, for people and other machines. */
  now(): number;
  /** Milliseconds since any fixed moment, never going back: for durations. */
  monotonic(): number;
  /** Calls back once, after `milliseconds` or more; the result takes that back. */
  after(milliseconds: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: epochNow,
  monotonic: monotonicNow,
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};
