/** Everything that starts runs besides HTTP, following the program that the engine has. */

import type { Options } from "../core/args.ts";
import type { Engine } from "../core/engine.ts";
import { messageOf } from "../core/errors.ts";
import { type Gauge, label } from "../core/metrics.ts";
import { groupName, type QueueSettings, queueSettings } from "../core/queue.ts";
import type { QueueTrigger } from "../core/workflow.ts";
import type { Logger } from "../mod.ts";
import { receiveDurably } from "./durable.ts";
import { connectForEver } from "./nats.ts";
import { receive, type Receiver } from "./queue.ts";

export class QueueTriggers {
  readonly #engine: Engine;
  readonly #log: Logger;
  readonly #group: string;
  readonly #wanted: boolean;
  #settings: QueueSettings | string | undefined;
  #session: Session | undefined;

  constructor(engine: Engine, log: Logger, { instance, triggers }: Options) {
    this.#engine = engine;
    this.#log = log;
    this.#group = groupName(instance, engine.program.workflow.name);
    this.#wanted = triggers === "all";
  }

  /** To be called at the start, and when the engine has another program. */
  async update(): Promise<void> {
    if (!this.#wanted) return;
    const settings = queueSettings(this.#engine.program);
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.#settings = settings;
    await this.stop();
    if (typeof settings === "string") this.#log.warn(`${settings}: queue triggers are off`);
    else if (settings !== undefined) {
      this.#session = new Session(settings, this.#engine, this.#log, this.#group);
    }
  }

  async stop(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.stop();
  }

  get lag(): Gauge {
    return {
      name: "tentacular_queue_lag",
      help: "Messages that wait for a run, or for its end.",
      read: async () => await this.#session?.lag() ?? [],
    };
  }
}

/** One connection with its receivers. */
class Session {
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
      this.#receivers.map(async ([{ subject }, receiver]): Promise<[string, number]> => {
        return [label("subject", subject), await receiver.lag().catch(() => NaN)];
      }),
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

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}
