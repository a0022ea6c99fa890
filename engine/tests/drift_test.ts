/** What others have made of a durable trigger's stream and consumer: put right, or told. */

import { deepEqual, equal, match } from "node:assert/strict";
import type { ConsumerConfig } from "../vendor/nats.js";
import { jetstream, jetstreamManager, type NatsConnection } from "../vendor/nats.js";
import { type EngineOptions, RunningEngine } from "./harness.ts";
import { NatsServer, TOKEN } from "./nats_server.ts";

const ECHO = 'export default (ctx, input) => { ctx.log.info("handled", input.i); return input; };';

/** In nanoseconds. */
const SECOND = 1_000_000_000;

function options(server: NatsServer, triggers: readonly object[]): EngineOptions {
  return {
    nodes: { n: ECHO },
    workflow: {
      triggers: triggers.map((it) => ({ type: "queue", durable: true, ...it })),
      config: { nats_url: server.url },
    },
    secrets: { nats: { token: TOKEN } },
    net: [server.url],
    args: ["--instance", "ns/tested"],
  };
}

async function startEngine(server: NatsServer, ...triggers: object[]): Promise<RunningEngine> {
  return await RunningEngine.start(options(server, triggers));
}

/** The consumer that a trigger called `hook` has, as somebody else has made it. */
async function makeConsumer(
  client: NatsConnection,
  change: Partial<ConsumerConfig>,
): Promise<void> {
  const manager = await jetstreamManager(client);
  await manager.streams.add({ name: "mine", subjects: ["jobs.>"], storage: "file" });
  await manager.consumers.add("mine", {
    durable_name: "ns_tested_hook",
    ack_policy: "explicit",
    deliver_policy: "all",
    ack_wait: 30 * SECOND,
    max_deliver: -1,
    filter_subject: "jobs.a",
    ...change,
  });
}

Deno.test("a consumer whose settings others have changed is put right, and the log says which", async () => {
  await using server = await NatsServer.start("-js");
  const client = await server.client();
  await makeConsumer(client, { ack_wait: SECOND, max_deliver: 2, filter_subject: "jobs.b" });
  await using engine = await startEngine(server, { name: "hook", subject: "jobs.a" });
  match(
    await engine.line(/put the consumer/),
    /ns_tested_hook right again: ack_wait was 1000000000, max_deliver was 2, filter_subject was jobs\.b/,
  );
  await engine.line(/is up: receiving from stream mine/);
  await jetstream(client).publish("jobs.a", '{"i": 1}');
  await engine.line(/handled 1/);
  const { config } = await (await jetstreamManager(client)).consumers.info(
    "mine",
    "ns_tested_hook",
  );
  deepEqual(
    [config.ack_wait, config.max_deliver, config.filter_subject],
    [30 * SECOND, -1, "jobs.a"],
  );
  await client.close();
});

Deno.test("a trigger that is given another subject goes on with its consumer", async () => {
  await using server = await NatsServer.start("-js");
  const client = await server.client();
  const manager = await jetstreamManager(client);
  await manager.streams.add({ name: "mine", subjects: ["jobs.>"], storage: "file" });
  const first = await startEngine(server, { name: "hook", subject: "jobs.a" });
  await first.line(/is up/);
  await first.stop("SIGINT");
  await using second = await startEngine(server, { name: "hook", subject: "jobs.b" });
  await second.line(/is up/);
  await jetstream(client).publish("jobs.b", '{"i": 2}');
  await second.line(/handled 2/);
  await client.close();
});

Deno.test("a stream that the engine has made follows its trigger's subject, and loses nothing", async () => {
  await using server = await NatsServer.start("-js");
  const client = await server.client();
  const first = await startEngine(server, { name: "hook", subject: "jobs.a" });
  await first.line(/is up/);
  await first.stop("SIGINT");
  await jetstream(client).publish("jobs.a", '{"i": 1}');
  await using second = await startEngine(server, { name: "hook", subject: "other.*" });
  await second.line(/changed the subject of the stream ns_tested_hook, which held jobs\.a/);
  await second.line(/handled 1/);
  await jetstream(client).publish("other.b", '{"i": 2}');
  await second.line(/handled 2/);
  await client.close();
});

Deno.test("what cannot be put right is in the log, in the health and in the metrics", async () => {
  await using server = await NatsServer.start("-js");
  const client = await server.client();
  await makeConsumer(client, { ack_policy: "none" });
  await using engine = await startEngine(server, { name: "hook", subject: "jobs.a" });
  const problem = "the consumer ns_tested_hook of the stream mine has ack_policy none, and the " +
    "server cannot change that: delete it, and the engine makes it anew";
  const line = await engine.line(/ERROR/);
  equal(line, `[engine] ERROR queue trigger jobs.a is down: ${problem}`);
  const health = await fetch(`${engine.url}/health`);
  deepEqual([health.status, await health.json()], [200, {
    status: "degraded",
    queues: { "jobs.a": problem },
  }]);
  const metrics = async (): Promise<string> => await (await fetch(`${engine.url}/metrics`)).text();
  match(await metrics(), /tentacular_trigger_up\{subject="jobs.a",trigger="hook"\} 0/);
  match(await metrics(), /tentacular_queue_lag\{subject="jobs.a",trigger="hook"\} NaN/);
  await (await jetstreamManager(client)).consumers.delete("mine", "ns_tested_hook");
  await engine.line(/is up/);
  match(await metrics(), /tentacular_trigger_up\{subject="jobs.a",trigger="hook"\} 1/);
  match(await metrics(), /tentacular_queue_lag\{subject="jobs.a",trigger="hook"\} 0/);
  deepEqual(await (await fetch(`${engine.url}/health`)).json(), { status: "ok" });
  await client.close();
});

