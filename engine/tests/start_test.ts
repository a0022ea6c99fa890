import { deepEqual, equal, match } from "node:assert/strict";
import {
  command,
  imageDirectory,
  RunningEngine,
  runToEnd,
  writeFiles,
  writeWorkflow,
} from "./harness.ts";
import type { Ended, EngineOptions } from "./harness.ts";

const ECHO = "export default (_ctx: unknown, input: unknown) => input;";

/** Starts an engine that is expected not to. */
async function failToStart(
  options: EngineOptions,
  change?: (workflow: string) => Promise<string>,
): Promise<Ended> {
  const written = await writeWorkflow(await imageDirectory(), options);
  const workflow = await change?.(written) ?? written;
  const ended = await runToEnd(await command("main.ts", workflow, options));
  equal(ended.code, 1, ended.stderr);
  equal(ended.stdout, "");
  return ended;
}

Deno.test("an engine starts under the derived flags, as nobody, without a word too many", async () => {
  await using engine = await RunningEngine.start({
    nodes: { echo: ECHO },
    args: ["--revision", "r7"],
  });
  const result = await engine.run({ a: 1 });
  const { revision } = result;
  match(revision ?? "", /^[0-9a-f]{16}$/);
  deepEqual([result.success, result.outputs], [true, { echo: { a: 1 } }]);
  const metrics = await (await fetch(`http://127.0.0.1:${engine.port}/metrics`)).text();
  match(metrics, /^tentacular_revision_mismatch 1$/m);
  equal(await engine.stop("SIGINT"), 0);
  deepEqual(engine.lines, [
    `[engine] INFO loading revision=${revision} secrets=none`,
    "[engine] WARN these files are not of the deployed revision r7: deploy again to replace them",
    `[engine] INFO listening on 0.0.0.0:${engine.port}`,
    "[engine] INFO SIGINT: finishing what is under way",
    "[engine] INFO stopped",
    "(end)",
  ]);
});

Deno.test("an engine starts under the image's own flags, for workflows without a contract", async () => {
  const flags = (app: string): string[] => [
    ...["--no-lock", "--unstable-net", "--allow-net", `--allow-read=${app},/var/run/secrets`],
    ...["--allow-write=/tmp", "--allow-env"],
  ];
  const workflow = { contract: undefined };
  await using engine = await RunningEngine.start({ nodes: { echo: ECHO }, workflow, flags });
  deepEqual((await engine.run({ a: 1 })).outputs, { echo: { a: 1 } });
  equal(await engine.stop("SIGINT"), 0);
  equal(engine.lines.length, 4, engine.lines.join("\n"));
});

Deno.test("nodes import types and values from tentacular, and helpers beside them", async () => {
  await using engine = await RunningEngine.start({
    nodes: {
      a: `import type { Context } from "tentacular";
        import * as tentacular from "tentacular";
        import { double } from "../lib/double.ts";
        export default async function run(ctx: Context, input: { n: number }): Promise<unknown> {
          ctx.log.info("doubling", input);
          return { n: double(input.n), kind: typeof tentacular };
        }`,
    },
    files: { "lib/double.ts": "export const double = (n: number): number => 2 * n;" },
  });
  deepEqual((await engine.run({ n: 21 })).outputs, { a: { n: 42, kind: "object" } });
  match(await engine.line(/doubling/), /^\[a\] INFO doubling \{ n: 21 \} runId=[0-9a-f-]{36}$/);
});

Deno.test("the layout of a mounted ConfigMap, links to links, is followed", async () => {
  const app = await imageDirectory();
  const options = { nodes: { a: `import { x } from "./x.ts"; export default () => x;` } };
  const workflow = await writeWorkflow(app, {
    ...options,
    files: { "nodes/x.ts": "export const x = 1;" },
  });
  const real = workflow.replace(/\/workflow\.yaml$/, "");
  const mount = await Deno.makeTempDir({ dir: app });
  await Deno.chmod(mount, 0o755);
  await Deno.rename(real, `${mount}/..2026_01_01`);
  await Deno.symlink("..2026_01_01", `${mount}/..data`);
  await Deno.symlink("..data/nodes", `${mount}/nodes`);
  await Deno.symlink("..data/workflow.yaml", `${mount}/workflow.yaml`);
  const ended = await runToEnd(await command("local.ts", `${mount}/workflow.yaml`, options), "{}");
  deepEqual(JSON.parse(ended.stdout).outputs, { a: 1 });
});

Deno.test("a sealed node reaches nothing that is not declared", async () => {
  const attempts: Record<string, string> = {
    network: 'await fetch("http://127.0.0.1:9/")',
    remote: 'await import("https://example.com/x.ts")',
    npm: 'await import("npm:left-pad@1.3.0")',
    read: 'await Deno.readTextFile("/etc/passwd")',
    write: 'await Deno.writeTextFile("/app/x", "")',
    spawn: 'await new Deno.Command("true").output()',
    environment: 'Deno.env.get("PATH") ?? (() => { throw new Error("nothing there"); })()',
  };
  const nodes = Object.entries(attempts).map(([name, code]) => [
    name,
    `export default async () => { try { ${code}; return "reached"; } catch { return "refused"; } };`,
  ]);
  await using engine = await RunningEngine.start({ nodes: Object.fromEntries(nodes) });
  const { outputs } = await engine.run({});
  deepEqual(Object.keys(outputs).filter((name) => outputs[name] !== "refused"), []);
});

