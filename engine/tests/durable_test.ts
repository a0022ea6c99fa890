import { deepEqual, equal, match } from "node:assert/strict";
import { headers, jetstream, jetstreamManager, type NatsConnection } from "../vendor/nats.js";
import { engineFor } from "../core/testdata/engines.ts";
import { receiveDurably } from "../edge/durable.ts";
import { DURABLE, durableParts, finished } from "./durable.ts";
import { type EngineOptions, RunningEngine } from "./harness.ts";
import { NatsServer, TOKEN } from "./nats_server.ts";

const ECHO = 'export default (ctx, input) => { ctx.log.info("handled", input.i); return input; };';
const FAIL = "export default () => { throw new Error('will not do'); };";

function options(server: NatsServer, trigger: object, node: string): EngineOptions {
  return {
    nodes: { n: node },
    workflow: {
      triggers: [{ type: "queue", durable: true, ...trigger }],
      config: { nats_url: server.url },
    },
    secrets: { nats: { token: TOKEN } },
    net: [server.url],
    args: ["--instance", "ns/tested"],
  };
}

async function startEngine(
  server: NatsServer,
  trigger: object,
  node = ECHO,
): Promise<RunningEngine> {
  const engine = await RunningEngine.start(options(server, trigger, node));
  await engine.line(/receiving from stream/);
  return engine;
}

