/** Which deliveries of webhooks have come already. */

import type { Clock } from "./clock.ts";

/** GitHub may deliver again what it has no answer for; see its "Redeliver" button as well. */
const REMEMBERED_MS = 10 * 60 * 1000;

/** The deliveries of the last ten minutes, or of as long as their signatures are good for. */
export class Deliveries {
  readonly #clock: Clock;
  /** By how long they are kept; each oldest first, as Map keeps them. */
  readonly #at = new Map<number, Map<string, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Whether none of these is known: the id of a delivery, which not every sender signs, and its
   * signature, which a replay under another id has, too. They are kept for `leastMs` at least.
   */
  add(ids: readonly string[], leastMs = 0): boolean {
    const now = this.#clock.monotonic();
    const keptMs = Math.max(REMEMBERED_MS, leastMs);
    const kept = this.#at.get(keptMs) ?? new Map<string, number>();
    this.#at.set(keptMs, kept);
    for (const [old, at] of kept) {
      if (now - at < keptMs) break;
      kept.delete(old);
    }
    if (ids.some((id) => kept.has(id))) return false;
    for (const id of ids) kept.set(id, now);
    return true;
  }

  forget(ids: readonly string[]): void {
    for (const kept of this.#at.values()) ids.forEach((id) => kept.delete(id));
  }
}
