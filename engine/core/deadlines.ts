/**
 * Many deadlines on few timers.
 *
 * Nearly every attempt ends long before its timeout, and starting and clearing a timer costs more
 * than everything else that the engine does for it. Deadlines of one length expire in the order in
 * which they were set, so a queue for each length needs one timer, for its head.
 */

import type { Clock } from "./clock.ts";

/** A place in a queue, which is a ring through its own head: leaving it needs no search. */
export class Deadline {
  previous: Deadline = this;
  next: Deadline = this;

  constructor(readonly at: number, readonly expired: () => void) {}

  /** Takes the deadline back. False, and harmless, when it has expired. */
  cancel(): boolean {
    const pending = this.next !== this;
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.previous = this.next = this;
    return pending;
  }
}

interface Queue {
  readonly head: Deadline;
  armed: boolean;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #queues = new Map<number, Queue>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `expired` once, `milliseconds` after `now` or a little later. */
  set(milliseconds: number, now: number, expired: () => void): Deadline {
    const queue = this.#queue(milliseconds);
    const deadline = new Deadline(now + milliseconds, expired);
    append(queue.head, deadline);
    if (!queue.armed) this.#arm(queue, milliseconds);
    return deadline;
  }

  #queue(milliseconds: number): Queue {
    let queue = this.#queues.get(milliseconds);
    if (queue === undefined) {
      queue = { head: new Deadline(0, () => {}), armed: false };
      this.#queues.set(milliseconds, queue);
    }
    return queue;
  }

  #arm(queue: Queue, wait: number): void {
    queue.armed = true;
    this.#clock.after(wait, () => {
      queue.armed = false;
      this.#expire(queue);
    });
  }

  #expire(queue: Queue): void {
    const now = this.#clock.monotonic();
    for (let first = queue.head.next; first !== queue.head; first = queue.head.next) {
      if (first.at > now) return this.#arm(queue, Math.ceil(first.at - now));
      first.cancel();
      first.expired();
    }
  }
}

function append(head: Deadline, deadline: Deadline): void {
  deadline.previous = head.previous;
  deadline.next = head;
  head.previous.next = deadline;
  head.previous = deadline;
}
