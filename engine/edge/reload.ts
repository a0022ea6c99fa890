/** `--watch`: takes over changes of the workflow while it serves. */

import type { Options } from "../core/args.ts";
import { messageOf } from "../core/errors.ts";
import type { Engine } from "../core/engine.ts";
import type { Program } from "../core/program.ts";
import type { Logger } from "../mod.ts";
import { dirname } from "./files.ts";
import { sleep } from "./sleep.ts";

/** File events do not reach a mounted ConfigMap under gVisor, where reads are fresh all the same. */
const POLL_MS = 1_000;

/** Editors and ConfigMaps change several files at once. */
const SETTLE_MS = 50;

/** What a workflow is made of. Everything else in its directory may change without notice. */
const CODE = /\.(ts|tsx|js|mjs|json|yaml|gz)$/;
const ELSEWHERE = /^(\..*|node_modules|tests)$/;

export interface ReloadParts {
  readonly engine: Engine;
  readonly log: Logger;
  /** Loads the code as `generation` of it, all of it anew. */
  readonly load: (generation: number) => Promise<Program>;
  /** Called when the engine has another program. */
  readonly replaced: () => Promise<void>;
}

/** The code as it is now: to be read before it is loaded, so that no change falls in between. */
export async function readCode(options: Options): Promise<string> {
  return await readAll(dirname(options.workflow));
}

/** Follows changes of what {@linkcode readCode} gave, until `signal` is aborted. Never rejects. */
export async function reloadOnChange(
  parts: ReloadParts,
  options: Options,
  code: string,
  signal: AbortSignal,
  events: AsyncIterable<unknown> = fileEvents(dirname(options.workflow), signal),
): Promise<void> {
  const changes = new Changes(events, signal);
  let seen = code;
  for (let generation = 1; !signal.aborted; await changes.next()) {
    const found = await readCode(options);
    if (found === seen) continue;
    seen = found;
    await reload(parts, generation++, async () => await readCode(options) === found);
  }
}

/**
 * All or nothing: a program is replaced when everything of the new one is there, and nothing has
 * changed again while it was read. If it has, the next round reads it anew.
 */
async function reload(
  { engine, log, load, replaced }: ReloadParts,
  generation: number,
  isCurrent: () => Promise<boolean>,
): Promise<void> {
  try {
    const program = await load(generation);
    if (!await isCurrent()) return;
    engine.replace(program);
    log.info(`reloaded, generation ${generation}`);
    await replaced();
  } catch (error) {
    const message = `not reloaded, the code from before serves on: ${messageOf(error)}`;
    for (const line of message.split("\n")) log.error(line);
  }
}

/** The text of every file, to be compared: times and sizes are not fresh everywhere. */
async function readAll(directory: string): Promise<string> {
  const texts: string[] = [];
  for (const path of await listCode(directory)) {
    const text = await Deno.readTextFile(path).catch(() => "");
    texts.push(JSON.stringify([path, text]));
  }
  return texts.join("\n");
}

async function listCode(directory: string): Promise<string[]> {
  const found: string[] = [];
  const entries = await Array.fromAsync(Deno.readDir(directory)).catch(() => []);
  for (const { name } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (ELSEWHERE.test(name)) continue;
    const path = `${directory}/${name}`;
    const info = await Deno.stat(path).catch(() => undefined); // Follows links, as mounts have.
    if (info?.isDirectory) found.push(...await listCode(path));
    else if (info?.isFile && CODE.test(name)) found.push(path);
  }
  return found;
}

/** Moments at which something may have changed: after events, and every now and then. */
class Changes {
  readonly #signal: AbortSignal;
  #happened: () => void = () => {};

  constructor(events: AsyncIterable<unknown>, signal: AbortSignal) {
    this.#signal = signal;
    this.#watch(events).catch(() => {}); // Then there is still the polling.
  }

  async next(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#happened = resolve;
    await Promise.race([promise, sleep(POLL_MS, this.#signal)]);
    await sleep(SETTLE_MS, this.#signal);
  }

  async #watch(events: AsyncIterable<unknown>): Promise<void> {
    for await (const _ of events) this.#happened();
  }
}

async function* fileEvents(directory: string, signal: AbortSignal): AsyncIterable<unknown> {
  const watcher = Deno.watchFs(directory, { recursive: true });
  signal.addEventListener("abort", () => watcher.close());
  yield* watcher;
}
