/** What nodes get to know of the machine, and what they read of what they may not reach. */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { HOST_NAME, RELEASE } from "../core/machine.ts";
import { type EngineOptions, RunningEngine } from "./harness.ts";

async function output(node: string, options: Partial<EngineOptions> = {}): Promise<unknown> {
  await using engine = await RunningEngine.start({ ...options, nodes: { a: node } });
  const { errors, outputs } = await engine.run({});
  deepEqual(errors, []);
  return outputs["a"];
}

/** The only error of a run, and how long the run took. */
async function failure(node: string): Promise<{ error: string; took: number }> {
  await using engine = await RunningEngine.start({
    nodes: { a: node },
    workflow: { config: { timeout: "20s", retries: 2 } },
  });
  const { errors, timing } = await engine.run({});
  equal(errors.length, 1);
  return { error: errors[0] ?? "", took: timing.durationMs };
}

Deno.test("a node is told the same of every machine, in every way of asking", async () => {
  const node = `
    import os, { hostname, release } from "node:os";
    import * as all from "node:os";
    import nodeProcess, { getuid } from "node:process";
    import { createRequire } from "node:module";
    const required = createRequire(import.meta.url)("os");
    export default () => ({
      hostnames: [hostname, os.hostname, all.hostname, required.hostname, Deno.hostname]
        .map((it) => it()),
      releases: [release, os.release, required.release, Deno.osRelease].map((it) => it()),
      uids: [getuid, nodeProcess.getuid, process.getuid, Deno.uid].map((it) => it()),
      user: os.userInfo().username,
      home: os.homedir(),
      interfaces: [os.networkInterfaces(), Deno.networkInterfaces()],
      loads: [os.loadavg(), Deno.loadavg()],
      memory: os.totalmem() === Deno.systemMemoryInfo().total,
      processors: os.cpus().length === os.availableParallelism(),
      uptime: os.uptime() < 60 && Deno.osUptime() < 60,
      umask: process.umask(),
    });
  `;
  deepEqual(await output(node), {
    hostnames: Array(5).fill(HOST_NAME),
    releases: Array(4).fill(RELEASE),
    uids: Array(4).fill(65534),
    user: "nobody",
    home: "/tmp",
    interfaces: [{}, []],
    loads: [[0, 0, 0], [0, 0, 0]],
    memory: true,
    processors: true,
    uptime: true,
    umask: 0o022,
  });
});

Deno.test("every function of node:os answers", async () => {
  const node = `
    import os from "node:os";
    export default () => Object.entries(os)
      .filter(([name, it]) => typeof it === "function" && !name.startsWith("set"))
      .flatMap(([name, it]) => {
        try { it(); return []; } catch (error) { return [name + ": " + error.message]; }
      });
  `;
  deepEqual(await output(node), []);
});

Deno.test("a Worker of a node is told no more by node:os", async () => {
  const source = `import os from "node:os"; postMessage(os.hostname());`;
  const node = `
    export default () => new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./other.ts", import.meta.url), { type: "module" });
      worker.onmessage = ({ data }) => { worker.terminate(); resolve(data); };
      worker.onerror = (it) => { it.preventDefault(); reject(new Error(it.message)); };
    });
  `;
  equal(await output(node, { files: { "nodes/other.ts": source } }), HOST_NAME);
});

Deno.test("a host that is not in the contract is told with the line to add", async () => {
  const line = "node a threw: api.example.com:443 is not in the contract; add to workflow.yaml: " +
    "contract.dependencies.example: {protocol: https, host: api.example.com}";
  const { error } = await failure(`export default () => fetch("https://api.example.com/x");`);
  equal(error, line);
});

Deno.test("a refusal is not tried again, neither by the engine nor by a library", async () => {
  const library = `
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    export default async () => {
      for (let tries = 0; ; tries++) {
        try { return await fetch("https://api.example.com/x"); } catch (error) {
          if (tries === 3) throw new Error("Unable to connect", { cause: error });
          await pause((tries + 1) ** 2 * 1_000);
        }
      }
    };
    console;
  `;
  const { error, took } = await failure(library);
  match(
    error,
    /^node a threw: api\.example\.com:443 is not in the contract; add to workflow\.yaml/,
  );
  ok(took < 4_000, String(took));
});

Deno.test("a client that reconnects for ever ends with what it was refused", async () => {
  const client = `
    import net from "node:net";
    import "node:os";
    const connect = () => net.connect(6379, "cache.data.svc.cluster.local")
      .on("error", () => setTimeout(connect, 50));
    export default () => new Promise(connect);
    console;
  `;
  const { error } = await failure(client);
  match(error, /^node a threw: cache\.data\.svc\.cluster\.local is not in the contract; add/);
});

Deno.test("a node whose time is over says what it was refused", async () => {
  const node = `export default async () => {
    await fetch("https://api.example.com/x").catch(() => {});
    await new Promise(() => {});
  };
  console;`;
  const options = { nodes: { a: node }, workflow: { config: { timeout: "1s" } } };
  await using engine = await RunningEngine.start(options);
  const { errors } = await engine.run({});
  match(errors[0] ?? "", /^node a threw: timed out after 1s \(api\.example\.com:443 is not in the/);
});

Deno.test("a request that is refused once is the node's to handle", async () => {
  const node = `
    export default async () => {
      const names = [];
      for (const path of ["x", "y"]) {
        await fetch("https://api.example.com/" + path).catch((error) => names.push(error.name));
      }
      return names;
    };
    console;
  `;
  deepEqual(await output(node), ["NotCapable", "NotCapable"]);
});

Deno.test("what a node prints of a refusal is explained as well", async () => {
  const node = `
    export default async (ctx) => {
      await fetch("https://api.example.com/x").catch((error) => ctx.log.error(error));
      return 1;
    };
  `;
  await using engine = await RunningEngine.start({ nodes: { a: node } });
  await engine.run({});
  const line = await engine.line(/ERROR/);
  match(line, /NotCapable: api\.example\.com:443 is not in the contract/);
  ok(!line.includes("--allow-net"), line);
});

Deno.test("code that was CommonJS finds its own directory", async () => {
  const node =
    `export default () => [__dirname + "/a.ts" === __filename, import.meta.filename === __filename];`;
  deepEqual(await output(node), [true, true]);
});
