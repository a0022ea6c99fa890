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
      { type: "webhook", path: "/a", verify: { hmac: "sha1", header: "X-A", secret: "a.b" } },
      {
        type: "webhook",
        path: "/b",
        verify: {
          ...{ hmac: "sha256", header: "X-B", prefix: "v=", encoding: "base64", secret: "a.b" },
        },
      },
      { type: "webhook", path: "/c", verify: { type: "stripe", secret: "a.b", tolerance: "1h" } },
      { type: "webhook", path: "/d", verify: { type: "slack", secret: "a.b" } },
      { type: "webhook", path: "/e", verify: { type: "bearer", secret: "a.b" } },
      { type: "webhook", path: "/f", verify: { type: "bearer", header: "X-T", secret: "a.b" } },
      { type: "webhook", provider: "github", event: "push", actions: ["opened"] },
    ],
  });
  const secret = { service: "a", key: "b" };
  deepEqual(triggers, [
    { type: "manual" },
    { type: "cron", name: "nightly" },
    { type: "queue", subject: "a.>", durable: false, maxDeliver: 5, dlq: "dlq" },
    { type: "queue", subject: "b", durable: true, maxDeliver: 2, concurrency: 3, dlq: "dead" },
    { type: "webhook", path: "/in" },
    {
      type: "webhook",
      path: "/a",
      verify: {
        type: "hmac",
        algorithm: "sha1",
        header: "X-A",
        prefix: "",
        encoding: "hex",
        secret,
      },
    },
    {
      type: "webhook",
      path: "/b",
      verify: {
        type: "hmac",
        algorithm: "sha256",
        header: "X-B",
        prefix: "v=",
        encoding: "base64",
        secret,
      },
    },
    { type: "webhook", path: "/c", verify: { type: "stripe", toleranceMs: 3_600_000, secret } },
    { type: "webhook", path: "/d", verify: { type: "slack", toleranceMs: 300_000, secret } },
    { type: "webhook", path: "/e", verify: { type: "bearer", secret } },
    { type: "webhook", path: "/f", verify: { type: "bearer", header: "X-T", secret } },
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
    ...([
      [{ secret: "a.b" }, ".type: expected a string, found nothing"],
      [
        { type: "strip", secret: "a.b" },
        ".type: expected one of standard-webhooks, stripe, slack, bearer",
      ],
      [{ type: "stripe" }, ".secret: expected a string, found nothing"],
      [{ type: "stripe", secret: "a" }, ".secret: expected service.key"],
      [
        { type: "stripe", secret: "a.b", hmac: "sha1", header: "a" },
        ": expected either hmac or type",
      ],
      [
        { type: "stripe", secret: "a.b", tolerance: "61m" },
        ".tolerance: expected a duration such as 30s or 5m, above zero and at most 1h",
      ],
      [{ hmac: "md5", header: "a", secret: "a.b" }, ".hmac: expected one of sha1, sha256, sha512"],
      [{ hmac: "sha1", secret: "a.b" }, ".header: expected a string, found nothing"],
      [{ hmac: "sha1", header: "a b", secret: "a.b" }, ".header: expected the name of a header"],
      [
        { hmac: "sha1", header: "a", encoding: "utf8", secret: "a.b" },
        ".encoding: expected one of hex, base64",
      ],
    ] as [object, string][]).map(([verify, problem]): [object, string] => [
      { triggers: [{ type: "webhook", path: "/a", verify }] },
      `triggers[0].verify${problem}`,
    ]),
    [
      { triggers: [{ type: "webhook", provider: "github", verify: {} }] },
      "triggers[0].verify: GitHub's signature is verified anyway",
    ],
    [
      { nodes: { a: { path: "a.ts", uses: ["b"] } } },
      "nodes.a.uses[0]: the contract has no dependency b",
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

Deno.test("a node may say which dependencies it uses", () => {
  const { nodes } = readWorkflow({
    ...MINIMAL,
    nodes: { a: { path: "a.ts", uses: ["d"] }, b: { path: "b.ts", uses: [] }, c: { path: "c.ts" } },
    contract: { dependencies: { d: { protocol: "https", host: "h" } } },
  });
  deepEqual(nodes.map((it) => it.uses), [["d"], [], undefined]);
});
