/** Whatever a node throws or returns, wherever it comes out, the run ends and others go on. */

import { deepEqual, equal, ok } from "node:assert/strict";
import type { Context, Json } from "../mod.ts";
import { framesOf, messageOf, typeOf } from "./errors.ts";
import { hostileValues } from "./testdata/hostile.ts";
import { type Code, engineFor } from "./testdata/engines.ts";

/** The places where a value can surface; each gives the code of a node. */
const PLACES: Readonly<Record<string, (value: unknown) => Code>> = {
  "thrown at once": (value) => () => {
    throw value;
  },
  "thrown after a wait": (value) => async () => {
    await Promise.resolve();
    throw value;
  },
  "a rejected promise": (value) => () => Promise.reject(value),
  "returned": (value) => () => value,
  "returned later": (value) => () => new Promise((resolve) => resolve(value)),
  "within an output": (value) => () => ({ list: [value] }),
  "thrown by a getter of the output": (value) => () => ({
    get x(): never {
      throw value;
    },
  }),
  "thrown by toJSON": (value) => () => ({
    toJSON(): never {
      throw value;
    },
  }),
  "thrown by a thenable": (value) => () => ({
    then(): never {
      throw value;
    },
  }),
  "the reason of a thenable": (value) => () => ({
    then: (_: unknown, reject: (reason: unknown) => void): void => reject(value),
  }),
  "thrown by a promise's then": (value) => () =>
    Object.assign(Promise.resolve(1), {
      then(): never {
        throw value;
      },
    }),
  "thrown when a promise is asked for its constructor": (value) => () =>
    Object.defineProperty(Promise.resolve(1), "constructor", {
      get(): never {
        throw value;
      },
    }),
  "the cause of an error": (value) => () => {
    throw new Error("wrapped", { cause: value });
  },
  "one of several errors": (value) => () => {
    throw new AggregateError([value, value], "several");
  },
  "an argument of a log line": (value) => (ctx: Context) => {
    ctx.log.error("look", value);
    return 1;
  },
  "thrown by a listener of the signal": (value) => (ctx: Context) => {
    ctx.signal.addEventListener("abort", () => void value);
    throw value;
  },
};

for (const [place, code] of Object.entries(PLACES)) {
  Deno.test(`a run ends, whatever is ${place}`, async () => {
    for (const [name, make] of hostileValues()) {
      const lines: string[] = [];
      const engine = engineFor(code(make()), {
        lines,
        workflow: { config: { retries: name === "a ring of two causes" ? 1 : 0 } },
      });
      const { success, errors, outputs } = await engine.run({});
      equal(engine.inFlight, 0, name);
      equal(success, errors.length === 0, name);
      // It can be written, and so answered.
      JSON.stringify({ errors, outputs });
      ok(lines.every((line) => !line.includes("\n")), name);
    }
  });
}

Deno.test("nothing that was thrown keeps its description from ending", () => {
  for (const [name, make] of hostileValues()) {
    const value = make();
    equal(typeof messageOf(value), "string", name);
    ok(messageOf(value).length < 9_000, name);
    equal(typeof typeOf(value), "string", name);
    ok(Array.isArray(framesOf(value, "file:///")), name);
  }
});

Deno.test("causes and parts are told as far as they help", () => {
  const ring = new Error("a");
  ring.cause = new Error("b", { cause: ring });
  equal(messageOf(ring), "a (b)");
  const several = new AggregateError([new Error("no route"), new Error("refused")], "All failed");
  equal(messageOf(several), "All failed (no route) (refused)");
  equal(messageOf(new Error("", { cause: "x" })), "Error (x)");
});

Deno.test("a node that breaks globals breaks no run but its own", async () => {
  const kept = { then: Promise.prototype.then, setTimeout: globalThis.setTimeout };
  const engine = engineFor(() => {
    Promise.prototype.then = (): never => {
      throw new Error("patched");
    };
    globalThis.setTimeout = (() => 0) as unknown as typeof setTimeout;
    return "first";
  });
  const outputs: Json[] = [];
  const restore = (): void => {
    Promise.prototype.then = kept.then;
    globalThis.setTimeout = kept.setTimeout;
  };
  const first = engine.run({});
  restore();
  outputs.push((await first).outputs as Json);
  deepEqual(outputs, [{ n: "first" }]);
});
