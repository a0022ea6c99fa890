/** A connection to NATS with what receives from it. */

import type { Engine } from "../core/engine.ts";
import { messageOf } from "../core/errors.ts";
import { Gate } from "../core/gate.ts";
import { consumerName, labelsOf, type QueueSettings } from "../core/queue.ts";
import type { QueueTrigger } from "../core/workflow.ts";
import type { Logger } from "../mod.ts";
import type { NatsConnection } from "../vendor/nats.js";
import { receiveDurably } from "./durable.ts";
import type { Journal } from "./journal.ts";
import { connectForEver } from "./nats.ts";
import { type DurableParts, receive, type Receiver, TriggerState } from "./queue.ts";

export interface SessionParts {
  readonly settings: QueueSettings;
  readonly engine: Engine;
  readonly log: Logger;
  readonly group: string;
  readonly journal: Journal;
  readonly temporary: boolean;
}

export class Session {
  readonly #parts: SessionParts;
  readonly #stopping = new AbortController();
  readonly #states: readonly TriggerState[];
  readonly #done: Promise<void>;
  #receivers: readonly [QueueTrigger, Receiver][] = [];

  constructor(parts: SessionParts, connect = connectForEver) {
    this.#parts = parts;
    this.#states = parts.settings.triggers.map((it) => new TriggerState(it, parts.log));
    this.#done = this.#serve(connect);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  get states(): readonly TriggerState[] {
    return this.#states;
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

  /** Never rejects. A client that gives up by itself is replaced by another one. */
  async #serve(connect: typeof connectForEver): Promise<void> {
    const { settings, group, log } = this.#parts;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const connection = await connect(settings, { name: group, log, signal }, this.#states);
        if (connection !== undefined) await this.#receive(connection);
      } catch (error) {
        for (const state of this.#states) state.down(messageOf(error));
      }
    }
  }

  /** Until it is stopped, or the connection is closed for good. */
  async #receive(connection: NatsConnection): Promise<void> {
    const { settings, log } = this.#parts;
    const { signal } = this.#stopping;
    this.#receivers = this.#start(connection);
    await connection.flush();
    log.info(`subscribed to ${settings.triggers.map((it) => it.subject).join(", ")}`);
    const stopped = aborted(signal).then(() => true);
    const closed = connection.closed().then((reason) => reason ?? new Error("it was closed"));
    const ended = await Promise.race([stopped, closed]);
    if (ended !== true) {
      for (const state of this.#states) state.down(`lost NATS: ${messageOf(ended)}`);
    }
    const drained = this.#receivers.map(([{ subject }, receiver]) =>
      receiver.drain().catch((error) => log.warn(`queue ${subject}: ${messageOf(error)}`))
    );
    await Promise.all(drained);
    if (ended === true) await connection.drain();
  }

  #start(connection: NatsConnection): [QueueTrigger, Receiver][] {
    const { settings: { triggers }, group } = this.#parts;
    const shared = {
      ...this.#parts,
      connection,
      gate: new Gate(),
      consumers: new Set(triggers.map((it) => consumerName(group, it))),
    };
    return this.#states.map((state): [QueueTrigger, Receiver] => {
      const { trigger } = state;
      const parts: DurableParts = { ...shared, state };
      return [trigger, trigger.durable ? receiveDurably(parts, trigger) : receive(parts, trigger)];
    });
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}
