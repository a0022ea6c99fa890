/** Everything that starts runs besides HTTP, following the program that the engine has. */

import type { Options } from "../core/args.ts";
import type { Engine } from "../core/engine.ts";
import type { Gauge } from "../core/metrics.ts";
import { groupName, type QueueSettings, queueSettings } from "../core/queue.ts";
import type { Logger } from "../mod.ts";
import type { Session } from "./session.ts";

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
    else if (settings !== undefined) await this.#connect(settings);
  }

  /** Imported here, as most workflows have no queue and starts should be short. */
  async #connect(settings: QueueSettings): Promise<void> {
    const { Session } = await import("./session.ts");
    this.#session = new Session(settings, this.#engine, this.#log, this.#group);
  }

  async stop(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.stop();
  }

  get dropped(): Gauge {
    return {
      name: "tentacular_queue_dropped_total",
      type: "counter",
      help: "Messages of core NATS that there was no room for.",
      read: () => this.#session?.dropped() ?? [],
    };
  }

  get lag(): Gauge {
    return {
      name: "tentacular_queue_lag",
      help: "Messages that wait for a run, or for its end.",
      read: async () => await this.#session?.lag() ?? [],
    };
  }
}