Deno.test("what is wrong with a workflow is told in one line", async () => {
  const cases: [EngineOptions, RegExp][] = [
    [{ nodes: {} }, /workflow\.yaml: nodes: expected at least one node$/],
    [
      { nodes: { a: ECHO }, workflow: { edges: [{ from: "a", to: "b" }] } },
      /edge a -> b names the node b, which is not defined$/,
    ],
    [
      { nodes: { a: ECHO }, workflow: { nodes: { a: { path: "nodes/none.ts" } } } },
      /node a: nodes\/none\.ts does not exist$/,
    ],
    [
      { nodes: { a: "export const x = 1;" } },
      /nodes\/a\.ts has no default export that is a function: write export default async function/,
    ],
    [
      { nodes: { a: "export default class {}" } },
      /nodes\/a\.ts exports a class by default, which cannot be called: write export default async/,
    ],
    [
      { nodes: { a: "export default async function* () { yield 1; }" } },
      /nodes\/a\.ts exports a generator by default, whose values nothing takes: write export default/,
    ],
    [
      { nodes: { a: ECHO }, workflow: { nodes: { a: { path: "../engine/mod.ts" } } } },
      /is outside the workflow's directory$/,
    ],
    [{ nodes: { a: ECHO }, args: ["--prot", "1"] }, /unknown argument --prot$/],
    [{ nodes: { a: ECHO }, args: ["--secrets", "/nowhere"] }, /cannot read secrets: /],
  ];
  for (const [options, message] of cases) {
    const { stderr } = await failToStart(options);
    match(stderr.split("\n")[0] ?? "", /^\[engine\] ERROR /);
    match(stderr.split("\n")[0] ?? "", message);
    equal(stderr.includes("    at "), false, stderr);
  }
});

Deno.test("a missing workflow is told by its path", async () => {
  const { stderr } = await failToStart(
    { nodes: { a: ECHO } },
    (it) => Promise.resolve(`${it}.not`),
  );
  match(stderr, /workflow\.yaml\.not does not exist$/m);
});

Deno.test("broken YAML is told with line and column", async () => {
  const { stderr } = await failToStart({
    nodes: { a: ECHO },
    files: { "workflow.yaml": "name: w\n  x: [1\n" },
  });
  match(stderr, /workflow\.yaml: .* at line 2, column \d+/);
});

Deno.test("a node that does not compile, or throws at its import, is told with its line", async () => {
  const syntax = await failToStart({ nodes: { a: "export default (\n  => 1;" } });
  match(syntax.stderr, /node a: nodes\/a\.ts cannot be imported: .*a\.ts:2:\d+/s);
  const missing = await failToStart({ nodes: { a: `import "./none.ts"; ${ECHO}` } });
  match(missing.stderr, /node a: nodes\/a\.ts cannot be imported: .*none\.ts/s);
  const throws = await failToStart({ nodes: { a: `throw new Error("not today"); ${ECHO}` } });
  match(throws.stderr, /cannot be imported: not today/);
});

Deno.test("a port that is taken is told", async () => {
  using taken = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const options = { nodes: { a: ECHO } };
  const workflow = await writeWorkflow(await imageDirectory(), options);
  const ended = await runToEnd(await command("main.ts", workflow, options, port));
  equal(ended.code, 1);
  match(ended.stderr, new RegExp(`cannot listen on 0\\.0\\.0\\.0:${port}: .*in use`));
});

Deno.test("a local run gives its result, and nothing else, on standard output", async () => {
  const options = {
    nodes: {
      a: `export default (ctx, input) => {
        console.log("printed"); ctx.log.info("logged"); return input; };`,
    },
  };
  const workflow = await writeWorkflow(await imageDirectory(), options);
  const ended = await runToEnd(await command("local.ts", workflow, options), '{"n": 1}');
  equal(ended.code, 0, ended.stderr);
  deepEqual(JSON.parse(ended.stdout).outputs, { a: { n: 1 } });
  match(ended.stderr, /^\[\w+\] INFO printed/m);
  match(ended.stderr, /^\[a\] INFO logged/m);
});

Deno.test("the exit status of a local run says what failed", async () => {
  const failing = { nodes: { a: "export default () => { throw new Error('no'); };" } };
  const workflow = await writeWorkflow(await imageDirectory(), failing);
  const failed = await runToEnd(await command("local.ts", workflow, failing), "");
  deepEqual([failed.code, JSON.parse(failed.stdout).errors], [1, ["node a threw: no"]]);
  const input = await runToEnd(await command("local.ts", workflow, failing), "{");
  deepEqual([input.code, input.stdout], [2, ""]);
  const usage = await runToEnd(await command("local.ts", workflow, { ...failing, args: ["-x"] }));
  deepEqual([usage.code, usage.stdout], [2, ""]);
  await writeFiles(workflow.replace(/\/workflow\.yaml$/, ""), { "nodes/a.ts": "export default (" });
  const broken = await runToEnd(await command("local.ts", workflow, failing), "{}");
  deepEqual([broken.code, broken.stdout], [3, ""]);
});
