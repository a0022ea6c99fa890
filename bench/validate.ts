/**
 * Wall time of `tntc validate` as a process: of ten nodes beside `true` and `tntc version`, and of 10,000 nodes with
 * 20,000 edges beside `tntc version`.
 *
 * The commands alternate, so that a machine that slows down slows all of them. The best round is shown beside the
 * median: what else the machine does only ever adds.
 */

const ROUNDS = Number(Deno.env.get("ROUNDS") ?? 51);
const LARGE_ROUNDS = Math.ceil(ROUNDS / 5);

async function timed(name: string, ...args: string[]): Promise<number> {
  const start = performance.now();
  const { success } = await new Deno.Command(name, { args, stdin: "null", stdout: "null", stderr: "null" }).output();
  const time = performance.now() - start;
  if (!success) throw new Error(`${name} ${args.join(" ")} failed`);
  return time;
}

/** A workflow of a chain, with edges that skip one node, too: two a node. All nodes share one file. */
async function workflow(nodes: number): Promise<string> {
  const dir = await Deno.makeTempDir();
  const name = (index: number) => `n${index}`;
  const all = Array.from({ length: nodes }, (_, index) => index);
  const edges = all.flatMap((index) =>
    [index + 1, index + 2].filter((to) => to < nodes).map((to) => `  - {from: ${name(index)}, to: ${name(to)}}`)
  );
  const lines = [
    "name: bench",
    'version: "1.0"',
    "triggers: [{type: manual}]",
    "nodes:",
    ...all.map((index) => `  ${name(index)}: {path: node.ts}`),
    "edges:",
    ...edges,
    'contract: {version: "1", dependencies: {api: {protocol: https, host: api.example.com}}}',
    "",
  ];
  await Deno.writeTextFile(`${dir}/workflow.yaml`, lines.join("\n"));
  await Deno.writeTextFile(`${dir}/node.ts`, "export default () => 1;\n");
  return dir;
}

function summary(times: number[]): [best: number, median: number] {
  const sorted = times.toSorted((a, b) => a - b);
  return [sorted[0] ?? NaN, sorted[Math.floor(sorted.length / 2)] ?? NaN];
}

const [small, large] = [await workflow(10), await workflow(10_000)];
const commands: [name: string, rounds: number, command: string[]][] = [
  ["true", ROUNDS, ["true"]],
  ["tntc version", ROUNDS, ["tntc", "version"]],
  ["validate, 10 nodes", ROUNDS, ["tntc", "validate", small]],
  ["validate, 10,000 nodes", LARGE_ROUNDS, ["tntc", "validate", large]],
];
const times = new Map<string, number[]>(commands.map(([name]) => [name, []]));
try {
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, rounds, command] of commands) {
      const [program, ...args] = command;
      if (round < rounds && program !== undefined) times.get(name)?.push(await timed(program, ...args));
    }
  }
} finally {
  for (const dir of [small, large]) await Deno.remove(dir, { recursive: true });
}

const [, base] = summary(times.get("tntc version") ?? []);
console.log(`${ROUNDS} rounds (${LARGE_ROUNDS} of the large workflow), ms`);
console.log("what                       best   median  ratio to tntc version");
for (const [name, all] of times) {
  const [best, median] = summary(all);
  console.log(`${name.padEnd(24)} ${best.toFixed(1).padStart(6)} ${median.toFixed(1).padStart(8)}  ${(median / base).toFixed(2).padStart(5)}`);
}
