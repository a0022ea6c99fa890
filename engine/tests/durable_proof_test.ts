/**
 * Nothing is lost: three engines, one of them killed every second for a while, and a server that is
 * killed and started again, while messages have effects that can be counted.
 */

import { deepEqual, equal } from "node:assert/strict";
import { jetstream, jetstreamManager, type NatsConnection } from "../vendor/nats.js";
import { type EngineOptions, RunningEngine } from "./harness.ts";
import { NatsServer, TOKEN } from "./nats_server.ts";

const MESSAGES = 2_000;
const ENGINES = 3;
const FAILING_EVERY = 100;

/**
 * For more than the 30 s after which a silent engine's messages are another's, so that some are lost twice; and for less
 * than it takes to lose one four times: such a message counts as one that kills engines, and is given up.
 */
const KILLS = 35;

/** Far more than it takes; a lost message is what would reach it. */
const MAX_SECONDS = 240;

function isFailing(i: number): boolean {
  return i % FAILING_EVERY === 0;
}

function options(server: NatsServer, effects: string): EngineOptions {
  const node = `export default async (_ctx, { i }) => {
    await new Promise((resolve) => setTimeout(resolve, 250));
    if (i % ${FAILING_EVERY} === 0) throw new Error("made to fail");
    await Deno.writeTextFile("${effects}/" + i, "x", { append: true });
    return i;
  };`;
  const trigger = {
    type: "queue",
    durable: true,
    subject: "jobs",
    "max_deliver": 2,
    concurrency: 16,
  };
  return {
    nodes: { n: node },
    workflow: { triggers: [trigger], config: { nats_url: server.url } },
    secrets: { nats: { token: TOKEN } },
    net: [server.url],
    args: ["--instance", "ns/proof"],
  };
}

Deno.test("of 2000 messages none is lost, and dead letters are exactly those made to fail", async () => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await NatsServer.start("-js"));
  const effects = await Deno.makeTempDir({ prefix: "effects-" });
  stack.defer(() => Deno.remove(effects, { recursive: true }));
  await Deno.chmod(effects, 0o777);
  const engines: RunningEngine[] = [];
  stack.defer(async () => {
    for (const engine of engines) await engine[Symbol.asyncDispose]();
  });
  for (let i = 0; i < ENGINES; i++) {
    engines.push(await RunningEngine.start(options(server, effects)));
  }
  await Promise.all(engines.map((it) => it.line(/receiving from stream/)));
  const client = await server.client();
  await publishAll(client);

  let kills = 0;
  let seconds = 0;
  while (!await isDone(client, effects)) {
    equal(++seconds < MAX_SECONDS, true, "messages are missing");
    // About every second, and by chance: a steady beat that divides the 30 s after which a silent
    // engine's messages are another's would kill the same messages' engine again and again.
    await new Promise((resolve) => setTimeout(resolve, 500 + 1_000 * Math.random()));
    if (kills === KILLS) continue;
    const victim = Math.floor(ENGINES * Math.random());
    kills++;
    await engines[victim]?.stop("SIGKILL");
    if (seconds === 4) await server.restart();
    engines[victim] = await RunningEngine.start(options(server, effects));
  }

  const runs = await effectsOf(effects);
  const expected = Array.from({ length: MESSAGES }, (_, i) => i).filter((i) => !isFailing(i));
  deepEqual([...runs.keys()].sort((a, b) => a - b), expected);
  deepEqual(
    await deadOnes(client),
    Array.from({ length: MESSAGES }, (_, i) => i).filter(isFailing),
  );
  const doubled = [...runs.values()].filter((count) => count > 1).length;
  console.log(
    `${kills} engines killed, the server once; ${doubled} of ${MESSAGES} ran more than once`,
  );
  await client.close();
});

async function publishAll(client: NatsConnection): Promise<void> {
  const publisher = jetstream(client);
  for (let i = 0; i < MESSAGES; i++) await publisher.publish("jobs", JSON.stringify({ i }));
}

/** How often each message had its effect. */
async function effectsOf(directory: string): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  for await (const { name } of Deno.readDir(directory)) {
    counts.set(Number(name), (await Deno.readTextFile(`${directory}/${name}`)).length);
  }
  return counts;
}

async function isDone(client: NatsConnection, effects: string): Promise<boolean> {
  const failing = MESSAGES / FAILING_EVERY;
  const effected = (await Array.fromAsync(Deno.readDir(effects))).length;
  if (effected < MESSAGES - failing) return false;
  const manager = await jetstreamManager(client);
  const { state } = await manager.streams.info("dead-letters_dlq");
  return state.messages >= failing;
}

async function deadOnes(client: NatsConnection): Promise<number[]> {
  const manager = await jetstreamManager(client);
  const stream = "dead-letters_dlq";
  await manager.consumers.add(stream, {
    durable_name: "reader",
    ack_policy: "explicit",
    deliver_policy: "all",
    filter_subject: "dlq.jobs",
    ack_wait: 60_000_000_000,
    max_deliver: -1,
  });
  const { state } = await manager.streams.info(stream);
  const consumer = await jetstream(client).consumers.get(stream, "reader");
  const found: number[] = [];
  const batch = await consumer.fetch({ max_messages: state.messages, expires: 30_000 });
  for await (const { data } of batch) found.push(JSON.parse(new TextDecoder().decode(data)).i);
  return found.sort((a, b) => a - b);
}
