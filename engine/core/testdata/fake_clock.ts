/** A clock that moves only when a test moves it. */

import type { Clock } from "../clock.ts";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  #now = 0;
  #timers: Timer[] = [];

  get timers(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#now + milliseconds, callback };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((it) => it !== timer));
  }

  /** Calls back whatever falls due, in the order in which it does. */
  advance(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (let due = this.#next(until); due !== undefined; due = this.#next(until)) {
      this.#timers = this.#timers.filter((it) => it !== due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = until;
  }

  /** Passes time without letting timers fire, as code that blocks the event loop does. */
  block(milliseconds: number): void {
    this.#now += milliseconds;
  }

  #next(until: number): Timer | undefined {
    return this.#timers.filter((it) => it.at <= until).sort((a, b) => a.at - b.at)[0];
  }
}
