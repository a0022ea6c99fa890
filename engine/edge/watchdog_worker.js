/**
 * The thread that sees when the engine's own does not go on, and says which nodes were running: the
 * process will be killed by its liveness probe, and could not say so itself.
 *
 * A module without imports and types, so that nothing has to be compiled to start it.
 */

/** Milliseconds without a beat after which the event loop counts as blocked. */
const BLOCKED_MS = 5_000;

/** Text in shared memory cannot be decoded in place. */
const text = (bytes, length) => new TextDecoder().decode(bytes.slice(0, length));

globalThis.onmessage = ({ data: { state, runId, names } }) => {
  const last = () => {
    const node = text(names, state[4]).split("\n")[state[1]];
    if (state[3] === 1) return `the module of node ${node}, which is being loaded`;
    const id = text(runId, state[2]);
    return id === "" ? "none" : `node ${node} runId=${id}`;
  };
  for (;;) {
    const seen = Atomics.load(state, 0);
    if (Atomics.wait(state, 0, seen, BLOCKED_MS) !== "timed-out") continue;
    const line =
      `[engine] ERROR the event loop has been blocked for 5 s; last to start: ${last()}\n`;
    Deno.stderr.writeSync(new TextEncoder().encode(line));
    Atomics.wait(state, 0, seen);
  }
};
