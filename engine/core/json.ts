/**
 * Values between nodes are JSON, and every receiver has its own copy.
 *
 * `structuredClone` would let through what JSON cannot carry, and `JSON.stringify` drops it without
 * a word; both would turn a mistake in one node into a puzzle in the next.
 */

import type { Json, JsonObject } from "../mod.ts";

/** A value is not JSON; `what` says what it is, and where in the value. */
export class NotJsonError extends Error {
  override readonly name = "NotJsonError";

  constructor(readonly what: string, verb = "returned") {
    super(`${verb} ${what}, which JSON cannot carry`);
  }
}

/** A value that JSON could carry, and a pod's memory could not. */
export class TooLargeError extends Error {
  override readonly name = "TooLargeError";

  constructor(path: readonly (string | number)[]) {
    const limit = MAX_OUTPUT_WEIGHT / 1024 / 1024;
    super(`returned more than ${limit} MiB; the limit was passed${placeOf(path)}`);
  }
}

/** Deep enough for any data, and far from where the stack of JavaScript ends. */
const MAX_DEPTH = 1000;

/** What an output may take in memory, in bytes: several of them fit into a pod's heap. */
const MAX_OUTPUT_WEIGHT = 32 * 1024 * 1024;

/**
 * For what has been weighed before: more than fits into any heap. Not `Infinity`, as a number that is
 * no small integer takes an allocation each time it changes.
 */
export const UNBOUNDED = 2 ** 30;

/** Sizes in V8 on a 64-bit machine, without pointer compression. */
const CONTAINER = 40;
const STRING = 24;
const SLOT = 12;

type Path = (string | number)[];

/** The value being copied: where it is, and how much memory may still be used. */
interface Copying {
  readonly path: Path;
  left: number;
}

/**
 * A copy that shares nothing with `value`.
 *
 * Follows `JSON.stringify` in calling `toJSON` and in leaving out properties that are `undefined`.
 * Everything else that JSON has no form for throws, and so does what is too large.
 */
export function copyJson(value: unknown, limit = MAX_OUTPUT_WEIGHT): Json {
  return copy(value, { path: [], left: limit });
}

function copy(value: unknown, state: Copying): Json {
  switch (typeof value) {
    case "string":
      spend(state, STRING + value.length);
      return value;
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : reject(`the number ${value}`, state.path);
    case "object":
      return value === null ? null : copyObject(value, state);
    case "undefined":
      return reject("undefined", state.path);
    default:
      return reject(`a ${typeof value}`, state.path);
  }
}

function spend(state: Copying, bytes: number): void {
  state.left -= bytes;
  if (state.left < 0) throw new TooLargeError(state.path);
}

function copyObject(value: object, state: Copying): Json {
  const { path } = state;
  if (path.length > MAX_DEPTH) return tooDeep(value, path);
  if (Array.isArray(value)) return copyArray(value, state);
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return copyReplaced(value.toJSON(String(path.at(-1) ?? "")), state);
  }
  return copyOwn(value, state);
}

/** `toJSON` is asked once, as `JSON.stringify` does: what it gives may have one, too. */
function copyReplaced(value: unknown, state: Copying): Json {
  if (typeof value !== "object" || value === null) return copy(value, state);
  return Array.isArray(value) ? copyArray(value, state) : copyOwn(value, state);
}

function copyOwn(value: object, state: Copying): Json {
  return isPlain(value) ? copyPlain(value, state) : reject(`a ${kindOf(value)}`, state.path);
}

function copyArray(array: readonly unknown[], state: Copying): Json[] {
  const { path } = state;
  spend(state, CONTAINER + SLOT * array.length);
  const result: Json[] = new Array(array.length);
  const depth = path.length;
  for (let index = 0; index < array.length; index++) {
    path[depth] = index;
    result[index] = copy(array[index], state);
    path.length = depth;
  }
  return result;
}

function copyPlain(object: object, state: Copying): JsonObject {
  const { path } = state;
  const entries = Object.entries(object);
  spend(state, CONTAINER + SLOT * entries.length);
  const result: JsonObject = {};
  const depth = path.length;
  for (const [key, value] of entries) {
    if (value === undefined) continue;
    path[depth] = key;
    setOwn(result, key, copy(value, state));
    path.length = depth;
  }
  return result;
}

/** `object["__proto__"] = value` would set the prototype instead of a property. */
function setOwn(object: JsonObject, key: string, value: Json): void {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, writable: true });
}

/** What may have own properties besides the content that `JSON.stringify` would lose. */
const OPAQUE = [Map, Set, Error, Response, Request];

/**
 * Instances of classes are data with methods, and their data is kept. One without any has its content
 * elsewhere, as a Map, a Headers object or an iterator has: it would silently become `{}`.
 */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return !ArrayBuffer.isView(value) && Object.keys(value).length > 0 &&
    !OPAQUE.some((type) => value instanceof type);
}

function kindOf(value: object): string {
  return value.constructor?.name || "nameless object";
}

function reject(what: string, path: readonly (string | number)[]): never {
  throw new NotJsonError(`${what}${placeOf(path)}`);
}

function placeOf(path: readonly (string | number)[]): string {
  return path.length === 0 ? "" : ` at ${path.map(String).join(".")}`;
}

function tooDeep(value: object, path: readonly (string | number)[]): never {
  const what = isCyclic(value) ? "a cyclic object" : `a value nested over ${MAX_DEPTH} levels deep`;
  return reject(what, path.slice(0, 3));
}

/** Whether parsed JSON is nested no deeper than a copy may be. */
export function isShallow(value: Json, left = MAX_DEPTH): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (left < 0) return false;
  const inner = Array.isArray(value) ? value : Object.values(value);
  for (let index = 0; index < inner.length; index++) {
    if (!isShallow(inner[index] ?? null, left - 1)) return false;
  }
  return true;
}

/** Whether `value`, itself the end of a very deep path, can be reached from itself. */
function isCyclic(value: object): boolean {
  const seen = new Set<object>();
  const open: unknown[] = Object.values(value);
  while (open.length > 0) {
    const next = open.pop();
    if (next === value) return true;
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    seen.add(next);
    for (const inner of Object.values(next)) open.push(inner);
  }
  return false;
}
