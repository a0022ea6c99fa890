/** Where two JSON values differ. The order of an object's keys is no difference. */

import type { Json, JsonObject } from "../mod.ts";

/** `expected` is absent for what should not be there, `actual` for what is missing. */
export interface Difference {
  /** As JavaScript would write it, such as `items[2].name`; empty for the whole value. */
  readonly path: string;
  readonly expected?: Json;
  readonly actual?: Json;
}

/** In the order of `expected`, then what `actual` has on top; empty when they are equal. */
export function differences(expected: Json, actual: Json, path = ""): Difference[] {
  if (Array.isArray(expected) && Array.isArray(actual)) return ofArrays(expected, actual, path);
  if (isObject(expected) && isObject(actual)) return ofObjects(expected, actual, path);
  return expected === actual ? [] : [{ path, expected, actual }];
}

/**
 * What both begin and end with is left aside, so that one inserted item is one difference and not
 * one for each item behind it.
 */
function ofArrays(expected: readonly Json[], actual: readonly Json[], path: string): Difference[] {
  const shorter = Math.min(expected.length, actual.length);
  const same = (at: number, other: number): boolean => isSame(expected[at], actual[other]);
  let tail = 0;
  if (expected.length !== actual.length) {
    let head = 0;
    while (head < shorter && same(head, head)) head++;
    while (tail < shorter - head && same(expected.length - 1 - tail, actual.length - 1 - tail)) {
      tail++;
    }
  }
  const found: Difference[] = [];
  for (let index = 0; index < Math.max(expected.length, actual.length) - tail; index++) {
    const wanted = index < expected.length - tail ? expected[index] : undefined;
    const given = index < actual.length - tail ? actual[index] : undefined;
    found.push(...ofParts(wanted, given, `${path}[${index}]`));
  }
  return found;
}

function ofObjects(expected: JsonObject, actual: JsonObject, path: string): Difference[] {
  const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...keys].flatMap((key) => ofParts(own(expected, key), own(actual, key), join(path, key)));
}

function ofParts(expected: Json | undefined, actual: Json | undefined, path: string): Difference[] {
  if (expected === undefined) return actual === undefined ? [] : [{ path, actual }];
  if (actual === undefined) return [{ path, expected }];
  return differences(expected, actual, path);
}

export function isSame(one: Json | undefined, other: Json | undefined): boolean {
  return ofParts(one, other, "").length === 0;
}

function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function join(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
