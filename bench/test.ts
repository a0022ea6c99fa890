/**
 * Wall time of `tntc test` on workflows of 3 and of 50 nodes, each with one fixture, beside `deno eval ""`; and the time
 * from a saved change to the line that says it is served, in `tntc dev`.
 *
 * The commands alternate, so that a machine that slows down slows all of them. Times are in milliseconds.
 */

import { command, median, timed, within } from "./support/measure.ts";

const ROUNDS = Number(Deno.env.get("ROUNDS") ?? 15);
const SIZES = [3, 50];
const RELOADS = 10;

/** The most that a median may be, in those of `deno eval ""`. */
const BOUNDS: Readonly<Record<string, number>> = {
  "tntc test, 3 nodes": 2.2,
  "tntc test, 50 nodes": 6,
};

function source(value: number): string {
  return `import type { Context } from "tentacular";

export default function run(ctx: Context, input: { n: number }): { n: number } {
  ctx.log.info("got", input.n);
  return { n: input.n + ${value} };
}
`;
}

/** A workflow of unconnected nodes. */
async function workflow(size: number): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "bench-test-" });
  await Deno.mkdir(`${directory}/nodes`);
  await Deno.mkdir(`${directory}/tests/fixtures`, { recursive: true });
  const names = Array.from({ length: size }, (_, index) => `node-${index}`);
  const nodes = Object.fromEntries(names.map((name) => [name, { path: `nodes/${name}.ts` }]));
  const contract = { version: "1", dependencies: {} };
  const head = { name: "bench", version: "1.0", triggers: [{ type: "manual" }] };
  await Deno.writeTextFile(
    `${directory}/workflow.yaml`,
    JSON.stringify({ ...head, nodes, contract }),
  );
  for (const [index, name] of names.entries()) {
    await Deno.writeTextFile(`${directory}/nodes/${name}.ts`, source(index));
    const fixture = { input: { n: 1 }, expected: { n: 1 + index } };
    await Deno.writeTextFile(`${directory}/tests/fixtures/${name}.json`, JSON.stringify(fixture));
  }
  return directory;
}

async function testing(): Promise<void> {
  const directories = await Promise.all(SIZES.map(workflow));
  const deno = Deno.execPath();
  const commands: [string, () => Promise<unknown>][] = [
    ['deno eval ""', () => command(deno, "eval", "")],
    ...directories.map((directory, index): [string, () => Promise<unknown>] => [
      `tntc test, ${SIZES[index]} nodes`,
      () => command("tntc", "test", directory),
    ]),
  ];
  const times = commands.map((): number[] => []);
  for (const [, command] of commands) await command(); // Whatever is cached is cached now.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, [, command]] of commands.entries()) {
      times[index]?.push(await timed(command));
    }
  }
  const medians = times.map(median);
  console.log("\n| command | median ms | against deno eval |\n|---|---|---|");
  for (const [index, [name]] of commands.entries()) {
    const ratio = (medians[index] ?? NaN) / (medians[0] ?? NaN);
    console.log(`| ${name} | ${medians[index]?.toFixed(1)} | ${ratio.toFixed(2)} |`);
    within(name, ratio, BOUNDS[name] ?? Infinity);
  }
  await Promise.all(directories.map((it) => Deno.remove(it, { recursive: true })));
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function reloading(): Promise<void> {
  const directory = await workflow(3);
  const args = ["dev", directory, "-p", String(freePort())];
  const dev = new Deno.Command("tntc", { args, stdin: "null", stdout: "null", stderr: "piped" })
    .spawn();
  const lines = dev.stderr.pipeThrough(new TextDecoderStream()).getReader();
  const until = async (text: string): Promise<void> => {
    for (;;) {
      const { value, done } = await lines.read();
      if (done) throw new Error(`tntc dev ended before it said "${text}"`);
      if (value.includes(text)) return;
    }
  };
  await until("listening");
  const times: number[] = [];
  for (let count = 1; count <= RELOADS; count++) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    times.push(
      await timed(async () => {
        await Deno.writeTextFile(`${directory}/nodes/node-0.ts`, source(count));
        await until("reloaded");
      }),
    );
  }
  dev.kill("SIGINT");
  await lines.cancel();
  await dev.status;
  console.log("\n| save to reloaded in tntc dev | ms |\n|---|---|");
  console.log(`| median of ${RELOADS} | ${median(times).toFixed(1)} |`);
  await Deno.remove(directory, { recursive: true });
}

await testing();
await reloading();
