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

/** Deep enough for any data, and far from where the stack of JavaScript ends. */
const MAX_DEPTH = 1000;

/**
 * A copy that shares nothing with `value`.
 *
 * Follows `JSON.stringify` in calling `toJSON` and in leaving out properties that are `undefined`.
 * Everything else that JSON has no form for throws.
 */
export function copyJson(value: unknown): Json {
  return copy(value, []);
}

function copy(value: unknown, path: (string | number)[]): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : reject(`the number ${value}`, path);
    case "object":
      return value === null ? null : copyObject(value, path);
    case "undefined":
      return reject("undefined", path);
    default:
      return reject(`a ${typeof value}`, path);
  }
}

function copyObject(value: object, path: (string | number)[]): Json {
  if (path.length > MAX_DEPTH) return tooDeep(value, path);
  if (Array.isArray(value)) return copyArray(value, path);
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return copy(value.toJSON(String(path.at(-1) ?? "")), path);
  }
  return isPlain(value) ? copyPlain(value, path) : reject(`a ${kindOf(value)}`, path);
}

function copyArray(array: readonly unknown[], path: (string | number)[]): Json[] {
  const result: Json[] = new Array(array.length);
  const depth = path.length;
  for (let index = 0; index < array.length; index++) {
    path[depth] = index;
    result[index] = copy(array[index], path);
    path.length = depth;
  }
  return result;
}

function copyPlain(object: object, path: (string | number)[]): JsonObject {
  const result: JsonObject = {};
  const depth = path.length;
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    path[depth] = key;
    setOwn(result, key, copy(value, path));
    path.length = depth;
  }
  return result;
}

/** `object["__proto__"] = value` would set the prototype instead of a property. */
function setOwn(object: JsonObject, key: string, value: Json): void {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, writable: true });
}

/**
 * Objects whose content `JSON.stringify` would silently lose (a Map prints as `{}`) are refused;
 * instances of classes are data with methods, and their data is kept.
 */
const OPAQUE = [
  Map,
  Set,
  WeakMap,
  WeakSet,
  Promise,
  RegExp,
  Error,
  ArrayBuffer,
  ReadableStream,
  Response,
  Request,
];

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return !ArrayBuffer.isView(value) && !OPAQUE.some((type) => value instanceof type);
}

function kindOf(value: object): string {
  return value.constructor?.name || "nameless object";
}

function reject(what: string, path: readonly (string | number)[]): never {
  const where = path.length === 0 ? "" : ` at ${path.map(String).join(".")}`;
  throw new NotJsonError(`${what}${where}`);
}

function tooDeep(value: object, path: readonly (string | number)[]): never {
  const what = isCyclic(value) ? "a cyclic object" : `a value nested over ${MAX_DEPTH} levels deep`;
  return reject(what, path.slice(0, 3));
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
    open.push(...Object.values(next));
  }
  return false;
}
