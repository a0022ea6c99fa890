import { deepEqual, equal, throws } from "node:assert/strict";
import { WorkflowError } from "./shape.ts";
import { readWorkflow } from "./workflow.ts";

const MINIMAL = { name: "w", version: "1.0", nodes: { a: { path: "a.ts" } } };

Deno.test("what is left out has its default", () => {
  deepEqual(readWorkflow(MINIMAL), {
    name: "w",
    version: "1.0",
    nodes: [{ name: "a", path: "a.ts", timeoutMs: 30_000, retries: 0 }],
    edges: [],
    triggers: [],
    config: {},
    sealed: false,
    dependencies: new Map(),
  });
});

Deno.test("a node's timeout and retries come before those of config", () => {
  const { nodes } = readWorkflow({
    ...MINIMAL,
    config: { timeout: "5s", retries: 2, other: [1] },
    nodes: { a: { path: "a.ts" }, b: { path: "b.ts", timeout: "1m", retries: 0 } },
  });
  deepEqual(nodes.map((it) => [it.timeoutMs, it.retries]), [[5000, 2], [60_000, 0]]);
});

Deno.test("every kind of trigger is read", () => {
  const { triggers } = readWorkflow({
    ...MINIMAL,
    triggers: [
      { type: "manual" },
      { type: "cron", name: "nightly", schedule: "0 0 * * *" },
      { type: "queue", subject: "a.>" },
      { type: "queue", subject: "b", durable: true, max_deliver: 2, concurrency: 3, dlq: "dead" },
      { type: "webhook", path: "/in" },
      { type: "webhook", provider: "github", event: "push", actions: ["opened"] },
    ],
  });
  deepEqual(triggers, [
    { type: "manual" },
    { type: "cron", name: "nightly" },
    { type: "queue", subject: "a.>", durable: false, maxDeliver: 5, dlq: "dlq" },
    { type: "queue", subject: "b", durable: true, maxDeliver: 2, concurrency: 3, dlq: "dead" },
    { type: "webhook", path: "/in" },
    {
      type: "webhook",
      path: "/webhook/github",
      provider: "github",
      event: "push",
      actions: ["opened"],
    },
  ]);
});

Deno.test("the engine refuses what it cannot run, and says where", () => {
  const cases: [object, string][] = [
    [{ nodes: {} }, "nodes: expected at least one node"],
    [{ nodes: [] }, "nodes: expected a map, found a list"],
    [{ nodes: { a: {} } }, "nodes.a.path: expected a string, found nothing"],
    [{ name: 1 }, "name: expected a string, found 1"],
    [{ edges: [{ from: "a" }] }, "edges[0].to: expected a string, found nothing"],
    [{ config: { retries: 11 } }, "config.retries: expected a whole number from 0 to 10, found 11"],
    [
      { config: { timeout: "0s" } },
      "config.timeout: expected a duration such as 500ms, 30s or 5m, above zero",
    ],
    [
      { triggers: [{ type: "timer" }] },
      'triggers[0].type: expected manual, cron, queue or webhook, found "timer"',
    ],
    [
      { triggers: [{ type: "webhook", path: "/run" }] },
      "triggers[0].path: /run is the engine's own",
    ],
    [
      { contract: { dependencies: { d: { protocol: "redis", host: "h" } } } },
      "contract.dependencies.d.port: expected a whole number from 1 to 65535, found nothing",
    ],
    [
      {
        contract: { dependencies: { d: { protocol: "https", host: "h", auth: { secret: "x" } } } },
      },
      "contract.dependencies.d.auth.secret: expected service.key",
    ],
  ];
  for (const [change, message] of cases) {
    throws(() => readWorkflow({ ...MINIMAL, ...change }), new WorkflowError(message));
  }
  throws(() => readWorkflow(null), new WorkflowError("expected a map, found nothing"));
});

Deno.test("a queue's counts have the limits that tntc validate has", () => {
  const queue = (count: number): unknown => ({
    ...MINIMAL,
    triggers: [{ type: "queue", subject: "a", max_deliver: count, concurrency: count }],
  });
  for (const count of [1, 1000]) equal(readWorkflow(queue(count)).triggers.length, 1);
  for (const count of [0, 1001]) throws(() => readWorkflow(queue(count)), WorkflowError);
});

Deno.test("config is kept whole, its typed keys as well", () => {
  equal(readWorkflow({ ...MINIMAL, config: { timeout: "1s", x: 1 } }).config["timeout"], "1s");
});
