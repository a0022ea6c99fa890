/**
 * What the engine needs of the language and of Deno, taken before a node is loaded: nodes share its
 * globals, and what one of them replaces must not reach the others' runs.
 *
 * It stops accidents: a library that patches `setTimeout`, a test's fake clock that was left in. Code
 * that wants to harm the other nodes of its workflow can, as they share one heap.
 */

export const { apply } = Reflect;
export const { stringify } = JSON;
export const { setTimeout, clearTimeout, setInterval, clearInterval, fetch } = globalThis;

const { now } = Date;
const { performance } = globalThis;
const monotonic = performance.now;

/** Milliseconds since the epoch. */
export const epochNow: () => number = (): number => apply(now, Date, []);

/** Milliseconds since the start of the process. */
export const monotonicNow: () => number = (): number => apply(monotonic, performance, []);
