/** Names the node that keeps the event loop from going on, by way of a thread of its own. */

import { setInterval } from "../core/primordials.ts";
import { oneLine } from "../core/log.ts";
import type { RunView } from "../core/run.ts";

/** Several times within the span after which the loop counts as blocked. */
const BEAT_MS = 1_000;

/** For the id of a run. */
const ID_BYTES = 64;

/** How often the loop went round, the node that started last, and the length of its run's id. */
const state = new Int32Array(new SharedArrayBuffer(12));
const runId = new Uint8Array(new SharedArrayBuffer(ID_BYTES));
const encoder = new TextEncoder();
let noted: RunView | undefined;

/** To be called as a node starts. A number costs nothing; the text is written once a run. */
export function noteStart(run: RunView, node: number): void {
  state[1] = node;
  if (run === noted) return;
  noted = run;
  state[2] = encoder.encodeInto(run.id, runId).written;
}

/** Costs a thread and about 8 MiB; nothing waits for its start. */
export function startWatchdog(nodes: readonly string[]): void {
  const worker = new Worker(new URL("./watchdog_worker.js", import.meta.url), { type: "module" });
  worker.postMessage({ state, runId, nodes: nodes.map(oneLine) });
  setInterval(() => {
    Atomics.add(state, 0, 1);
    Atomics.notify(state, 0);
  }, BEAT_MS);
}
