/** Modules that never come to their end: told, and with the node's name. */

import { equal, match } from "node:assert/strict";
import {
  command,
  type EngineOptions,
  imageDirectory,
  RunningEngine,
  runToEnd,
  writeWorkflow,
} from "./harness.ts";

const ECHO = "export default (_ctx, input) => input;";
const WAITS = `await new Promise(() => {}); ${ECHO}`;
const LOOPS = `while (true); ${ECHO}`;

/** Lines of standard error until one matches; the process is ended then. */
async function lineOf(
  entry: "main.ts" | "local.ts",
  options: EngineOptions,
  pattern: RegExp,
): Promise<string> {
  const workflow = await writeWorkflow(await imageDirectory(), options);
  const child = (await command(entry, workflow, options)).spawn();
  await child.stdin.close();
  await child.stdout.cancel();
  let text = "";
  for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const line = text.split("\n").slice(0, -1).find((it) => pattern.test(it));
    if (line === undefined) continue;
    child.kill("SIGKILL");
    await child.status;
    return line;
  }
  throw new Error(`no line ${pattern} in:\n${text}`);
}

Deno.test("a module that awaits what never comes is named", async () => {
  for (const entry of ["main.ts", "local.ts"] as const) {
    const line = await lineOf(entry, { nodes: { good: ECHO, stuck: WAITS } }, /still not loaded/);
    match(line, /^\[engine\] WARN node stuck: nodes\/stuck\.ts is still not loaded after 5 s/);
  }
});

Deno.test("an engine that is told to end while it loads does so", async () => {
  const options = { nodes: { stuck: WAITS } };
  const workflow = await writeWorkflow(await imageDirectory(), options);
  const child = (await command("main.ts", workflow, { ...options, args: ["--revision", "x"] }))
    .spawn();
  await child.stdin.close();
  await child.stdout.cancel();
  let text = "";
  for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (/still not loaded/.test(chunk)) child.kill("SIGTERM");
  }
  match(text, /SIGTERM: stopped while starting/);
  equal((await child.status).code, 0);
});

Deno.test("a module that loops is named by the local run, and by the next engine of the pod", async () => {
  const nodes = { good: ECHO, looping: LOOPS };
  match(
    await lineOf("local.ts", { nodes }, /blocked/),
    /ERROR the event loop has been blocked for 5 s; last to start: the module of node looping,/,
  );
  const journal = await Deno.makeTempDir({ prefix: "journal-" });
  await Deno.chmod(journal, 0o777);
  const options = { nodes, readable: [journal], args: ["--journal", journal] };
  const flags = (app: string): string[] => [
    ...["--no-lock", "--unstable-net", "--allow-net", `--allow-read=${app},${journal}`],
    ...[`--allow-write=${journal}`, "--allow-env"],
  ];
  const workflow = await writeWorkflow(await imageDirectory(), options);
  const first = (await command("main.ts", workflow, { ...options, flags })).spawn();
  await first.stdin.close();
  for (;;) {
    const noted = await Array.fromAsync(Deno.readDir(journal));
    if (noted.some(({ name }) => name === "loading%20looping")) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  first.kill("SIGKILL");
  await first.output();
  match(
    await lineOf("main.ts", { ...options, flags }, /ERROR/),
    /the engine before this one ended while it loaded the module of node looping$/,
  );
  await Deno.remove(journal, { recursive: true });
});

Deno.test("a stray error of a module that loads ends no start", async () => {
  await using engine = await RunningEngine.start({
    nodes: { a: `Promise.reject(new Error("forgotten")); ${ECHO}` },
  });
  match(await engine.line(/forgotten/), /ERROR an error that nobody waited for: forgotten/);
});

Deno.test("a node of a local run cannot end it without a word", async () => {
  for (const end of ["Deno.exit(0)", "process.exit(0)", "close()"]) {
    const node = `import process from "node:process"; export default () => { ${end}; return 1; };`;
    const options = { nodes: { a: node } };
    const workflow = await writeWorkflow(await imageDirectory(), options);
    const { code, stdout } = await runToEnd(await command("local.ts", workflow, options), "{}");
    equal(code, 1, end);
    match(JSON.parse(stdout).errors[0], /a node cannot end the engine/, end);
  }
});
