/** Time as a parameter. */

export interface Clock {
  /** Milliseconds since the epoch, for people and other machines. */
  now(): number;
  /** Milliseconds since any fixed moment, never going back: for durations. */
  monotonic(): number;
  /** Calls back once, after `milliseconds` or more; the result takes that back. */
  after(milliseconds: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};
