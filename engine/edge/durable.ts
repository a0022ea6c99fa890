/**
 * Queue triggers on JetStream: at least once.
 *
 * A message is acknowledged after its run succeeded, and until then it is somebody's: the server
 * gives it to another engine when this one falls silent. Attempts are judged here. The server's
 * own limit would drop a message without a word when an engine dies during the last one.
 */

import { messageOf } from "../core/errors.ts";
import { consumerName, isLethal, judge, Slots } from "../core/queue.ts";
import { deadLetterSubject } from "../core/subject.ts";
import type { RunResult } from "../core/run.ts";
import type { QueueTrigger } from "../core/workflow.ts";
import {
  type Consumer,
  type ConsumerMessages,
  headers,
  jetstream,
  type JetStreamClient,
  jetstreamManager,
  type JsMsg,
} from "../vendor/nats.js";
import { sleep } from "./sleep.ts";
import { DEFAULT_CONCURRENCY, type Receiver, type ReceiverParts, runMessage } from "./queue.ts";
import { ensureDeadLetters, ensurePlace } from "./streams.ts";

/** A silent engine's messages are somebody else's after this long. */
const ACK_WAIT_MS = 30_000;

const FETCH_MS = 5_000;
const TROUBLE_MS = 1_000;
const MAX_ERROR_LENGTH = 1_000;

/** Marks a dead letter: how often its message was delivered. */
const DELIVERIES = "Tentacular-Deliveries";

/** Receives as soon as the streams are there, which may be after it returns. */
export function receiveDurably(
  parts: ReceiverParts,
  trigger: QueueTrigger,
  ackWaitMs = ACK_WAIT_MS,
): Receiver {
  const receiver = new DurableReceiver(parts, trigger, ackWaitMs);
  const ending = receiver.work();
  return {
    drain: async () => {
      receiver.stop();
      await ending;
    },
    lag: () => receiver.lag(),
  };
}

function isTooLarge(error: unknown): boolean {
  return /max_payload|MAX_PAYLOAD|maximum payload/i.test(messageOf(error));
}

class DurableReceiver {
  readonly #parts: ReceiverParts;
  readonly #trigger: QueueTrigger;
  readonly #stopping = new AbortController();
  readonly #slots: Slots;
  readonly #ackWaitMs: number;
  readonly #handling = new Set<Promise<void>>();
  #consumer: Consumer | undefined;
  #client: JetStreamClient | undefined;
  #batch: ConsumerMessages | undefined;

  constructor(parts: ReceiverParts, trigger: QueueTrigger, ackWaitMs: number) {
    this.#ackWaitMs = ackWaitMs;
    this.#parts = parts;
    this.#trigger = trigger;
    this.#slots = new Slots(trigger.concurrency ?? DEFAULT_CONCURRENCY);
  }

  stop(): void {
    this.#stopping.abort();
    this.#batch?.close();
  }

  async lag(): Promise<number> {
    const info = await this.#consumer?.info();
    return info === undefined ? 0 : info.num_pending + info.num_ack_pending;
  }

