/**
 * What the engine needs of the language and of Deno, taken before a node is loaded: nodes share its
 * globals, and what one of them replaces must not reach the others' runs.
 *
 * It stops accidents: a library that patches `setTimeout`, a test's fake clock that was left in. Code
 * that wants to harm the other nodes of its workflow can, as they share one heap.
 */

/** Calls a function on an object, the object first; what a bound `call` calls, V8 can inline. */
function uncurried<T>(method: unknown): T {
  return Function.prototype.call.bind(method as () => unknown) as T;
}

export const { stringify, parse } = JSON;

/** `Response.json`, which writes with a `JSON.stringify` of Deno's own. */
export const respondJson: (body: unknown, init?: ResponseInit) => Response = Response.json.bind(
  Response,
);
export const { fetch } = globalThis;

const NativeResponse = Response;

/** `new Response`. */
export function respond(body: string, init: ResponseInit): Response {
  return new NativeResponse(body, init);
}

const NativeDate = Date;
const toISOString = uncurried<(date: Date) => string>(Date.prototype.toISOString);

/** RFC 3339, in UTC. */
export function isoTime(epoch: number): string {
  return toISOString(new NativeDate(epoch));
}

type Listen = (target: AbortSignal, type: "abort", listener: () => void) => void;

const timeout = AbortSignal.timeout.bind(AbortSignal);
const listen = uncurried<Listen>(EventTarget.prototype.addEventListener);
const unlisten = uncurried<Listen>(EventTarget.prototype.removeEventListener);
const keep = uncurried<Listen>(AbortSignal.prototype.addEventListener);
const letGo = uncurried<Listen>(AbortSignal.prototype.removeEventListener);
const nothing = (): void => {};

/**
 * Calls back once, after `milliseconds` or more; the result takes that back. By the timer that every
 * process has: the first look at `setTimeout` takes 4 MiB, and a fifth of the start of a process.
 *
 * A signal's own methods keep the process alive while somebody listens. They go by way of the
 * prototype, where a node may have put something else, so that they are not relied on to listen.
 */
export function after(milliseconds: number, callback: () => void): () => void {
  const signal = timeout(milliseconds);
  listen(signal, "abort", callback);
  keep(signal, "abort", nothing);
  return () => {
    unlisten(signal, "abort", callback);
    letGo(signal, "abort", nothing);
  };
}

/** Milliseconds since the epoch. */
export const epochNow: () => number = Date.now.bind(Date);

/** Milliseconds since the start of the process. */
export const monotonicNow: () => number = performance.now.bind(performance);

const native = Promise;
const nativeThen = uncurried<
  <T>(
    promise: Promise<T>,
    onValue: (value: T) => void,
    onError: (reason: unknown) => void,
  ) => Promise<void>
>(Promise.prototype.then);

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
    nativeThen(promise, onValue, onError);
  } catch (error) {
    nativeThen(rejected(error), onValue, onError);
  }
}

const { subtle } = crypto;
const nativeImportKey = subtle.importKey.bind(subtle) as unknown as typeof importKey;
const nativeSign = subtle.sign.bind(subtle) as unknown as typeof sign;
const nativeVerify = subtle.verify.bind(subtle) as unknown as typeof verify;

/** `crypto.subtle.importKey`: a node that patched it would be given the key. */
export function importKey(
  ...args: [
    "raw",
    Uint8Array,
    { readonly name: string; readonly hash: string },
    boolean,
    KeyUsage[],
  ]
): Promise<CryptoKey> {
  return nativeImportKey(...args);
}

/** `crypto.subtle.sign`. */
export function sign(...args: [string, CryptoKey, Uint8Array]): Promise<ArrayBuffer> {
  return nativeSign(...args);
}

/** `crypto.subtle.verify`. */
export function verify(...args: [string, CryptoKey, Uint8Array, Uint8Array]): Promise<boolean> {
  return nativeVerify(...args);
}
