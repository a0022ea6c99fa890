/**
 * What tests of a node may import from `tentacular/testing`.
 *
 * `tntc test` runs fixtures without any of this. A test that needs more than a fixture can say
 * makes its own context:
 *
 * ```ts
 * import { mockContext } from "tentacular/testing";
 * import run from "../nodes/fetch.ts";
 *
 * Deno.test("asks for the newest release", async () => {
 *   const { ctx, calls } = mockContext({
 *     contract: { dependencies: { api: { protocol: "https", host: "api.example.com" } } },
 *     mocks: { api: { "/releases/latest": { body: { tag: "v1" } } } },
 *   });
 *   await run(ctx, {});
 *   console.assert(calls.length === 1);
 * });
 * ```
 *
 * @module
 */

import { Attempt } from "../core/attempt.ts";
import { systemClock } from "../core/clock.ts";
import { readWorkflow } from "../core/workflow.ts";
import type { Context } from "../mod.ts";
import { MockContext } from "./context.ts";
import { readFixture } from "./fixture.ts";
import type { Call, Deviation } from "./record.ts";
import { Stage } from "./stage.ts";

export type { Call, Deviation };

/** As in a fixture; everything may be left out. */
export interface MockOptions {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
  readonly contract?: Readonly<Record<string, unknown>>;
  readonly mocks?: Readonly<Record<string, unknown>>;
}

/** A context whose dependencies answer from mocks, and what was done with it so far. */
export interface Mock {
  readonly ctx: Context;
  readonly calls: readonly Call[];
  readonly deviations: readonly Deviation[];
  /** What the node logged. */
  readonly log: readonly string[];
}

export function mockContext(options: MockOptions = {}): Mock {
  const name = "node";
  const workflow = { name: "test", version: "1.0", nodes: { [name]: { path: "node.ts" } } };
  const parts = {
    workflow,
    root: "file:///",
    load: () => Promise.reject(new Error("there is no node to load")),
    clock: systemClock,
    hasTimers: () => true,
    inspect: (value: unknown) => JSON.stringify(value) ?? String(value),
  };
  const stage = new Stage(parts, readFixture(options), readWorkflow(workflow));
  stage.check();
  const ctx = new MockContext(stage.surroundings, new Attempt("", name, 1));
  const { calls, deviations } = stage.record;
  return { ctx, calls, deviations, log: stage.log };
}
