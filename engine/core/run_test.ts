import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import type { Json } from "../mod.ts";
import { AbortedError, type Attempt } from "./attempt.ts";
import { Deadlines } from "./deadlines.ts";
import { FakeClock } from "./testdata/fake_clock.ts";
import { compileGraph } from "./graph.ts";
import { backoffMs, Run, type RunObserver, type RunResult } from "./run.ts";

type Code = (input: Json, attempt: Attempt) => unknown;

interface Setup {
  readonly edges?: readonly string[];
  readonly retries?: number;
  readonly observer?: RunObserver;
  readonly clock?: FakeClock;
}

function start(nodes: Record<string, Code>, input: Json, setup: Setup = {}): Run {
  const { edges = [], retries = 0, observer = {}, clock = new FakeClock() } = setup;
  const pairs = edges.map((pair) => pair.split(">"));
  const plan = {
    graph: compileGraph(Object.keys(nodes), pairs.map(([from = "", to = ""]) => ({ from, to }))),
    nodes: Object.values(nodes).map((code) => ({
      timeoutMs: 1000,
      retries,
      call: (attempt: Attempt, given: Json) => code(given, attempt),
    })),
    revision: "r1",
    clock,
    deadlines: new Deadlines(clock),
    observer,
    mask: (text: string) => text.replaceAll("hunter2", "***"),
  };
  return new Run(plan, "run-1", input).start();
}

function run(nodes: Record<string, Code>, input: Json, setup?: Setup): Promise<RunResult> {
  return start(nodes, input, setup).result;
}

