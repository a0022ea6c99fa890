/** What strangers may send: it costs them, and not the engine. */

import { equal, match, ok } from "node:assert/strict";
import { RunningEngine } from "./harness.ts";

const ECHO = "export default (_ctx, input) => input;";
const HEAP = { DENO_V8_FLAGS: "--max-heap-size=160" };

/** What the kernel cannot take back: without the pages of the program's own file, which it can. */
async function residentMiB(engine: RunningEngine): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${engine.pid}/status`);
  return Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

async function connect(port: number, head: string): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(head));
  return connection;
}

Deno.test("a declared length costs the sender's bytes, not the engine's memory", async () => {
  await using engine = await RunningEngine.start({ nodes: { n: ECHO }, env: HEAP });
  await engine.run({});
  const before = await residentMiB(engine);
  const head = "POST /run HTTP/1.1\r\nhost: x\r\ncontent-length: 8388608\r\n\r\n{";
  const held = await Promise.all(Array.from({ length: 200 }, () => connect(engine.port, head)));
  equal((await engine.run({ n: 1 })).success, true);
  ok(await residentMiB(engine) - before < 60);
  held.forEach((it) => it.close());
  equal((await engine.run({ n: 2 })).success, true);
});

Deno.test("bodies as large as may be, many at once, are answered or refused, and end nothing", async () => {
  await using engine = await RunningEngine.start({ nodes: { n: ECHO }, env: HEAP });
  const rows = Array.from({ length: 100_000 }, (_, id) => ({ id, name: "x".repeat(50) }));
  const bodies = [
    JSON.stringify(rows).slice(0, 8_000_000),
    JSON.stringify(rows),
    `[${"[],".repeat(2_600_000)}[]]`,
    "[".repeat(8_000_000),
    JSON.stringify(
      Object.fromEntries(
        Array.from({ length: 150_000 }, (_, it) => [`${"k".repeat(40)}${it}`, it]),
      ),
    ),
    JSON.stringify("y".repeat(8_000_000)),
  ];
  const counts = new Map<number, number>();
  for (let round = 0; round < 4; round++) {
    await Promise.all(bodies.map(async (body) => {
      const response = await engine.post("/run", body);
      await response.body?.cancel();
      counts.set(response.status, (counts.get(response.status) ?? 0) + 1);
    }));
  }
  ok([...counts.keys()].every((status) => [200, 400, 413, 503].includes(status)), `${[...counts]}`);
  ok((counts.get(200) ?? 0) > 0);
  equal((await engine.run({})).success, true);
  ok(await residentMiB(engine) < 256, `${await residentMiB(engine)} MiB`);
});

Deno.test("an output of 500 MB ends its run alone", async () => {
  const node = "export default () => ({ text: 'x'.repeat(500_000_000) });";
  await using engine = await RunningEngine.start({ nodes: { n: node }, env: HEAP });
  const { errors } = await engine.run({});
  match(errors[0] ?? "", /returned more than 32 MiB; the limit was passed at text/);
  equal((await fetch(`${engine.url}/health`)).status, 200);
});
