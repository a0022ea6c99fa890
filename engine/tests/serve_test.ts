import { deepEqual, equal, match } from "node:assert/strict";
import { RunningEngine } from "./harness.ts";

/** Ends when a file that the test writes is there: tests decide when, not clocks. */
const GATED = `
export default async function run(ctx, input) {
  ctx.log.info("waiting");
  for (let turn = 0; turn < 3000 && !ctx.signal.aborted; turn++) {
    if (await Deno.stat(input.gate).then(() => true, () => false)) return "finished";
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  ctx.signal.throwIfAborted();
}`;

async function gateOf(engine: RunningEngine): Promise<{ path: string; open: () => Promise<void> }> {
  const path = `${engine.directory}/gate`;
  await Deno.chmod(engine.directory, 0o755);
  return { path, open: () => Deno.writeTextFile(path, "") };
}

Deno.test("on SIGTERM the engine serves on, asks clients to leave, and finishes its runs", async () => {
  await using engine = await RunningEngine.start({ nodes: { gated: GATED } });
  const gate = await gateOf(engine);
  const running = engine.run({ gate: gate.path });
  await engine.line(/waiting/);
  engine.signal("SIGTERM");
  await engine.line(/SIGTERM/);
  const health = await fetch(`${engine.url}/health`);
  deepEqual([health.status, health.headers.get("connection")], [200, "close"]);
  await health.body?.cancel();
  await gate.open();
  deepEqual((await running).outputs, { gated: "finished" });
  equal(await engine.ended(), 0);
  match(engine.lines.join("\n"), /\[engine\] INFO stopped/);
});

Deno.test("a run that outlives the grace period is aborted, answered, and the exit is clean", async () => {
  await using engine = await RunningEngine.start({
    nodes: { gated: GATED },
    args: ["--grace", "3s"],
  });
  const running = engine.run({ gate: "/app/never" });
  await engine.line(/waiting/);
  engine.signal("SIGTERM");
  const result = await running;
  deepEqual(result.errors, ["node gated threw: aborted: the engine is shutting down"]);
  equal(await engine.ended(), 0);
});

Deno.test("a second interrupt ends the engine whatever is running", async () => {
  await using engine = await RunningEngine.start({ nodes: { gated: GATED } });
  const running = engine.run({ gate: "/app/never" }).catch(() => "cut off");
  await engine.line(/waiting/);
  engine.signal("SIGINT");
  await engine.line(/SIGINT/);
  equal(await engine.stop("SIGINT"), 130);
  equal(await running, "cut off");
});

Deno.test("a failure's stack in the log has the lines of the user's TypeScript", async () => {
  await using engine = await RunningEngine.start({
    nodes: {
      a: `import { fail } from "../lib/fail.ts";
interface Erased {
  one: string;
}
export default function run(): Erased {
  return fail();
}`,
    },
    files: {
      "lib/fail.ts":
        "type T = never;\n\nexport function fail(): T {\n  throw new Error('deep');\n}",
    },
  });
  const { errors } = await engine.run({});
  deepEqual(errors, ["node a threw: deep"]);
  match(await engine.line(/at fail/), /^\[a\] ERROR {5}at fail \(lib\/fail\.ts:4:9\) runId=/);
  match(await engine.line(/at run/), /^\[a\] ERROR {5}at run \(nodes\/a\.ts:6:10\) runId=/);
});

Deno.test("a client that leaves does not stop its run, nor the engine", async () => {
  await using engine = await RunningEngine.start({ nodes: { gated: GATED } });
  const gate = await gateOf(engine);
  const leaving = new AbortController();
  const body = JSON.stringify({ gate: gate.path });
  const left = fetch(`${engine.url}/run`, { method: "POST", body, signal: leaving.signal });
  await engine.line(/waiting/);
  leaving.abort();
  await left.catch(() => {});
  await gate.open();
  equal((await engine.run({ gate: gate.path })).success, true);
  equal(await engine.stop("SIGINT"), 0);
});

Deno.test("a slow body is waited for, and nobody else waits with it", async () => {
  await using engine = await RunningEngine.start({
    nodes: { echo: "export default (_ctx, input) => input;" },
  });
  const { readable, writable } = new TransformStream<string, string>();
  const writer = writable.getWriter();
  const slow = engine.post("/run", readable.pipeThrough(new TextEncoderStream()));
  await writer.write('{"slow":');
  deepEqual((await engine.run({ quick: 1 })).outputs, { echo: { quick: 1 } });
  await writer.write(" true}");
  await writer.close();
  deepEqual((await (await slow).json()).outputs, { echo: { slow: true } });
});

Deno.test("8 MiB go through a socket, and one byte more does not", async () => {
  await using engine = await RunningEngine.start({
    nodes: { size: "export default (_ctx, input) => input.length;" },
  });
  const largest = JSON.stringify("x".repeat(8 * 1024 * 1024 - 2));
  deepEqual((await (await engine.post("/run", largest)).json()).outputs, {
    size: 8 * 1024 * 1024 - 2,
  });
  const refused = await engine.post("/run", `${largest} `);
  equal(refused.status, 413);
  await refused.body?.cancel();
});

