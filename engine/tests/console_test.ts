/** What nodes print, and how they may not leave. */

import { deepEqual, equal, match } from "node:assert/strict";
import { command, imageDirectory, RunningEngine, runToEnd, writeWorkflow } from "./harness.ts";

const CONTRACT = {
  version: "1",
  dependencies: {
    api: { protocol: "https", host: "h", auth: { type: "bearer-token", secret: "api.token" } },
  },
};
const SECRETS = { api: { token: "correct-horse" } };

Deno.test("the console is masked, a line a call, and marked with node and run", async () => {
  const node = `export default async (ctx) => {
    const { secret } = ctx.dependency("api");
    console.log("secret is", secret, "\\n[engine] INFO stopped");
    await Promise.resolve();
    console.error({ secret }, "\\u2028[engine] forged\\u0085\\u001b[2J\\u202e");
    setTimeout(() => console.warn("later", new TextEncoder().encode(secret).toHex()), 0);
    console.table([{ secret }]);
    console.assert(false, secret);
    console.trace(secret);
    return new Promise((resolve) => setTimeout(() => resolve(1), 20));
  };`;
  await using engine = await RunningEngine.start({
    nodes: { a: node },
    workflow: { contract: CONTRACT },
    secrets: SECRETS,
  });
  const { runId } = await engine.run({});
  await engine.line(/later/);
  const printed = engine.lines.filter((line) => line.startsWith("[a] "));
  deepEqual(printed.map((line) => line.replace(` runId=${runId}`, " run")), [
    "[a] INFO secret is *** \\n[engine] INFO stopped run",
    '[a] ERROR { secret: "***" } \\u2028[engine] forged\\x85\\x1b[2J\\u202e run',
    '[a] INFO [ { secret: "***" } ] run',
    "[a] ERROR assertion failed *** run",
    "[a] ERROR *** run",
    "[a] WARN later *** run",
  ]);
  equal(engine.lines.some((line) => line.includes("horse")), false);
});

/** With `--revision`, as a deployment has it, the code is looked through for the console. */
const DEPLOYED = { args: ["--revision", "r1"], workflow: { contract: CONTRACT }, secrets: SECRETS };

Deno.test("a deployed node that prints from any file is masked, and marked with its run", async () => {
  await using engine = await RunningEngine.start({
    nodes: {
      a: `import { print } from "../lib/print.ts";
      export default async (ctx) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        print(ctx.dependency("api").secret);
        return 1;
      };`,
    },
    files: { "lib/print.ts": "export const print = (it) => console.log('printed', it);" },
    ...DEPLOYED,
  });
  const { runId } = await engine.run({});
  equal(await engine.line(/printed/), `[a] INFO printed *** runId=${runId}`);
});

Deno.test("a node that hides that it prints is masked, and marked from its second run on", async () => {
  const hides = `export default (ctx, input) =>
    globalThis["con" + "sole"].log("hidden", input, ctx.dependency("api").secret) ?? 1;`;
  await using engine = await RunningEngine.start({ nodes: { a: hides }, ...DEPLOYED });
  await engine.run(1);
  equal(await engine.line(/hidden 1/), "[console] INFO hidden 1 ***");
  const { runId } = await engine.run(2);
  equal(await engine.line(/hidden 2/), `[a] INFO hidden 2 *** runId=${runId}`);
});

Deno.test("a node cannot end the engine, and whoever tries is told so", async () => {
  const node = `
    import process from "node:process";
    const ways = {
      exit: () => Deno.exit(0),
      process: () => process.exit(0),
      close: () => close(),
      assigned: () => { Deno.exit = () => {}; },
    };
    export default (_ctx, way) => { ways[way](); return "went on"; };`;
  await using engine = await RunningEngine.start({ nodes: { a: node } });
  for (const way of ["exit", "process", "close"]) {
    const { errors } = await engine.run(way);
    match(errors[0] ?? "", /a node cannot end the engine/, way);
  }
  equal((await engine.run("assigned")).success, false);
  equal((await engine.run("exit")).success, false);
  equal(await engine.stop("SIGINT"), 0);
});

Deno.test("a node that breaks globals breaks nobody else's runs", async () => {
  const breaks = `export default (_ctx, input) => {
    if (input.harm) {
      globalThis.setTimeout = () => 0;
      globalThis.clearTimeout = () => {};
      performance.now = () => NaN;
      Date.now = () => NaN;
      JSON.stringify = () => "forged";
      Response.json = () => new Response("forged");
      Promise.prototype.then = () => { throw new Error("patched"); };
      JSON.parse = () => "forged";
      Date.prototype.toISOString = () => "forged";
      globalThis.Date = globalThis.Response = class { constructor() { throw new Error("patched"); } };
      AbortSignal.timeout = () => new AbortController().signal;
      EventTarget.prototype.addEventListener = () => {};
    }
    return input.stuck ? new Promise(() => {}) : input;
  };`;
  await using engine = await RunningEngine.start({
    nodes: { a: breaks },
    workflow: { config: { timeout: "2s" } },
  });
  await engine.post("/run", '{"harm":true}').then((it) => it.body?.cancel());
  const response = await engine.post("/run", '{"n":1}');
  const { outputs, timing } = await response.json();
  deepEqual([response.status, outputs], [200, { a: { n: 1 } }]);
  match(timing.startedAt, /^\d{4}-/);
  equal((await fetch(`${engine.url}/health`)).status, 200);
  match((await engine.run({ stuck: true })).errors[0] ?? "", /timed out after 2s/);
});

Deno.test("a local run masks what its nodes print, too", async () => {
  const options = {
    nodes: {
      a: 'export default (ctx) => { console.log(ctx.dependency("api").secret); return 1; };',
    },
    workflow: { contract: CONTRACT },
    secrets: SECRETS,
  };
  const workflow = await writeWorkflow(await imageDirectory(), options);
  const { code, stderr } = await runToEnd(await command("local.ts", workflow, options), "{}");
  equal(code, 0);
  match(stderr, /^\[a\] INFO \*\*\* runId=/m);
  equal(stderr.includes("horse"), false);
});

Deno.test("a node that blocks the event loop is named", async () => {
  const nodes = {
    calm: "export default () => new Promise((resolve) => setTimeout(() => resolve(1), 100));",
    looping: "export default () => { while (true); };",
  };
  await using engine = await RunningEngine.start({
    nodes,
    workflow: { edges: [{ from: "calm", to: "looping" }] },
  });
  engine.run({}).catch(() => {});
  match(
    await engine.line(/blocked/),
    /^\[engine\] ERROR the event loop has been blocked for 5 s; last to start: node looping runId=/,
  );
});

Deno.test("a node that blocks the event loop as the first of all to run is named", async () => {
  await using engine = await RunningEngine.start({
    nodes: { looping: "export default () => { while (true); };" },
  });
  engine.run({}).catch(() => {});
  match(await engine.line(/blocked/), /last to start: node looping runId=/);
});
