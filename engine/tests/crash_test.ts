/** Messages that engines die of: found out, run alone, and given up. */

import { deepEqual, equal, match } from "node:assert/strict";
import type { Json } from "../mod.ts";
import { engineFor } from "../core/testdata/engines.ts";
import { receiveDurably } from "../edge/durable.ts";
import { Journal } from "../edge/journal.ts";
import type { Receiver } from "../edge/queue.ts";
import { Session } from "../edge/session.ts";
import { jetstream, jetstreamManager, type NatsConnection } from "../vendor/nats.js";
import { DURABLE, durableParts, eventually, finished } from "./durable.ts";
import { NatsServer, TOKEN } from "./nats_server.ts";

const TRIGGER = { ...DURABLE, subject: "jobs", maxDeliver: 2, concurrency: 8 } as const;

/** What the server waits before a silent engine's messages are another's. */
const ACK_WAIT_MS = 500;

/** An engine that dies at a message: it falls silent, with whatever else it has at the time. */
class Mortal {
  readonly #release = Promise.withResolvers<Json>();
  readonly #connection: NatsConnection;
  readonly #receiver: Receiver;
  /** Messages whose runs began, and those that were under way at the death. */
  readonly began: number[] = [];
  readonly died = Promise.withResolvers<readonly number[]>();

  private constructor(connection: NatsConnection, journal: Journal) {
    this.#connection = connection;
    const underWay = new Set<number>();
    const engine = engineFor(async (_ctx, input) => {
      const { i } = input as { i: number };
      this.began.push(i);
      underWay.add(i);
      if (i === CULPRIT) {
        // Others that came with it have begun by now, unless it was to run alone.
        await new Promise((resolve) => setTimeout(resolve, 100));
        this.died.resolve([...underWay]);
        await connection.close();
        return await this.#release.promise;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
      underWay.delete(i);
      return i;
    });
    const parts = durableParts({
      connection,
      engine,
      group: "ns_mortal",
      trigger: TRIGGER,
      journal,
    });
    this.#receiver = receiveDurably(parts, TRIGGER, ACK_WAIT_MS);
  }

  static async start(server: NatsServer, journal: Journal): Promise<Mortal> {
    return new Mortal(await server.client(), journal);
  }

  async bury(): Promise<void> {
    this.#release.resolve(null);
    await this.#receiver.drain();
    await this.#connection.close();
  }
}

const CULPRIT = 3;

async function prepare(server: NatsServer): Promise<NatsConnection> {
  const client = await server.client();
  const manager = await jetstreamManager(client);
  await manager.streams.add({ name: "mine", subjects: ["jobs"], storage: "file" });
  return client;
}

/** Engines one after the other, until the message is given up: what each had under way as it died. */
async function deathsUntilGivenUp(
  server: NatsServer,
  client: NatsConnection,
  journal: () => Journal,
): Promise<{ deaths: (readonly number[])[]; done: number[] }> {
  const manager = await jetstreamManager(client);
  const letters = async (): Promise<number> => {
    const stream = await manager.streams.info("dead-letters_dlq").catch(() => undefined);
    return stream?.state.messages ?? 0;
  };
  const deaths: (readonly number[])[] = [];
  const done: number[] = [];
  const buried: Promise<void>[] = [];
  for (;;) {
    const engine = await Mortal.start(server, journal());
    const givenUp = eventually("a dead letter", async () => await letters() > 0);
    const death = await Promise.race([engine.died.promise, givenUp.then(() => undefined)]);
    if (death === undefined) {
      await finished(client, "mine", "ns_mortal_jobs");
      equal(await letters(), 1, "no other message is given up");
      done.push(...engine.began);
      await Promise.all([...buried, engine.bury()]);
      return { deaths, done: [...new Set(done)].sort() };
    }
    deaths.push(death);
    done.push(...engine.began.filter((it) => !death.includes(it)));
    buried.push(engine.bury());
    givenUp.catch(() => {});
  }
}

Deno.test("a message that kills engines kills others with it once, and is given up in time", async () => {
  await using server = await NatsServer.start("-js");
  const client = await prepare(server);
  const directory = await Deno.makeTempDir({ prefix: "journal-" });
  for (let i = 0; i < 6; i++) await jetstream(client).publish("jobs", JSON.stringify({ i }));
  const journal = (): Journal => Journal.open(directory);
  const { deaths, done } = await deathsUntilGivenUp(server, client, journal);
  equal(deaths.length <= 2 * TRIGGER.maxDeliver, true, `${deaths.length} deaths`);
  equal(deaths[0]?.includes(CULPRIT), true);
  equal(deaths.slice(1).every((it) => it.length === 1), true, "it runs alone from then on");
  deepEqual(done, [0, 1, 2, 4, 5], "the others are done, and it is not tried again");
  await client.close();
  await Deno.remove(directory, { recursive: true });
});

Deno.test("where nobody takes notes, what engines die of runs alone the last time", async () => {
  await using server = await NatsServer.start("-js");
  const client = await prepare(server);
  for (let i = 0; i < 6; i++) await jetstream(client).publish("jobs", JSON.stringify({ i }));
  const { deaths, done } = await deathsUntilGivenUp(server, client, () => Journal.none);
  equal(deaths.length <= 2 * TRIGGER.maxDeliver, true, `${deaths.length} deaths`);
  deepEqual(deaths.at(-1), [CULPRIT]);
  deepEqual(done, [0, 1, 2, 4, 5]);
  await client.close();
});

Deno.test("a client that closes by itself is replaced", async () => {
  await using server = await NatsServer.start("-js");
  const client = await prepare(server);
  const runs: Json[] = [];
  const lines: string[] = [];
  const engine = engineFor((_ctx, input) => (runs.push(input as Json), 1));
  const log = Object.fromEntries(
    ["debug", "info", "warn", "error"].map((level) => [level, (text: string) => lines.push(text)]),
  ) as never;
  const connections: NatsConnection[] = [];
  const session = new Session({
    settings: { url: server.url, token: TOKEN, triggers: [TRIGGER] },
    ...{ engine, log, group: "ns_closing", journal: Journal.none, temporary: false },
  }, async () => {
    const connection = await server.client();
    connections.push(connection);
    return connection;
  });
  await eventually("the first connection", () => lines.some((it) => it.includes("is up")));
  await connections[0]?.close();
  await eventually("the second connection", () => connections.length === 2);
  await jetstream(client).publish("jobs", '{"i": 1}');
  await eventually("the run", () => runs.length === 1);
  match(lines.join("\n"), /is down: lost NATS/);
  await session.stop();
  await client.close();
});
