/**
 * `tntc validate` as a process: of ten nodes beside `true` and `tntc version`, of 10,000 nodes with 20,000 edges beside
 * `tntc version`, and of files that are meant to break it.
 *
 * The commands alternate, so that a machine that slows down slows all of them. The best round is shown beside the
 * median: what else the machine does only ever adds. Instructions are counted once by callgrind, which no load changes;
 * memory is the most that was resident at once. Needs `tntc` on PATH, and Debian's `time` and `valgrind`.
 * `--write` keeps the table in results.md.
 */

import { within } from "../support/measure.ts";

const ROUNDS = Number(Deno.env.get("ROUNDS") ?? 51);
const LARGE_ROUNDS = Math.ceil(ROUNDS / 5);

/** The most that the best round may be, in those of `tntc version`. */
const BOUNDS: Readonly<Record<string, number>> = {
  "validate, 10 nodes": 1.4,
  "validate, 10,000 nodes, 20,000 edges": 60,
};

interface Subject {
  readonly name: string;
  readonly rounds: number;
  readonly command: readonly [program: string, ...args: string[]];
  /** Whether the file is refused, which is no failure of the measurement. */
  readonly refused?: boolean;
}

async function run(program: string, args: readonly string[], refused = false): Promise<string> {
  const { code, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    stdout: "null",
  }).output();
  const text = new TextDecoder().decode(stderr);
  if (code !== (refused ? 1 : 0)) {
    throw new Error(`${program} ${args.join(" ")} failed:\n${text.slice(0, 2000)}`);
  }
  return text;
}

async function timed({ command: [program, ...args], refused }: Subject): Promise<number> {
  const start = performance.now();
  await run(program, args, refused);
  return performance.now() - start;
}

/** Most memory that was resident at once, in KiB. */
async function memory({ command, refused }: Subject): Promise<number> {
  const said = await run("time", ["--quiet", "--format=%M", ...command], refused);
  return Number(said.trimEnd().split("\n").at(-1));
}

/** Millions of instructions, by callgrind. */
async function instructions({ command, refused }: Subject): Promise<number> {
  const said = await run("valgrind", [
    "--tool=callgrind",
    "--callgrind-out-file=/dev/null",
    ...command,
  ], refused);
  return Number(/Collected : (\d+)/.exec(said)?.[1]) / 1e6;
}

async function directory(workflow: string | Uint8Array): Promise<string> {
  const dir = await Deno.makeTempDir();
  const content = typeof workflow === "string" ? new TextEncoder().encode(workflow) : workflow;
  await Deno.writeFile(`${dir}/workflow.yaml`, content);
  await Deno.writeTextFile(`${dir}/node.ts`, "export default () => 1;\n");
  return dir;
}

/** A chain, with edges that skip one node, too: two a node. All nodes share one file. */
function chain(nodes: number): string {
  const name = (index: number) => `n${index}`;
  const all = Array.from({ length: nodes }, (_, index) => index);
  const edges = all.flatMap((index) =>
    [index + 1, index + 2].filter((to) => to < nodes).map((to) =>
      `  - {from: ${name(index)}, to: ${name(to)}}`
    )
  );
  return [
    "name: bench",
    'version: "1.0"',
    "triggers: [{type: manual}]",
    "nodes:",
    ...all.map((index) => `  ${name(index)}: {path: node.ts}`),
    "edges:",
    ...edges,
    'contract: {version: "1", dependencies: {api: {protocol: https, host: api.example.com}}}',
    "",
  ].join("\n");
}

/** Each anchor holds the one before it nine times. */
function aliasBomb(): string {
  const levels = Array.from(
    { length: 29 },
    (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level},`.repeat(9)}]`,
  );
  return ["a0: &a0 [x,x,x,x,x,x,x,x,x]", ...levels, ""].join("\n");
}

const MIB = 1024 * 1024;
const refused: [name: string, workflow: string | Uint8Array][] = [
  ["alias bomb", aliasBomb()],
  ["1 MiB of `[`", "[".repeat(MIB - 1)],
  ["1 MiB of `{a: `", "{a: ".repeat(MIB / 4 - 1)],
  ["1 MiB of NUL", new Uint8Array(MIB - 1)],
  ["1 MiB of no UTF-8", new Uint8Array(MIB - 1).fill(255)],
  ["100,000 duplicate keys", "name: a\n".repeat(100_000)],
];

function summary(times: readonly number[]): [best: number, median: number] {
  const sorted = times.toSorted((a, b) => a - b);
  return [sorted[0] ?? NaN, sorted[Math.floor(sorted.length / 2)] ?? NaN];
}

async function measured(subjects: readonly Subject[]): Promise<string[]> {
  const times = new Map<Subject, number[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [subject, all] of times) {
      if (round < subject.rounds) all.push(await timed(subject));
    }
  }
  const version = subjects.find(({ name }) => name === "tntc version");
  const [base] = summary((version && times.get(version)) ?? []);
  const rows = [];
  for (const [subject, all] of times) {
    const [best, median] = summary(all);
    const [count, resident] = [await instructions(subject), await memory(subject)];
    const cells = [
      best.toFixed(1),
      median.toFixed(1),
      (best / base).toFixed(2),
      count.toFixed(1),
      (resident / 1024).toFixed(1),
    ];
    rows.push(`| ${subject.name} | ${cells.join(" | ")} |`);
    within(subject.name, best / base, BOUNDS[subject.name] ?? Infinity);
  }
  return rows;
}

const dirs: string[] = [];
async function validate(workflow: string | Uint8Array): Promise<Subject["command"]> {
  const dir = await directory(workflow);
  dirs.push(dir);
  return ["tntc", "validate", dir];
}

const subjects: Subject[] = [
  { name: "true", rounds: ROUNDS, command: ["true"] },
  { name: "tntc version", rounds: ROUNDS, command: ["tntc", "version"] },
  { name: "validate, 10 nodes", rounds: ROUNDS, command: await validate(chain(10)) },
  {
    name: "validate, 10,000 nodes, 20,000 edges",
    rounds: LARGE_ROUNDS,
    command: await validate(chain(10_000)),
  },
];
for (const [name, workflow] of refused) {
  subjects.push({
    name: `validate, ${name}`,
    rounds: LARGE_ROUNDS,
    command: await validate(workflow),
    refused: true,
  });
}

const processor = /model name\s*:\s*(.*)/.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? "?";
const load = Deno.loadavg()[0]?.toFixed(1);
try {
  const report = [
    "# Validating, as a process",
    "",
    "Made by `bench/validate/run.ts --write`; see there for how. Milliseconds; the ratio is that of the best rounds to",
    "the best of `tntc version`.",
    "",
    `Measured on ${
      new Date().toISOString().slice(0, 10)
    }, ${navigator.hardwareConcurrency} cores of ${processor};`,
    `${ROUNDS} rounds, ${LARGE_ROUNDS} of the large and the hostile files. Load of the machine before the start: ${load}.`,
    "",
    "| what | best | median | ratio | million instructions | MiB resident |",
    "|---|---|---|---|---|---|",
    ...await measured(subjects),
    "",
  ].join("\n");
  console.log(report);
  if (Deno.args.includes("--write")) {
    await Deno.writeTextFile(new URL("results.md", import.meta.url), report);
  }
} finally {
  for (const dir of dirs) await Deno.remove(dir, { recursive: true });
}
