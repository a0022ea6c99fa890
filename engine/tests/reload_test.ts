import { deepEqual, equal, match } from "node:assert/strict";
import { imageDirectory, RunningEngine, writeFiles } from "./harness.ts";

const WATCH = ["--watch"];
const NODE = 'import { x } from "../lib/x.ts";\nexport default () => x;';

async function startWatching(files: Record<string, string> = {}): Promise<RunningEngine> {
  return await RunningEngine.start({
    nodes: { a: NODE },
    files: { "lib/x.ts": "export const x: number = 1;", ...files },
    args: WATCH,
  });
}

/** A file that is seen half written costs a generation of its own, which is never served: numbers are not asked for. */
async function reloaded(engine: RunningEngine, change: Record<string, string>): Promise<void> {
  const from = engine.lines.length;
  await writeFiles(engine.directory, change);
  await engine.line(/INFO reloaded, generation \d+$/, from);
}

Deno.test("a change of a node, of a helper or of workflow.yaml is taken over", async () => {
  await using engine = await startWatching();
  deepEqual((await engine.run({})).outputs, { a: 1 });
  await reloaded(engine, { "lib/x.ts": "export const x: number = 2;" });
  deepEqual((await engine.run({})).outputs, { a: 2 });
  await reloaded(engine, { "nodes/a.ts": NODE.replace("=> x", "=> x * 10") });
  deepEqual((await engine.run({})).outputs, { a: 20 });
  const nodes = { a: { path: "nodes/a.ts" }, b: { path: "nodes/a.ts" } };
  const workflow = JSON.stringify({ name: "tested", version: "1.1", nodes });
  await reloaded(engine, { "workflow.yaml": workflow });
  deepEqual((await engine.run({})).outputs, { a: 20, b: 20 });
});

Deno.test("a helper of a helper, imported late, is of the same generation", async () => {
  await using engine = await startWatching({
    "nodes/a.ts": 'export default async () => (await import("../lib/x.ts")).x;',
    "lib/x.ts": 'export { x } from "./y.ts";',
    "lib/y.ts": "export const x = 1;",
  });
  deepEqual((await engine.run({})).outputs, { a: 1 });
  await reloaded(engine, { "lib/y.ts": "export const x = 2;" });
  deepEqual((await engine.run({})).outputs, { a: 2 });
});

Deno.test("a broken edit leaves the old code serving and says why; mending it helps", async () => {
  await using engine = await startWatching();
  await writeFiles(engine.directory, { "lib/x.ts": "export const x: number = ;" });
  match(
    await engine.line(/not reloaded/),
    /ERROR not reloaded, the code from before serves on: node a:/,
  );
  await engine.line(/ERROR .*lib\/x\.ts:1:26/);
  deepEqual((await engine.run({})).outputs, { a: 1 });
  await writeFiles(engine.directory, { "workflow.yaml": "name: [" });
  await engine.line(/not reloaded.*workflow\.yaml/);
  const nodes = { a: { path: "nodes/a.ts" } };
  await writeFiles(engine.directory, {
    "lib/x.ts": "export const x = 3;",
    "workflow.yaml": JSON.stringify({ name: "tested", version: "1.0", nodes }),
  });
  await engine.line(/INFO reloaded/);
  for (let turn = 0; turn < 200 && (await engine.run({})).outputs["a"] !== 3; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  deepEqual((await engine.run({})).outputs, { a: 3 });
});

Deno.test("a run in flight finishes on the code it began with", async () => {
  const slow = `import { x } from "../lib/x.ts";
    export default async (ctx, input) => {
      if (input.gate === undefined) return x;
      ctx.log.info("waiting");
      for (let turn = 0; turn < 3000; turn++) {
        if (await Deno.stat(input.gate).then(() => true, () => false)) return x;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };`;
  await using engine = await startWatching({ "nodes/a.ts": slow });
  const gate = `${engine.directory}/gate`;
  const running = engine.run({ gate });
  await engine.line(/waiting/);
  await writeFiles(engine.directory, { "lib/x.ts": "export const x = 2;" });
  await engine.line(/reloaded/);
  deepEqual((await engine.run({})).outputs, { a: 2 });
  await Deno.writeTextFile(gate, "");
  deepEqual((await running).outputs, { a: 1 });
});

Deno.test("the swap of a mounted ConfigMap's link is one change of everything", async () => {
  const app = await imageDirectory();
  const mount = await Deno.makeTempDir({ dir: app, prefix: "mount-" });
  const version = async (name: string, node: string, value: number): Promise<void> => {
    await Deno.mkdir(`${mount}/${name}`);
    await writeFiles(`${mount}/${name}`, {
      "workflow.yaml": JSON.stringify({
        name: "tested",
        version: "1.0",
        nodes: { [node]: { path: `nodes/${node}.ts` } },
      }),
      [`nodes/${node}.ts`]: 'import { x } from "./x.ts"; export default () => x;',
      "nodes/x.ts": `export const x = ${value};`,
    });
  };
  await version("..v1", "a", 1);
  await Deno.symlink("..v1", `${mount}/..data`);
  await Deno.symlink("..data/workflow.yaml", `${mount}/workflow.yaml`);
  await Deno.symlink("..data/nodes", `${mount}/nodes`);
  await Deno.chmod(mount, 0o755);
  // The last --workflow counts.
  const args = ["--workflow", `${mount}/workflow.yaml`, ...WATCH];
  await using engine = await RunningEngine.start({ nodes: {}, args, readable: [mount] });
  deepEqual((await engine.run({})).outputs, { a: 1 });
  await version("..v2", "b", 2);
  await Deno.symlink("..v2", `${mount}/..new`);
  await Deno.rename(`${mount}/..new`, `${mount}/..data`);
  await engine.line(/reloaded/);
  deepEqual((await engine.run({})).outputs, { b: 2 });
});

Deno.test("what does not belong to the code reloads nothing", async () => {
  await using engine = await startWatching();
  await writeFiles(engine.directory, {
    "notes.md": "x",
    "tests/fixtures/a.json": "{}",
    ".git/x.ts": "",
  });
  await writeFiles(engine.directory, { "lib/x.ts": "export const x = 2;" });
  // A file that is being written may be seen twice; only what is whole is told.
  await engine.line(/reloaded, generation/);
  equal(engine.lines.filter((line) => line.includes("reloaded")).length, 1);
});
