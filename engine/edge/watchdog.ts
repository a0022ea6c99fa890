/** Names the node that keeps the event loop from going on, by way of a thread of its own. */

import { setInterval } from "../core/primordials.ts";
import { oneLine } from "../core/log.ts";
import type { RunView } from "../core/run.ts";

/** Several times within the span after which the loop counts as blocked. */
const BEAT_MS = 1_000;

/** For the id of a run, which is ASCII: an encoder takes ten times as long as a loop. */
const ID_BYTES = 64;

/** How often the loop went round, the node that started last, and the length of its run's id. */
const state = new Int32Array(new SharedArrayBuffer(12));
const runId = new Uint8Array(new SharedArrayBuffer(ID_BYTES));
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

/** Taken before a node is loaded, as the thread starts after that. */
const { Worker } = globalThis;
const script = new URL("./watchdog_worker.js", import.meta.url);
let watching = false;

/**
 * To be called before each run. The first starts the thread, which costs about 12 MiB: most engines
 * of a schedule wait for days, and before the first run no node can block anything.
 */
export function watchOver(nodes: () => readonly string[]): void {
  if (watching) return;
  watching = true;
  startWatchdog(nodes());
}

function startWatchdog(nodes: readonly string[]): void {
  const worker = new Worker(script, { type: "module" });
  worker.postMessage({ state, runId, nodes: nodes.map(oneLine) });
  setInterval(() => {
    Atomics.add(state, 0, 1);
    Atomics.notify(state, 0);
  }, BEAT_MS);
}
