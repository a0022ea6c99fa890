/** A connection to NATS with what receives from it. */

import type { Engine } from "../core/engine.ts";
import { messageOf } from "../core/errors.ts";
import { label } from "../core/metrics.ts";
import type { QueueSettings } from "../core/queue.ts";
import type { QueueTrigger } from "../core/workflow.ts";
import type { Logger } from "../mod.ts";
import { receiveDurably } from "./durable.ts";
import { connectForEver } from "./nats.ts";
import { receive, type Receiver } from "./queue.ts";

export class Session {
  readonly #stopping = new AbortController();
  readonly #receivers: [QueueTrigger, Receiver][] = [];
  readonly #done: Promise<void>;

  constructor(settings: QueueSettings, engine: Engine, log: Logger, group: string) {
    this.#done = this.#serve(settings, engine, log, group).catch((error) => {
      log.error(`queue triggers: ${messageOf(error)}`);
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  async lag(): Promise<[string, number][]> {
    return await Promise.all(
      this.#receivers.map(async ([trigger, receiver]): Promise<[string, number]> => {
        return [labelsOf(trigger), await receiver.lag().catch(() => NaN)];
      }),
    );
  }

  /** By trigger, for those that keep count. */
  dropped(): [string, number][] {
    return this.#receivers.flatMap(([trigger, { dropped }]): [string, number][] =>
      dropped === undefined ? [] : [[labelsOf(trigger), dropped()]]
    );
  }

  async #serve(settings: QueueSettings, engine: Engine, log: Logger, group: string): Promise<void> {
    const { signal } = this.#stopping;
    const connection = await connectForEver(settings, group, log, signal);
    if (connection === undefined) return;
    const parts = { connection, engine, log, group };
    for (const trigger of settings.triggers) {
      const start = trigger.durable ? receiveDurably : receive;
      this.#receivers.push([trigger, start(parts, trigger)]);
    }
    await connection.flush();
    log.info(`subscribed to ${settings.triggers.map((it) => it.subject).join(", ")}`);
    await aborted(signal);
    await Promise.all(this.#receivers.map(([, receiver]) => receiver.drain()));
    await connection.drain();
  }
}

/** Two triggers may have one subject, and not one name. */
function labelsOf({ subject, name }: QueueTrigger): string {
  const labels = [label("subject", subject)];
  return [...labels, ...(name === undefined ? [] : [label("trigger", name)])].join(",");
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}
