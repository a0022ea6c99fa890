/** Compares the calls that a fixture expects with those that were made. */

import type { Json, JsonObject } from "../mod.ts";
import { type Difference, differences } from "./diff.ts";
import type { ExpectedCall } from "./fixture.ts";
import type { Call } from "./record.ts";

/** All calls are expected, in their order; of each, what the fixture says about it. */
export function differencesOfCalls(
  expected: readonly ExpectedCall[] | undefined,
  calls: readonly Call[],
): Difference[] {
  if (expected === undefined) return [];
  const wanted = expected.map((it) => asJson({ ...it, ...lowered(it) }));
  const made = calls.map((it, index) => {
    const only = expected[index];
    return only === undefined ? summary(it) : part(it, only);
  });
  return differences(wanted, made, "calls");
}

/** The parts of a call that its expectation speaks about. */
function part(call: Call, expected: ExpectedCall): Json {
  const keys = Object.keys(expected);
  const told = Object.entries(asJson(call)).filter(([key]) => keys.includes(key));
  const headers: JsonObject = expected.headers === undefined ? {} : {
    headers: Object.fromEntries(
      Object.keys(expected.headers).map((it) => it.toLowerCase())
        .filter((it) => Object.hasOwn(call.headers, it)).map((it) => [it, call.headers[it] ?? ""]),
    ),
  };
  return { ...Object.fromEntries(told), ...headers };
}

function summary({ dependency, method, path }: Call): Json {
  return { dependency, method, path };
}

function lowered({ headers }: ExpectedCall): Pick<ExpectedCall, "headers"> {
  if (headers === undefined) return {};
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { headers: Object.fromEntries(entries) };
}

function asJson(value: object): JsonObject {
  return value as JsonObject;
}
