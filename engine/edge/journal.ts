/**
 * What the engine is in the middle of, as files that outlive it: what is there at the next start is
 * what the engine died of. In a pod, `/tmp` stays while the pod does, however its engine ends.
 *
 * Only what may kill an engine again and again is noted: nodes while they are loaded, and messages
 * that their server delivers again.
 */

import type { Logger } from "../mod.ts";

/** What notes begin with: the name of a node; a message; one that nothing else ran beside. */
export const LOADING = "loading ";
export const MESSAGE = "message ";
export const ALONE = "alone ";

const { mkdirSync, readDirSync, removeSync, writeTextFileSync } = Deno;

export class Journal {
  readonly #directory: string | undefined;
  readonly #left: ReadonlySet<string>;

  private constructor(directory: string | undefined, left: Iterable<string>) {
    this.#directory = directory;
    this.#left = new Set(left);
  }

  /** One that notes nothing, for engines that nobody starts again. */
  static readonly none = new Journal(undefined, []);

  /** Takes over what is left in `directory`; notes nothing when it cannot be read and written. */
  static open(directory: string | undefined): Journal {
    if (directory === undefined) return Journal.none;
    try {
      mkdirSync(directory, { recursive: true });
      const left = [...readDirSync(directory)].map(({ name }) => name);
      for (const name of left) removeSync(`${directory}/${name}`);
      return new Journal(directory, left.map(decodeURIComponent));
    } catch {
      return Journal.none;
    }
  }

  /** Where the notes are, if anywhere. */
  get directory(): string | undefined {
    return this.#directory;
  }

  /** Whether the engine before this one died with this noted. */
  diedOf(what: string): boolean {
    return this.#left.has(what);
  }

  /** What the engine before this one died of, as far as it is known. */
  report(log: Logger): void {
    for (const node of this.left(LOADING)) {
      log.error(`the engine before this one ended while it loaded the module of node ${node}`);
    }
    const messages = this.left(MESSAGE);
    if (messages.length === 0) return;
    log.warn(
      `the engine before this one ended while it had these messages, which run alone when they ` +
        `come again: ${messages.join(", ")}`,
    );
  }

  /** What the engine before this one died with, of those that begin with `prefix`, without that. */
  left(prefix: string): string[] {
    const found = [...this.#left].filter((it) => it.startsWith(prefix));
    return found.map((it) => it.slice(prefix.length)).sort();
  }

  begin(what: string): void {
    this.#try((path) => writeTextFileSync(path, ""), what);
  }

  end(what: string): void {
    this.#try(removeSync, what);
  }

  /** A disk that is full is no reason not to run. */
  #try(act: (path: string) => void, what: string): void {
    if (this.#directory === undefined) return;
    try {
      act(`${this.#directory}/${encodeURIComponent(what)}`);
    } catch {
      // What is not noted is not known after a crash.
    }
  }
}