Deno.test("two hundred runs at once all get their own answer", async () => {
  await using engine = await RunningEngine.start({
    nodes: {
      echo: `export default async (_ctx, input) => {
        await new Promise((resolve) => setTimeout(resolve, 5)); return input; };`,
    },
  });
  const runs = Array.from({ length: 200 }, (_, i) => engine.run({ i }));
  const answers = await Promise.all(runs);
  deepEqual(answers.map((it) => it.outputs["echo"]), answers.map((_, i) => ({ i })));
});

Deno.test("secrets reach their dependency, and neither log nor answer", async () => {
  await using engine = await RunningEngine.start({
    nodes: {
      a: `export default (ctx) => {
        const { secret } = ctx.dependency("api");
        ctx.log.info("using", { secret }, btoa("user:" + secret));
        throw new Error("refused " + secret + " of length " + secret.length);
      };`,
    },
    workflow: {
      contract: {
        version: "1",
        dependencies: {
          api: {
            protocol: "https",
            host: "h",
            auth: { type: "bearer-token", secret: "api.token" },
          },
        },
      },
    },
    secrets: { api: { token: "correct-horse-battery" } },
  });
  const { errors } = await engine.run({});
  deepEqual(errors, ["node a threw: refused *** of length 21"]);
  match(await engine.line(/using/), /^\[a\] INFO using \{ secret: "\*\*\*" \} \S*\*\*\*\S* runId/);
  equal(engine.lines.some((line) => line.includes("horse")), false);
});

Deno.test("a secret of the contract that nobody provisioned is warned of at the start", async () => {
  await using engine = await RunningEngine.start({
    nodes: { a: "export default (ctx) => ctx.dependency('api').secret ?? null;" },
    workflow: {
      contract: {
        version: "1",
        dependencies: {
          api: {
            protocol: "https",
            host: "h",
            auth: { type: "bearer-token", secret: "api.token" },
          },
        },
      },
    },
  });
  match(await engine.line(/WARN/), /secrets not provisioned: api\.token$/);
  deepEqual((await engine.run({})).outputs, { a: null });
});

Deno.test("a promise that a node forgot, and a callback that throws, end nobody's run", async () => {
  await using engine = await RunningEngine.start({
    nodes: {
      a: `export default (ctx, input) => {
        Promise.reject(new Error("forgotten"));
        setTimeout(() => { throw new Error("thrown late"); }, 0);
        return new Promise((resolve) => setTimeout(() => resolve(input), 20));
      };`,
    },
  });
  deepEqual((await engine.run({ n: 1 })).outputs, { a: { n: 1 } });
  match(
    await engine.line(/forgotten/),
    /\[engine\] ERROR an error that nobody waited for: forgotten/,
  );
  await engine.line(/nobody waited for: thrown late/);
  await engine.line(/at .*nodes\/a\.ts:\d+:\d+/);
  deepEqual((await engine.run({ n: 2 })).outputs, { a: { n: 2 } });
});

Deno.test("a client that never finishes its request does not keep the engine from ending", async () => {
  const echo = "export default (_ctx, input) => input;";
  await using engine = await RunningEngine.start({ nodes: { echo }, args: ["--grace", "3s"] });
  const client = await Deno.connect({ hostname: "127.0.0.1", port: engine.port });
  const head = "POST /run HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{";
  await client.write(new TextEncoder().encode(head));
  equal((await engine.run({ n: 1 })).success, true);
  equal(await engine.stop("SIGTERM"), 0);
  client.close();
});

Deno.test("a webhook is answered before a root computes, which nothing interrupts", async () => {
  const busy = `export default (ctx, { file }) => {
    for (const end = Date.now() + 20_000; Date.now() < end;) {
      try {
        return Deno.statSync(file), ctx.log.info("released"), 1;
      } catch { /* Not yet. */ }
    }
    ctx.log.info("nobody was answered");
    return 0;
  };`;
  await using engine = await RunningEngine.start({
    nodes: { busy },
    workflow: { triggers: [{ type: "webhook", path: "/in" }] },
  });
  const file = `${engine.directory}/answered`;
  const accepted = await engine.post("/in", JSON.stringify({ file }), {}, engine.webhookUrl);
  equal(accepted.status, 202);
  equal((await accepted.json()).accepted, true);
  await Deno.writeTextFile(file, "");
  match(await engine.line(/\[busy\] INFO/), /released/);
});

Deno.test("runs that webhooks started are finished before the exit", async () => {
  await using engine = await RunningEngine.start({
    nodes: { gated: GATED.replace('return "finished"', 'return ctx.log.info("finished"), 1') },
    workflow: { triggers: [{ type: "webhook", path: "/in" }] },
  });
  const gate = await gateOf(engine);
  const accepted = await engine.post(
    "/in",
    JSON.stringify({ gate: gate.path }),
    {},
    engine.webhookUrl,
  );
  equal(accepted.status, 202);
  await accepted.body?.cancel();
  await engine.line(/waiting/);
  engine.signal("SIGINT");
  await engine.line(/SIGINT/);
  await gate.open();
  equal(await engine.ended(), 0);
  match(engine.lines.join("\n"), /\[gated\] INFO finished/);
});

Deno.test("metrics count what the engine did", async () => {
  await using engine = await RunningEngine.start({ nodes: { a: "export default () => 1;" } });
  await engine.run({});
  const response = await fetch(`${engine.url}/metrics`);
  match(await response.text(), /tentacular_runs_total\{result="success"\} 1\n/);
});
