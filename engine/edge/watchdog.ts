/** Names the node that keeps the event loop from going on, by way of a thread of its own. */

import { every } from "../core/clock.ts";
import { oneLine } from "../core/log.ts";
import type { RunView } from "../core/run.ts";

/** Several times within the span after which the loop counts as blocked. */
const BEAT_MS = 1_000;

/** For the id of a run, which is ASCII: an encoder takes ten times as long as a loop. */
const ID_BYTES = 64;

/** For the names of all nodes; the last ones are left out when they are longer. */
const NAME_BYTES = 64 * 1024;

/**
 * In memory that the thread sees, as it has no event loop that messages could come to: how often the
 * loop went round, the node that began last, the length of its run's id, whether its module is being
 * loaded, and the length of the names.
 */
const state = new Int32Array(new SharedArrayBuffer(20));
const runId = new Uint8Array(new SharedArrayBuffer(ID_BYTES));
const names = new Uint8Array(new SharedArrayBuffer(NAME_BYTES));
let noted: RunView | undefined;

/** To be called as a node starts. A number costs nothing; the text is written once a run. */
export function noteStart(run: RunView, node: number): void {
  state[1] = node;
  if (run === noted) return;
  noted = run;
  const { id } = run;
  const length = Math.min(id.length, ID_BYTES);
  for (let index = 0; index < length; index++) runId[index] = id.charCodeAt(index);
  state[2] = length;
}

/** To be called when the nodes are known, and again when they are others. */
export function noteNodes(nodes: readonly string[]): void {
  const bytes = new TextEncoder().encode(nodes.map(oneLine).join("\n")).subarray(0, NAME_BYTES);
  names.set(bytes);
  state[4] = bytes.length;
}

/** To be called before the module of a node is loaded, and with `undefined` after the last. */
export function noteLoading(node: number | undefined): void {
  state[1] = node ?? 0;
  state[3] = node === undefined ? 0 : 1;
}

/** Taken before a node is loaded, as the thread may start after that. */
const { Worker } = globalThis;
const script = new URL("./watchdog_worker.js", import.meta.url);
let watching = false;

/**
 * To be called before each run. The first starts the thread, which costs about 12 MiB: most engines
 * of a schedule wait for days. Where nobody minds, it can watch over the loading of nodes as well.
 */
export function watchOver(): void {
  if (watching) return;
  watching = true;
  const worker = new Worker(script, { type: "module" });
  worker.postMessage({ state, runId, names });
  every(BEAT_MS, () => {
    Atomics.add(state, 0, 1);
    Atomics.notify(state, 0);
  });
}
