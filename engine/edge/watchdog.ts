/** Names the node that keeps the event loop from going on, by way of a thread of its own. */

import type { Attempt } from "../core/attempt.ts";
import { setInterval } from "../core/primordials.ts";
import { oneLine } from "../core/log.ts";

/** Several times within the span after which the loop counts as blocked. */
const BEAT_MS = 1_000;

const MAX_BYTES = 512;

/** Two counters: how often the loop went round, and the length of `text`. */
const beats = new Int32Array(new SharedArrayBuffer(8));
const text = new Uint8Array(new SharedArrayBuffer(MAX_BYTES));
const encoder = new TextEncoder();

/** To be called as a node starts: only what starts later can block the loop later. */
export function noteStart({ node, runId }: Attempt): void {
  const { written } = encoder.encodeInto(`node ${oneLine(node)} runId=${runId}`, text);
  Atomics.store(beats, 1, written);
}

/** Costs a thread and about 8 MiB; nothing waits for its start. */
export function startWatchdog(): void {
  const worker = new Worker(new URL("./watchdog_worker.js", import.meta.url), { type: "module" });
  worker.postMessage({ beats, text });
  setInterval(() => {
    Atomics.add(beats, 0, 1);
    Atomics.notify(beats, 0);
  }, BEAT_MS);
}