interface DeadLetter {
  readonly subject: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The first `count` letters of the stream of dead letters, waiting for them. */
async function deadLetters(client: NatsConnection, count: number): Promise<DeadLetter[]> {
  const manager = await jetstreamManager(client);
  await manager.consumers.add("dead-letters_dlq", {
    durable_name: "reader",
    ack_policy: "explicit",
    deliver_policy: "all",
    filter_subject: "dlq.>",
    ack_wait: 60_000_000_000,
    max_deliver: -1,
  });
  const consumer = await jetstream(client).consumers.get("dead-letters_dlq", "reader");
  const letters: DeadLetter[] = [];
  const batch = await consumer.fetch({ max_messages: count, expires: 30_000 });
  for await (const { subject, data, headers } of batch) {
    const named = [...headers ?? []].map(([name, [value = ""]]) => [name, value]);
    const text = new TextDecoder().decode(data);
    letters.push({ subject, text, headers: Object.fromEntries(named) });
  }
  return letters;
}

Deno.test("a message is acknowledged after its run, with the stream made when missing", async () => {
  await using server = await NatsServer.start("-js");
  await using engine = await startEngine(server, { subject: "jobs.*" });
  const client = await server.client();
  const publisher = jetstream(client);
  for (let i = 0; i < 20; i++) await publisher.publish("jobs.a", `{"i": ${i}}`);
  await finished(client, "ns_tested_jobs=2e=2a", "ns_tested_jobs=2e=2a");
  await engine.stop("SIGTERM");
  const handled = engine.lines.filter((line) => line.includes("handled"));
  equal(handled.length, 20);
  await client.close();
});

Deno.test("what was published while no engine ran is not lost", async () => {
  await using server = await NatsServer.start("-js");
  const first = await startEngine(server, { subject: "jobs" });
  await first.stop("SIGINT");
  const client = await server.client();
  await jetstream(client).publish("jobs", '{"i": 7}');
  await using second = await startEngine(server, { subject: "jobs" });
  await second.line(/handled 7/);
  await client.close();
});

Deno.test("a stream that is there is used, and kept as it is", async () => {
  await using server = await NatsServer.start("-js");
  const client = await server.client();
  const manager = await jetstreamManager(client);
  await manager.streams.add({
    name: "mine",
    subjects: ["jobs.>"],
    retention: "limits",
    storage: "file",
  });
  await jetstream(client).publish("jobs.a", '{"i": 1}');
  await using engine = await startEngine(server, { subject: "jobs.a" });
  await engine.line(/receiving from stream mine/);
  await engine.line(/handled 1/);
  equal((await manager.streams.info("mine")).config.retention, "limits");
  await client.close();
});

Deno.test("a stream that holds only a part of the subject is a clear error, and HTTP goes on", async () => {
  await using server = await NatsServer.start("-js");
  const client = await server.client();
  const manager = await jetstreamManager(client);
  await manager.streams.add({ name: "part", subjects: ["jobs.a"], storage: "file" });
  await using engine = await RunningEngine.start(options(server, { subject: "jobs.*" }, ECHO));
  match(
    await engine.line(/ERROR/),
    /queue trigger jobs\.\* is down: the stream part holds only a part of jobs\.\* \(it holds jobs\.a\)/,
  );
  equal((await engine.run({})).success, true);
  await manager.streams.delete("part");
  await engine.line(/receiving from stream/);
  await client.close();
});

Deno.test("a server without JetStream is a clear error, and HTTP goes on", async () => {
  await using server = await NatsServer.start();
  await using engine = await RunningEngine.start(options(server, { subject: "jobs" }, ECHO));
  match(await engine.line(/ERROR/), /queue trigger jobs is down: jetstream is not enabled/i);
  equal((await engine.run({})).success, true);
});

Deno.test("a message whose runs all fail becomes a dead letter, with the reason", async () => {
  await using server = await NatsServer.start("-js");
  await using engine = await startEngine(server, { subject: "jobs.*", max_deliver: 2 }, FAIL);
  const client = await server.client();
  await jetstream(client).publish("jobs.a", '{"i": 1}', { msgID: "first" });
  await engine.line(/gave up, dead letter on dlq\.jobs\.a/);
  const [letter] = await deadLetters(client, 1);
  equal(letter?.subject, "dlq.jobs.a");
  equal(letter?.text, '{"i": 1}');
  const { headers = {} } = letter ?? {};
  equal(headers["Tentacular-Error"], "node n threw: will not do");
  deepEqual([headers["Tentacular-Deliveries"], headers["Tentacular-Sequence"]], ["2", "1"]);
  match(headers["Tentacular-Run-Id"] ?? "", /^[0-9a-f-]{36}$/);
  await finished(client, "ns_tested_jobs=2e=2a", "ns_tested_jobs=2e=2a");
  await client.close();
});

Deno.test("a run that a shutdown ends is another engine's, and no failure", async () => {
  await using server = await NatsServer.start("-js");
  const node = `export default (ctx, input) => {
    ctx.log.info("waiting");
    return ctx.secrets.mode.value === "stuck" ? new Promise(() => {}) : "done";
  };`;
  const base = options(server, { subject: "jobs", max_deliver: 1 }, node);
  const nats = { token: TOKEN };
  const args = [...base.args ?? [], "--grace", "2s"];
  await using first = await RunningEngine.start({
    ...base,
    args,
    secrets: { nats, mode: { value: "stuck" } },
  });
  await first.line(/receiving from stream/);
  const client = await server.client();
  await jetstream(client).publish("jobs", "{}");
  await first.line(/waiting/);
  equal(await first.stop("SIGINT"), 0);
  await using second = await RunningEngine.start({
    ...base,
    secrets: { nats, mode: { value: "free" } },
  });
  await second.line(/waiting/);
  await finished(client, "ns_tested_jobs", "ns_tested_jobs");
  equal([...first.lines, ...second.lines].some((line) => line.includes("gave up")), false);
  await client.close();
});

Deno.test("the lag of a queue is in the metrics", async () => {
  await using server = await NatsServer.start("-js");
  const node =
    'export default (ctx) => { ctx.log.info("waiting"); return new Promise(() => {}); };';
  await using engine = await startEngine(server, { subject: "jobs", concurrency: 1 }, node);
  const client = await server.client();
  for (let i = 0; i < 3; i++) await jetstream(client).publish("jobs", "{}");
  await engine.line(/waiting/);
  const text = await (await fetch(`${engine.url}/metrics`)).text();
  match(text, /tentacular_queue_lag\{subject="jobs"\} 3/);
  match(text, /tentacular_runs_in_flight 1/);
  await client.close();
});

Deno.test("a run longer than the server waits keeps its message to itself", async () => {
  await using server = await NatsServer.start("-js");
  const connection = await server.client();
  const gate = Promise.withResolvers<string>();
  let runs = 0;
  const engine = engineFor(() => (runs++, gate.promise));
  const trigger = { ...DURABLE, subject: "jobs" };
  const parts = durableParts({ connection, engine, group: "ns_long", trigger });
  const receiver = receiveDurably(parts, trigger, 300);
  for (let turn = 0; turn < 500 && runs === 0; turn++) {
    await jetstream(connection).publish("jobs", "{}", { msgID: "only" }).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  // Many times what the server waits for; without a sign of life there would be more runs.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  equal(runs, 1);
  gate.resolve("done");
  await finished(connection, "ns_long_jobs", "ns_long_jobs");
  await receiver.drain();
  await connection.close();
});

Deno.test("a message that no engine survives is buried without another try", async () => {
  await using server = await NatsServer.start("-js");
  const connection = await server.client();
  let runs = 0;
  const engine = engineFor(() => (runs++, "never"));
  // Below one, as if it had been delivered far too often already.
  const trigger = { ...DURABLE, subject: "jobs", maxDeliver: -4 };
  const parts = durableParts({ connection, engine, group: "ns_lethal", trigger });
  const receiver = receiveDurably(parts, trigger);
  const publisher = jetstream(connection);
  for (let turn = 0; turn < 500; turn++) {
    const published = await publisher.publish("jobs", "{}", { msgID: "only" }).then(
      () => true,
      () => false,
    );
    if (published) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await finished(connection, "ns_lethal_jobs", "ns_lethal_jobs");
  const [letter] = await deadLetters(connection, 1);
  match(letter?.headers["Tentacular-Error"] ?? "", /no engine survived it/);
  equal(runs, 0);
  await receiver.drain();
  await connection.close();
});

Deno.test("a dead letter that fails again is not buried again", async () => {
  await using server = await NatsServer.start("-js");
  await using engine = await startEngine(server, { subject: "jobs", max_deliver: 1 }, FAIL);
  const client = await server.client();
  const marked = headers();
  marked.set("Tentacular-Deliveries", "5");
  await jetstream(client).publish("jobs", "{}", { headers: marked });
  await engine.line(/gave up a dead letter, which gets no further one/);
  await finished(client, "ns_tested_jobs", "ns_tested_jobs");
  const manager = await jetstreamManager(client);
  equal((await manager.streams.info("dead-letters_dlq")).state.messages, 0);
  await client.close();
});

Deno.test("a dead letter that is too large for the server is buried without its data", async () => {
  await using server = await NatsServer.start("-js");
  await using engine = await startEngine(server, { subject: "jobs", max_deliver: 1 }, FAIL);
  const client = await server.client();
  const largest = JSON.stringify("x".repeat(1024 * 1024 - 10));
  await jetstream(client).publish("jobs", largest);
  await engine.line(/gave up, dead letter on dlq\.jobs/);
  const [letter] = await deadLetters(client, 1);
  equal(letter?.text, "");
  match(letter?.headers["Tentacular-Data"] ?? "", /left out, 1048568 bytes/);
  await client.close();
});
