/** Everything that starts runs besides HTTP, following the program that the engine has. */

import type { Options } from "../core/args.ts";
import type { Engine } from "../core/engine.ts";
import type { Gauge } from "../core/metrics.ts";
import { groupName, labelsOf, type QueueSettings, queueSettings } from "../core/queue.ts";
import type { QueueTrigger } from "../core/workflow.ts";
import type { Logger } from "../mod.ts";
import type { Journal } from "./journal.ts";
import type { Session } from "./session.ts";

export class QueueTriggers {
  readonly #engine: Engine;
  readonly #log: Logger;
  readonly #group: string;
  readonly #wanted: boolean;
  readonly #journal: Journal;
  /** Whether it is no deployment, but a developer's machine. */
  readonly #temporary: boolean;
  #settings: QueueSettings | string | undefined;
  #session: Session | undefined;

  constructor(engine: Engine, log: Logger, { instance, triggers }: Options, journal: Journal) {
    this.#engine = engine;
    this.#log = log;
    this.#journal = journal;
    this.#temporary = instance === undefined;
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
    this.#session = new Session({
      settings,
      engine: this.#engine,
      log: this.#log,
      group: this.#group,
      journal: this.#journal,
      temporary: this.#temporary,
    });
  }

  /** Why triggers receive nothing, by subject. Empty while all do. */
  get problems(): Readonly<Record<string, string>> {
    const problems = this.#states().filter(([, problem]) => problem !== undefined);
    return Object.fromEntries(problems.map(([{ subject }, problem = ""]) => [subject, problem]));
  }

  #states(): [QueueTrigger, string | undefined][] {
    const settings = this.#settings;
    if (typeof settings !== "string") {
      return this.#session?.states.map((it) => [it.trigger, it.problem]) ?? [];
    }
    const { triggers } = this.#engine.program.workflow;
    return triggers.filter((it) => it.type === "queue").map((it) => [it, settings]);
  }

  async stop(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.stop();
  }

  get up(): Gauge {
    return {
      name: "tentacular_trigger_up",
      help: "Whether a queue trigger receives; the log and GET /health say why not.",
      read: () =>
        this.#states().map((
          [trigger, problem],
        ) => [labelsOf(trigger), problem === undefined ? 1 : 0]),
    };
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
