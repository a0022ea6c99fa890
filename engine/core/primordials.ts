/**
 * What the engine needs of the language and of Deno, taken before a node is loaded: nodes share its
 * globals, and what one of them replaces must not reach the others' runs.
 *
 * It stops accidents: a library that patches `setTimeout`, a test's fake clock that was left in. Code
 * that wants to harm the other nodes of its workflow can, as they share one heap.
 */

const { apply } = Reflect;
export const { stringify } = JSON;
export const { setTimeout, clearTimeout, setInterval, clearInterval, fetch } = globalThis;

const { now } = Date;
const { performance } = globalThis;
const monotonic = performance.now;

/** Milliseconds since the epoch. */
export const epochNow: () => number = (): number => apply(now, Date, []);

/** Milliseconds since the start of the process. */
export const monotonicNow: () => number = (): number => apply(monotonic, performance, []);

const native = Promise;
const nativeThen = Promise.prototype.then;

/** `Promise.resolve`, which gives a promise back as it is. */
export function resolved(value: unknown): Promise<unknown> {
  return native.resolve(value);
}

/** `Promise.reject`. */
export function rejected(reason: unknown): Promise<never> {
  return native.reject(reason);
}

/**
 * `promise.then`, whatever a node has made of that: of its own promise, or of all of them. A promise
 * may lie about its constructor, and throw when it is asked.
 */
export function then<T>(
  promise: Promise<T>,
  onValue: (value: T) => void,
  onError: (reason: unknown) => void,
): void {
  try {
    apply(nativeThen, promise, [onValue, onError]);
  } catch (error) {
    apply(nativeThen, rejected(error), [onValue, onError]);
  }
}

const { subtle } = crypto;
const nativeImportKey = subtle.importKey;
const nativeVerify = subtle.verify;

/** `crypto.subtle.importKey`: a node that patched it would be given the key. */
export function importKey(
  ...args: [
    "raw",
    Uint8Array<ArrayBuffer>,
    { readonly name: string; readonly hash: string },
    boolean,
    KeyUsage[],
  ]
): Promise<CryptoKey> {
  return apply(nativeImportKey, subtle, args);
}

/** `crypto.subtle.verify`. */
export function verify(
  ...args: [string, CryptoKey, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>]
): Promise<boolean> {
  return apply(nativeVerify, subtle, args);
}
