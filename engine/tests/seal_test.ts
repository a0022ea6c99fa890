/** What a node cannot do with the permissions of the engine that runs it. */

import { deepEqual, equal, match } from "node:assert/strict";
import { RunningEngine } from "./harness.ts";

function freePort(): number {
  using listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/** Sends `head` as it is, and gives the status of the answer. */
async function status(port: number, head: string): Promise<number> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(`${head}connection: close\r\n\r\n`));
  const answer = await new Response(connection.readable).text();
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
}

const WEBHOOK = { triggers: [{ type: "webhook", path: "/in" }] };

Deno.test("webhooks have a listener of their own, which runs nothing else", async () => {
  await using engine = await RunningEngine.start({
    nodes: { a: "export default () => 1;" },
    workflow: WEBHOOK,
  });
  const statuses = await Promise.all(
    ["/in", "/run", "/metrics", "/health"].map(async (path) => {
      const response = await engine.post(path, "{}", {}, engine.webhookUrl);
      await response.body?.cancel();
      return response.status;
    }),
  );
  deepEqual(statuses, [202, 404, 404, 405]);
  equal((await engine.post("/in", "{}")).status, 404);
  const health = await fetch(`${engine.webhookUrl}/health`);
  deepEqual([health.status, await health.json()], [200, { status: "ok" }]);
});

Deno.test("metrics have a listener that runs nothing, when asked for", async () => {
  await using engine = await RunningEngine.start({
    nodes: { a: "export default () => 1;" },
    args: ["--metrics-port", "0"],
  });
  const line = engine.lines.find((it) => /listening for metrics on/.test(it)) ?? "";
  const url = `http://127.0.0.1:${line.split(":").at(-1)}`;
  match(await (await fetch(`${url}/metrics`)).text(), /tentacular_runs_total/);
  equal((await engine.post("/run", "{}", {}, url)).status, 404);
});

Deno.test("the Host header does not choose what is served", async () => {
  await using engine = await RunningEngine.start({
    nodes: { a: "export default () => 1;" },
    workflow: WEBHOOK,
  });
  const hosts: [string, number][] = [
    ["a/run?", 400],
    ["a/run#", 400],
    ["a?", 400],
    ["a@b/run", 400],
    ["a\\run", 400],
    ["wc.ns.svc.cluster.local:8080", 404],
    ["[::1]:8080", 404],
    ["", 404],
  ];
  for (const [host, expected] of hosts) {
    const head = `POST /nothing HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 0\r\n`;
    equal(await status(engine.port, head), expected, host);
  }
});

Deno.test("a web page cannot start a run on a developer's machine", async () => {
  const port = freePort();
  await using engine = await RunningEngine.start({
    nodes: { a: "export default () => 1;" },
    net: [`127.0.0.1:${port}`],
    args: ["--host", "127.0.0.1", "--port", String(port)],
  });
  const post = async (headers: Record<string, string>): Promise<number> => {
    const all = { "content-type": "application/json", ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `POST /run HTTP/1.1\r\ncontent-length: 0\r\n${lines.join("")}`;
    return await status(engine.port, head);
  };
  const host = `localhost:${port}`;
  equal(await post({ host }), 200);
  equal(await post({ host, origin: `http://${host}` }), 200);
  equal(await post({ host, "content-type": "text/plain" }), 415);
  equal(await post({ host, origin: "https://evil.example" }), 403);
  equal(await post({ host, origin: "null" }), 403);
  equal(await post({ host: "rebound.evil.example" }), 403);
});

Deno.test("a node cannot call its own engine", async () => {
  const node = `export default async (_ctx, { port }) => {
    const attempts = ["0.0.0.0", "127.0.0.1", "localhost"].map((host) => [
      () => fetch("http://" + host + ":" + port + "/run", { method: "POST", body: "{}" }),
      () => Deno.connect({ hostname: host, port }),
    ]).flat();
    const results = [];
    for (const attempt of attempts) {
      results.push(await attempt().then(() => "reached", (error) => error.name));
    }
    return results;
  };`;
  const port = freePort();
  await using engine = await RunningEngine.start({ nodes: { a: node }, port });
  const { outputs } = await engine.run({ port });
  deepEqual(outputs["a"], Array(6).fill("NotCapable"));
});

Deno.test("a node reads no secrets from their files, neither while it is loaded nor later", async () => {
  const node = `
    const look = (path) => {
      try { return Deno.readTextFileSync(path); } catch (error) { return error.name; }
    };
    const mount = new URL("..", import.meta.url).pathname.slice(0, -1) + "-secrets/api";
    const early = look(mount);
    export default (ctx) => [early, look(mount), ctx.secrets.api.token];
  `;
  await using engine = await RunningEngine.start({
    nodes: { a: node },
    secrets: { api: { token: "correct-horse" } },
  });
  deepEqual((await engine.run({})).outputs, { a: ["NotCapable", "NotCapable", "correct-horse"] });
});

Deno.test("a reload keeps the secrets that can be read once only", async () => {
  await using engine = await RunningEngine.start({
    nodes: { a: "export default (ctx) => ctx.secrets.api.token + 1;" },
    secrets: { api: { token: "correct-horse" } },
    args: ["--watch"],
  });
  deepEqual((await engine.run({})).outputs, { a: "correct-horse1" });
  const changed = "export default (ctx) => ctx.secrets.api.token + 2;";
  await Deno.writeTextFile(`${engine.directory}/nodes/a.ts`, changed);
  await engine.line(/reloaded/);
  deepEqual((await engine.run({})).outputs, { a: "correct-horse2" });
});