Deno.test("a stream of the trigger's name that is somebody else's is left alone", async () => {
  await using server = await NatsServer.start("-js");
  const client = await server.client();
  const manager = await jetstreamManager(client);
  await manager.streams.add({ name: "ns_tested_hook", subjects: ["theirs"], storage: "file" });
  await using engine = await startEngine(server, { name: "hook", subject: "jobs.a" });
  match(
    await engine.line(/ERROR/),
    /the stream ns_tested_hook holds theirs and was not made here: add jobs\.a to it, or delete it/,
  );
  await manager.streams.update("ns_tested_hook", { subjects: ["theirs", "jobs.a"] });
  await engine.line(/is up/);
  await client.close();
});

Deno.test("what an earlier trigger has left is told, with the command that removes it", async () => {
  await using server = await NatsServer.start("-js");
  const client = await server.client();
  const manager = await jetstreamManager(client);
  await manager.streams.add({ name: "mine", subjects: ["jobs.>"], storage: "file" });
  const first = await startEngine(server, { name: "before", subject: "jobs.a" });
  await first.line(/is up/);
  await first.stop("SIGINT");
  await using second = await startEngine(server, { name: "after", subject: "jobs.a" });
  const line = await second.line(/WARN/);
  match(line, /nats consumer rm mine ns_tested_before$/);
  await client.close();
});

Deno.test("deliver: new leaves out what was published before the consumer was there", async () => {
  await using server = await NatsServer.start("-js");
  const client = await server.client();
  const manager = await jetstreamManager(client);
  await manager.streams.add({ name: "mine", subjects: ["jobs.>"], storage: "file" });
  await jetstream(client).publish("jobs.a", '{"i": 1}');
  const [fresh, whole] = [{ name: "fresh", deliver: "new" }, { name: "whole", deliver: "all" }];
  await using engine = await startEngine(
    server,
    ...[fresh, whole].map((it) => ({ ...it, subject: "jobs.a" })),
  );
  await engine.matching(/is up: receiving/, 2);
  await engine.line(/handled 1/);
  await jetstream(client).publish("jobs.a", '{"i": 2}');
  await jetstream(client).publish("jobs.a", '{"i": 3}');
  await engine.matching(/handled [23] /, 4);
  await engine.stop("SIGTERM");
  const handled = (i: number): number =>
    engine.lines.filter((it) => it.includes(`handled ${i} `)).length;
  deepEqual([1, 2, 3].map(handled), [1, 2, 2]);
  await client.close();
});

Deno.test("streams that the engine makes are bounded, and so are those it has made before", async () => {
  await using server = await NatsServer.start("-js");
  const client = await server.client();
  const manager = await jetstreamManager(client);
  const description = "made by tentacular";
  await manager.streams.add({ name: "old", subjects: ["old.>"], storage: "file", description });
  await manager.streams.add({ name: "theirs", subjects: ["theirs.>"], storage: "file" });
  await using engine = await startEngine(
    server,
    { subject: "jobs", name: "own" },
    { subject: "old.a", dlq: "a.b" },
    { subject: "theirs.a", dlq: "a_b" },
  );
  await engine.line(/queue trigger jobs is up/);
  await engine.line(/queue trigger old\.a is up/);
  await engine.line(/queue trigger theirs\.a is up/);
  const bounds = async (name: string): Promise<unknown[]> => {
    const { config } = await manager.streams.info(name);
    return [config.max_age, config.max_bytes, config.discard];
  };
  const [month, mib] = [30 * 24 * 3600 * SECOND, 1024 * 1024];
  deepEqual(await bounds("ns_tested_own"), [month, 256 * mib, "new"]);
  deepEqual(await bounds("old"), [month, 256 * mib, "old"]);
  deepEqual(await bounds("dead-letters_dlq"), [month, 256 * mib, "old"]);
  deepEqual(await bounds("dead-letters_a=2eb"), [month, 256 * mib, "old"]);
  deepEqual(await bounds("dead-letters_a_b"), [month, 256 * mib, "old"]);
  deepEqual(await bounds("theirs"), [0, -1, "old"]);
  await client.close();
});

Deno.test("a local engine gets what is published from now on, and leaves nothing behind", async () => {
  await using server = await NatsServer.start("-js");
  const client = await server.client();
  const manager = await jetstreamManager(client);
  await manager.streams.add({
    name: "mine",
    subjects: ["jobs.>"],
    storage: "file",
    retention: "interest",
  });
  const local = { ...options(server, [{ subject: "jobs.a" }]), args: [] };
  await using engine = await RunningEngine.start(local);
  await engine.line(/is up/);
  const name = "local_tested_jobs=2ea";
  const { config } = await manager.consumers.info("mine", name);
  equal(config.inactive_threshold, 300 * SECOND);
  await jetstream(client).publish("jobs.a", '{"i": 1}');
  await engine.line(/handled 1/);
  equal(await engine.stop("SIGINT"), 0);
  equal(engine.lines.some((it) => it.includes("WARN")), false, engine.lines.join("\n"));
  deepEqual(await Array.fromAsync(manager.consumers.list("mine")), []);
  deepEqual(await Array.fromAsync(manager.streams.names()), ["mine"]);
  await client.close();
});

Deno.test("a local engine makes no stream", async () => {
  await using server = await NatsServer.start("-js");
  const local = { ...options(server, [{ subject: "jobs.a" }]), args: [] };
  await using engine = await RunningEngine.start(local);
  match(await engine.line(/ERROR/), /no stream holds jobs\.a: create one/);
  const client = await server.client();
  const manager = await jetstreamManager(client);
  deepEqual(await Array.fromAsync(manager.streams.names()), []);
  await client.close();
});