/** Lets everything run that needs no time to pass. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

const never = (): Promise<never> => new Promise(() => {});

Deno.test("a root gets the trigger's input, and a result has everything", async () => {
  const result = await run({ only: (input) => ({ got: input }) }, { a: 1 });
  deepEqual(result, {
    success: true,
    outputs: { only: { got: { a: 1 } } },
    errors: [],
    timing: {
      startedAt: "1970-01-01T00:00:00.000Z",
      durationMs: 0,
      nodes: { only: { startedAt: "1970-01-01T00:00:00.000Z", durationMs: 0, attempts: 1 } },
    },
    runId: "run-1",
    revision: "r1",
  });
});

Deno.test("one incoming edge gives that output itself, several give an object by name", async () => {
  const { outputs } = await run(
    { a: () => 1, b: (input) => [input], c: () => 3, d: (input) => input },
    {},
    { edges: ["a>b", "b>d", "c>d"] },
  );
  deepEqual(outputs["d"], { b: [1], c: 3 });
});

Deno.test("a node starts when its inputs are there, not when the stage before it ends", async () => {
  const started: string[] = [];
  start(
    {
      fast: () => 1,
      slow: never,
      afterFast: () => void started.push("afterFast"),
    },
    {},
    { edges: ["fast>afterFast"] },
  );
  await settle();
  deepEqual(started, ["afterFast"]);
});

Deno.test("independent nodes run at the same time", async () => {
  const gates = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  const running = start({ a: () => gates[0]?.promise, b: () => gates[1]?.promise }, {});
  gates[1]?.resolve(2);
  gates[0]?.resolve(1);
  deepEqual((await running.result).outputs, { a: 1, b: 2 });
});

Deno.test("receivers of one output do not see each other's changes, nor does the result", async () => {
  const change: Code = (input) => {
    (input as string[]).push("changed");
    return input;
  };
  const { outputs } = await run(
    { source: () => ["kept"], left: change, right: change },
    {},
    { edges: ["source>left", "source>right"] },
  );
  deepEqual(outputs, {
    source: ["kept"],
    left: ["kept", "changed"],
    right: ["kept", "changed"],
  });
});

Deno.test("roots do not see each other's changes to the trigger's input", async () => {
  const change: Code = (input) => Object.assign(input as object, { changed: true }) && input;
  const { outputs } = await run({ a: change, b: (input) => input }, { n: 1 });
  deepEqual(outputs["b"], { n: 1 });
});

Deno.test("what a node changes after it returned changes nothing", async () => {
  const kept: string[] = [];
  const { outputs } = await run(
    { a: () => kept, b: () => (kept.push("late"), "done") },
    {},
    { edges: ["a>b"] },
  );
  deepEqual(outputs["a"], []);
});

Deno.test("the first failure ends the run: nothing new starts, and running nodes are aborted", async () => {
  let aborted: unknown;
  const result = await run(
    {
      bad: () => Promise.reject(new Error("no luck")),
      slow: (_, { signal }) => {
        signal.addEventListener("abort", () => aborted = signal.reason);
        return never();
      },
      after: () => "never seen",
    },
    {},
    { edges: ["bad>after"] },
  );
  equal(result.success, false);
  deepEqual(result.errors, ["node bad threw: no luck"]);
  deepEqual(Object.keys(result.timing.nodes), ["bad", "slow"]);
  match(String(aborted), /aborted: node bad failed/);
});

Deno.test("outputs of nodes that ended before the failure are kept", async () => {
  const fail: Code = () => {
    throw new Error("b");
  };
  const result = await run({ a: () => 1, b: fail }, {}, { edges: ["a>b"] });
  deepEqual(result.outputs, { a: 1 });
});

Deno.test("whatever is thrown becomes a message", async () => {
  const cases: [unknown, string][] = [
    [new Error("plain"), "plain"],
    [new TypeError(""), "TypeError"],
    ["text", "text"],
    [{ code: 7 }, '{"code":7}'],
    [undefined, "undefined"],
    [null, "null"],
    [12n, "12"],
    [
      new Error("fetch failed", { cause: new Error("ECONNREFUSED") }),
      "fetch failed (ECONNREFUSED)",
    ],
  ];
  for (const [thrown, message] of cases) {
    const throwing: Code = () => {
      throw thrown;
    };
    deepEqual((await run({ n: throwing }, {})).errors, [`node n threw: ${message}`]);
  }
});

Deno.test("an output that is not JSON is its node's error", async () => {
  const ring: Record<string, unknown> = {};
  ring["self"] = ring;
  const cases: [unknown, RegExp][] = [
    [undefined, /^node n threw: returned undefined/],
    [() => 1, /returned a function/],
    [1n, /returned a bigint/],
    [ring, /returned a cyclic object/],
  ];
  for (const [value, message] of cases) {
    const { errors } = await run({ n: () => value }, {});
    match(errors[0] ?? "", message);
  }
});

Deno.test("a secret in an error's message is masked", async () => {
  const { errors } = await run({ n: () => Promise.reject(new Error("401 for hunter2")) }, {});
  deepEqual(errors, ["node n threw: 401 for ***"]);
});

Deno.test("a timeout aborts the attempt, whether the node listens or not", async () => {
  const clock = new FakeClock();
  let reason: unknown;
  const running = start(
    {
      n: (
        _,
        { signal },
      ) => (signal.addEventListener("abort", () => reason = signal.reason), never()),
    },
    {},
    { clock },
  );
  await settle();
  clock.advance(1000);
  const result = await running.result;
  deepEqual(result.errors, ["node n threw: timed out after 1s"]);
  equal(result.timing.nodes["n"]?.durationMs, 1000);
  match(String(reason), /TimeoutError: timed out after 1s/);
});

Deno.test("a node that returns or rejects after its timeout changes nothing", async () => {
  for (const end of ["resolve", "reject"] as const) {
    const clock = new FakeClock();
    const late = Promise.withResolvers<number>();
    const running = start({ n: () => late.promise }, {}, { clock });
    await settle();
    clock.advance(1000);
    const result = await running.result;
    late[end](1);
    await settle();
    deepEqual(result.errors, ["node n threw: timed out after 1s"]);
    deepEqual(result.outputs, {});
  }
});

Deno.test("a node that blocks the event loop past its timeout has timed out", async () => {
  const clock = new FakeClock();
  const { errors } = await run({ n: () => (clock.block(1001), "too late") }, {}, { clock });
  deepEqual(errors, ["node n threw: timed out after 1s"]);
});

Deno.test("a node is not charged for the time that its sibling blocked before it", async () => {
  const clock = new FakeClock();
  const { errors, outputs } = await run(
    { root: () => 0, blocks: () => (clock.block(1001), "late"), quick: () => "in time" },
    {},
    { clock, edges: ["root>blocks", "root>quick"] },
  );
  deepEqual(errors, ["node blocks threw: timed out after 1s"]);
  equal(outputs["quick"], undefined);
});

Deno.test("a retry comes after 100, 200, 400 ms, with the attempts recorded", async () => {
  const clock = new FakeClock();
  const at: number[] = [];
  const told: (number | undefined)[] = [];
  const running = start(
    {
      n: (_, { number }) => {
        at.push(clock.now());
        if (number < 4) throw new Error(`attempt ${number}`);
        return "done";
      },
    },
    {},
    { clock, retries: 3, observer: { attemptFailed: (_, __, retry) => void told.push(retry) } },
  );
  for (let turn = 0; turn < 4; turn++) {
    await settle();
    clock.advance(backoffMs(turn + 1));
  }
  const result = await running.result;
  deepEqual(at, [0, 100, 300, 700]);
  deepEqual(told, [100, 200, 400]);
  equal(result.timing.nodes["n"]?.attempts, 4);
  deepEqual(result.outputs, { n: "done" });
});

Deno.test("when every attempt fails, the last error is the node's", async () => {
  const clock = new FakeClock();
  const running = start(
    { n: (_, { number }) => Promise.reject(new Error(`attempt ${number}`)) },
    {},
    { clock, retries: 1 },
  );
  await settle();
  clock.advance(100);
  const result = await running.result;
  deepEqual(result.errors, ["node n threw: attempt 2"]);
  equal(result.timing.nodes["n"]?.attempts, 2);
});

Deno.test("a timed-out attempt is retried, with a signal and an input of its own", async () => {
  const clock = new FakeClock();
  const signals: AbortSignal[] = [];
  const inputs: Json[] = [];
  const running = start(
    {
      n: (input, { number, signal }) => {
        signals.push(signal);
        inputs.push(structuredClone(input));
        (input as Record<string, Json>)["spoilt"] = true;
        return number === 1 ? never() : "done";
      },
    },
    {},
    { clock, retries: 1 },
  );
  await settle();
  clock.advance(1000);
  clock.advance(100);
  equal((await running.result).success, true);
  deepEqual(signals.map((it) => it.aborted), [true, false]);
  notEqual(signals[0], signals[1]);
  deepEqual(inputs, [{}, {}]);
});

Deno.test("a failed run retries nothing more", async () => {
  const clock = new FakeClock();
  let attempts = 0;
  const running = start(
    {
      flaky: () => {
        attempts++;
        throw new Error("again");
      },
      slow: () => never(),
    },
    {},
    { clock, retries: 2 },
  );
  await settle();
  running.abort(new AbortedError("aborted: shutting down"));
  const result = await running.result;
  clock.advance(10_000);
  await settle();
  equal(attempts, 1);
  equal(clock.timers, 0);
  deepEqual(result.errors, [
    "node flaky threw: aborted: shutting down",
    "node slow threw: aborted: shutting down",
  ]);
});

Deno.test("an abort after the end changes nothing", async () => {
  const running = start({ n: () => 1 }, {});
  const result = await running.result;
  running.abort(new AbortedError("late"));
  deepEqual(result.errors, []);
  equal(result.success, true);
});

Deno.test("a signal asked for after the abort is aborted", async () => {
  let kept: Attempt | undefined;
  const running = start({ n: (_, attempt) => (kept = attempt, never()) }, {});
  await settle();
  running.abort(new AbortedError("over"));
  equal(kept?.signal.aborted, true);
});

Deno.test("in any graph, every node runs once, after all its inputs", async () => {
  for (let seed = 1; seed <= 50; seed++) {
    const size = 1 + (seed % 9);
    const names = Array.from({ length: size }, (_, index) => `n${index}`);
    const edges = names.flatMap((from, i) =>
      names.slice(i + 1).filter((_, j) => (seed * (i + 3) * (j + 5)) % 3 === 0).map((to) =>
        `${from}>${to}`
      )
    );
    const order: string[] = [];
    const nodes = Object.fromEntries(names.map((name, index) => [name, async () => {
      for (let turn = 0; turn < (seed + index * 7) % 5; turn++) await Promise.resolve();
      order.push(name);
      return name;
    }]));
    equal((await run(nodes, {}, { edges })).success, true);
    deepEqual([...order].sort(), [...names].sort());
    for (const edge of edges) {
      const [from = "", to = ""] = edge.split(">");
      equal(order.indexOf(from) < order.indexOf(to), true, `${seed}: ${edge} in ${order}`);
    }
  }
});
