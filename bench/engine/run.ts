/**
 * The engine against a bare `Deno.serve`, side by side on loopback.
 *
 *     deno run --allow-all bench/engine/run.ts [--rounds 5] [--seconds 3] [--write]
 *
 * Needs `wrk` (a Debian package of that name). Only ratios are worth comparing between machines:
 * the two servers of a pair are measured in turns, and their best rounds are compared: what else the
 * machine does only ever makes a round worse.
 * `--write` puts the report into results.md.
 */

import { type Flags, flagsOf, ratio } from "./report.ts";
import { bareServer, engineServer, type Server, startTime } from "./servers.ts";

const flags: Flags = flagsOf(Deno.args);
const report: string[] = [];

function say(line: string): void {
  report.push(line);
  console.log(line);
}

interface Load {
  /** Requests a second. */
  readonly rate: number;
  /** Median latency in microseconds. */
  readonly p50: number;
  /** Microseconds of processor time for each request, in all threads of the server. */
  readonly cpu: number;
}

const SCRIPT = 'wrk.method = "POST"; wrk.body = "{}"';
const UNITS: Readonly<Record<string, number>> = { us: 1, ms: 1_000, s: 1_000_000 };

async function load(server: Server, connections: number, seconds = flags.seconds): Promise<Load> {
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  await Deno.writeTextFile(script, SCRIPT);
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--latency", "-s", script, server.url];
  const before = await server.cpuSeconds();
  const { stdout } = await new Deno.Command("wrk", { args }).output();
  const used = await server.cpuSeconds() - before;
  await Deno.remove(script);
  const text = new TextDecoder().decode(stdout);
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(text);
  const [, p50, unit = ""] = /50%\s+([\d.]+)(us|ms|s)/.exec(text) ?? [];
  const [, rate] = /Requests\/sec:\s+([\d.]+)/.exec(text) ?? [];
  const [, requests] = /(\d+) requests in/.exec(text) ?? [];
  const cpu = (used * 1_000_000) / Number(requests);
  return { rate: Number(rate), p50: Number(p50) * (UNITS[unit] ?? NaN), cpu };
}

/** In turns, so that whatever else the machine does falls on both. */
async function compare(
  title: string,
  left: Server,
  right: Server,
  connections: number,
): Promise<void> {
  const loads: [Load, Load][] = [];
  for (let round = 0; round < flags.rounds; round++) {
    loads.push([await load(left, connections), await load(right, connections)]);
  }
  const cells = [title, String(connections)];
  for (const [key, best] of [["rate", Math.max], ["p50", Math.min], ["cpu", Math.min]] as const) {
    const [one, other] = [0, 1].map((side) => best(...loads.map((it) => it[side]?.[key] ?? NaN)));
    cells.push(...[one, other].map((it) => it?.toFixed(key === "cpu" ? 1 : 0) ?? ""));
    cells.push(ratio((one ?? NaN) / (other ?? NaN)));
  }
  say(`| ${cells.join(" | ")} |`);
}

function triple(what: string): string[] {
  return [`engine ${what}`, `other ${what}`, "ratio"];
}

async function throughput(): Promise<void> {
  const columns = ["workflow, against", "connections", ...triple("a second"), ...triple("p50 us")];
  columns.push(...triple("CPU us"));
  say(`| ${columns.join(" | ")} |`);
  say(`|${"---|".repeat(columns.length)}`);
  const pairs = [
    { title: "3 chained, bare", count: 3, shape: "chain", bare: true },
    { title: "3 chained, direct calls", count: 3, shape: "chain", bare: false },
    { title: "50 chained, direct calls", count: 50, shape: "chain", bare: false },
    { title: "50 parallel, direct calls", count: 50, shape: "parallel", bare: false },
  ] as const;
  for (const { title, count, shape, bare } of pairs) {
    await using engine = await engineServer(count, shape);
    await using other = await bareServer(count, bare ? undefined : shape);
    for (const server of [engine, other]) await load(server, 32, 2); // Let the compiler see it.
    for (const connections of [1, 32]) await compare(title, engine, other, connections);
  }
}

async function starts(): Promise<void> {
  const times: [number, number][] = [];
  for (let round = 0; round < 4 * flags.rounds; round++) {
    times.push([
      await startTime(() => engineServer(3, "chain")),
      await startTime(() => bareServer(3)),
    ]);
  }
  const [engine = NaN, bare = NaN] = [0, 1].map((side) =>
    Math.min(...times.map((it) => it[side] ?? NaN))
  );
  const both = ratio(engine / bare);
  say(
    `Start to first answer: engine ${engine.toFixed(0)} ms, bare ${
      bare.toFixed(0)
    } ms, ratio ${both}.`,
  );
}

async function memory(): Promise<void> {
  await using engine = await engineServer(3, "chain");
  const idle = await engine.residentMiB();
  const after: string[] = [];
  for (const thousands of [100, 200]) {
    for (let runs = 0; runs < 100_000;) runs += 2 * (await load(engine, 32, 2)).rate;
    after.push(`${await engine.residentMiB()} MiB after ${thousands},000 runs`);
  }
  say(`Resident memory: ${idle} MiB idle, ${after.join(", ")}.`);
}

say(
  `Measured on ${new Date().toISOString().slice(0, 10)}, ${navigator.hardwareConcurrency} cores of`,
);
say(`${flags.processor}, Deno ${Deno.version.deno}; the best of ${flags.rounds} rounds.`);
say(`Load of the machine before the start: ${Deno.loadavg()[0]?.toFixed(1)}.\n`);
await throughput();
say("");
await starts();
await memory();
if (flags.write) {
  const header =
    "# The engine against a bare server\n\nMade by `run.ts --write`; see there for how.\n\n";
  await Deno.writeTextFile(
    new URL("results.md", import.meta.url),
    `${header}${report.join("\n")}\n`,
  );
}