  /** Resolves when it was stopped and every message taken has been dealt with. Never rejects. */
  async work(): Promise<void> {
    const { signal } = this.#stopping;
    let last = "";
    while (!signal.aborted) {
      try {
        this.#consumer ??= await this.#prepare();
        await this.#takeBatch(this.#consumer);
        last = "";
      } catch (error) {
        const message = `queue ${this.#trigger.subject}: ${messageOf(error)}`;
        if (message !== last && !signal.aborted) this.#parts.log.error(message);
        last = message;
        this.#consumer = undefined; // It may be gone, and its stream with it.
        await sleep(TROUBLE_MS, signal);
      }
    }
    await Promise.all(this.#handling);
  }

  async #prepare(): Promise<Consumer> {
    const { connection, group } = this.#parts;
    const manager = await jetstreamManager(connection);
    const name = consumerName(group, this.#trigger);
    const { stream, consumer } = await ensurePlace(manager, name, this.#trigger, this.#ackWaitMs);
    await ensureDeadLetters(manager, this.#trigger);
    this.#client = jetstream(connection);
    this.#parts.log.info(`queue ${this.#trigger.subject}: receiving from stream ${stream}`);
    return await this.#client.consumers.get(stream, consumer);
  }

  /** Asks for as many messages as there are free slots, so that none is taken only to wait. */
  async #takeBatch(consumer: Consumer): Promise<void> {
    await this.#slots.take();
    this.#slots.give();
    if (this.#stopping.signal.aborted) return;
    const batch = await consumer.fetch({ max_messages: this.#slots.free, expires: FETCH_MS });
    this.#batch = batch;
    if (this.#stopping.signal.aborted) await batch.close();
    for await (const message of batch) {
      await this.#slots.take();
      const handled = this.#handle(message);
      this.#handling.add(handled);
      handled.finally(() => this.#handling.delete(handled));
    }
  }

  async #handle(message: JsMsg): Promise<void> {
    const alive = setInterval(() => message.working(), this.#ackWaitMs / 3);
    try {
      await this.#run(message);
    } catch (error) {
      // Nothing is lost: what was not acknowledged comes again.
      this.#parts.log.warn(`queue ${message.subject}: ${messageOf(error)}`);
    } finally {
      clearInterval(alive);
      this.#slots.give();
    }
  }

  async #run(message: JsMsg): Promise<void> {
    const { engine, log } = this.#parts;
    const { deliveryCount } = message.info;
    if (isLethal(this.#trigger, deliveryCount)) {
      return await this.#bury(message, `no engine survived it in ${deliveryCount - 1} attempts`);
    }
    const result = await runMessage(engine, this.#trigger, message);
    if (result.success) return void await message.ackAck();
    // A run that the shutdown ended says nothing about its message.
    if (engine.stopping) return message.nak();
    const verdict = judge(this.#trigger, deliveryCount);
    if (verdict === "dead") return await this.#bury(message, result.errors.join("; "), result);
    log.warn(`queue ${message.subject}: delivery ${deliveryCount} failed runId=${result.runId}`);
    message.nak(verdict.retryInMs);
  }

  /**
   * A dead letter that fails again is not buried again: it is kept where it is, and whatever leads
   * it round, also by way of another workflow, comes to an end. The id makes burying twice, by an
   * engine that died in between, a duplicate for the server.
   */
  async #bury(message: JsMsg, error: string, result?: RunResult): Promise<void> {
    if (message.headers?.has(DELIVERIES)) return await this.#drop(message, error);
    const { stream, streamSequence, deliveryCount } = message.info;
    const marked = headers();
    for (const [name, values] of message.headers ?? []) {
      if (/^nats-/i.test(name)) continue; // Orders to the server, meant for the first time only.
      for (const value of values) marked.append(name, value);
    }
    marked.set("Tentacular-Error", error.replace(/\s+/g, " ").slice(0, MAX_ERROR_LENGTH));
    marked.set(DELIVERIES, String(deliveryCount));
    marked.set("Tentacular-Stream", stream);
    marked.set("Tentacular-Sequence", String(streamSequence));
    if (result !== undefined) marked.set("Tentacular-Run-Id", result.runId);
    const subject = deadLetterSubject(this.#trigger, message.subject);
    const msgID = `${stream}-${streamSequence}-${consumerName(this.#parts.group, this.#trigger)}`;
    try {
      await this.#client?.publish(subject, message.data, { headers: marked, msgID });
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      // With the headers it is over the server's limit; without its data, it says where that is.
      marked.set("Tentacular-Data", `left out, ${message.data.length} bytes`);
      await this.#client?.publish(subject, new Uint8Array(), { headers: marked, msgID });
    }
    await message.ackAck();
    this.#parts.log.error(`queue ${message.subject}: gave up, dead letter on ${subject}`);
  }

  async #drop(message: JsMsg, error: string): Promise<void> {
    await message.ackAck();
    this.#parts.log.error(
      `queue ${message.subject}: gave up a dead letter, which gets no further one: ${error}`,
    );
  }
}
