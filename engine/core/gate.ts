/** Lets something run alone among what otherwise goes on side by side. */

export class Gate {
  #inside = 0;
  #closed = 0;
  #waiting: (() => void)[] = [];
  #last: Promise<void> = Promise.resolve();

  /** Resolves when nothing runs alone, or waits to. Whoever enters must {@linkcode leave}. */
  async enter(): Promise<void> {
    while (this.#closed > 0) await this.#changed();
    this.#inside++;
  }

  /** For whoever is let in by somebody who is inside. */
  join(): void {
    this.#inside++;
  }

  leave(): void {
    this.#inside--;
    this.#wake();
  }

  /** Calls when nobody is inside any more; nobody enters from now until it is over. */
  async alone<T>(call: () => Promise<T>): Promise<T> {
    this.#closed++;
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    try {
      await before;
      while (this.#inside > 0) await this.#changed();
      return await call();
    } finally {
      this.#closed--;
      resolve();
      this.#wake();
    }
  }

  #wake(): void {
    this.#waiting.splice(0).forEach((wake) => wake());
  }

  async #changed(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
