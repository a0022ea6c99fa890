/** What tests of durable triggers share. */

import type { Engine } from "../core/engine.ts";
import { Gate } from "../core/gate.ts";
import { createLogger } from "../core/log.ts";
import { consumerName } from "../core/queue.ts";
import type { QueueTrigger } from "../core/workflow.ts";
import { Journal } from "../edge/journal.ts";
import { type DurableParts, TriggerState } from "../edge/queue.ts";
import { jetstream, type NatsConnection } from "../vendor/nats.js";

export const DURABLE = { type: "queue", durable: true, maxDeliver: 5, dlq: "dlq" } as const;

export interface Given {
  readonly connection: NatsConnection;
  readonly engine: Engine;
  readonly group: string;
  readonly trigger: QueueTrigger;
  readonly journal?: Journal;
}

/** As a session gives them, for one trigger. */
export function durableParts(
  { connection, engine, group, trigger, journal = Journal.none }: Given,
): DurableParts {
  const log = createLogger("engine", engine.program.log);
  return {
    ...{ connection, engine, group, log, journal },
    state: new TriggerState(trigger, log),
    gate: new Gate(),
    consumers: new Set([consumerName(group, trigger)]),
    temporary: false,
  };
}

/** Asks until it holds. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let turn = 0; turn < 3000; turn++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`never seen: ${what}`);
}

/** Resolves when the consumer has nothing left to do. */
export async function finished(
  client: NatsConnection,
  stream: string,
  name: string,
): Promise<void> {
  const consumer = await jetstream(client).consumers.get(stream, name);
  await eventually(`${name} finishes`, async () => {
    const { num_pending, num_ack_pending } = await consumer.info();
    return num_pending + num_ack_pending === 0;
  });
}
