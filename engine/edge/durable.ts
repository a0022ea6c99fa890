/**
 * Queue triggers on JetStream: at least once.
 *
 * A message is acknowledged after its run succeeded, and until then it is somebody's: the server
 * gives it to another engine when this one falls silent. Attempts are judged here. The server's
 * own limit would drop a message without a word when an engine dies during the last one.
 */

import { messageOf } from "../core/errors.ts";
import { every, systemClock } from "../core/clock.ts";
import { monotonicNow } from "../core/primordials.ts";
import { consumerName, isLastDelivery, isLethal, judge, Slots } from "../core/queue.ts";
import { deadLetterSubject } from "../core/subject.ts";
import type { RunResult } from "../core/run.ts";
import type { QueueTrigger } from "../core/workflow.ts";
import {
  type Consumer,
  type ConsumerMessages,
  headers,
  jetstream,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  type JsMsg,
} from "../vendor/nats.js";
import { ALONE, MESSAGE } from "./journal.ts";
import { sleep } from "./sleep.ts";
import { DEFAULT_CONCURRENCY, type DurableParts, type Receiver, runMessage } from "./queue.ts";
import {
  ensureDeadLetters,
  ensurePlace,
  leftovers,
  type Place,
  removeConsumer,
  type Wanted,
} from "./streams.ts";

/** A silent engine's messages are somebody else's after this long. */
const ACK_WAIT_MS = 30_000;

/** How long the server is to wait for messages; no longer than anybody waits for a silent engine. */
const MAX_FETCH_MS = 5_000;
const MIN_FETCH_MS = 1_000;
const TROUBLE_MS = 1_000;

/** Messages that are sent together are here together, but for so long. */
const SETTLE_MS = 200;

/** How often it is looked whether the stream and the consumer are still as they should be. */
const LOOK_EVERY_MS = 60_000;
const MAX_ERROR_LENGTH = 1_000;

/** Marks a dead letter: how often its message was delivered. */
const DELIVERIES = "Tentacular-Deliveries";

/** Receives as soon as the streams are there, which may be after it returns. */
export function receiveDurably(
  parts: DurableParts,
  trigger: QueueTrigger,
  ackWaitMs = ACK_WAIT_MS,
): Receiver {
  const receiver = new DurableReceiver(parts, trigger, ackWaitMs);
  const ending = receiver.work();
  return {
    drain: async () => {
      receiver.stop();
      await ending;
      await receiver.cleanUp();
    },
    lag: () => receiver.lag(),
  };
}

/** A client that is closed throws, and its messages are somebody else's. */
function keepAlive(message: JsMsg): void {
  try {
    message.working();
  } catch {
    // Whoever handles it will see.
  }
}

/** The same for every delivery of a message. */
function idOf({ info }: JsMsg): string {
  return `${info.stream}.${info.streamSequence}`;
}

function isTooLarge(error: unknown): boolean {
  return /max_payload|MAX_PAYLOAD|maximum payload/i.test(messageOf(error));
}

class DurableReceiver {
  readonly #parts: DurableParts;
  readonly #trigger: QueueTrigger;
  readonly #stopping = new AbortController();
  readonly #slots: Slots;
  readonly #ackWaitMs: number;
  readonly #handling = new Set<Promise<void>>();
  /** Messages that are this engine's until they leave here. */
  readonly #held = new Set<JsMsg>();
  /** Messages that engines have died of, perhaps; each is run alone. */
  #suspects: JsMsg[] = [];
  #consumer: Consumer | undefined;
  #place: Place | undefined;
  #lookedAt = -Infinity;
  #manager: JetStreamManager | undefined;
  #client: JetStreamClient | undefined;
  #batch: ConsumerMessages | undefined;

  constructor(parts: DurableParts, trigger: QueueTrigger, ackWaitMs: number) {
    this.#ackWaitMs = ackWaitMs;
    this.#parts = parts;
    this.#trigger = trigger;
    this.#slots = new Slots(trigger.concurrency ?? DEFAULT_CONCURRENCY);
  }

  stop(): void {
    this.#stopping.abort();
    this.#batch?.close();
  }

  /** On a developer's machine, takes the consumer away, and what its stream would keep for it. */
  async cleanUp(): Promise<void> {
    if (!this.#parts.temporary || this.#place === undefined || this.#manager === undefined) return;
    await removeConsumer(this.#manager, this.#place);
  }

  /** Not a number while nobody knows. */
  async lag(): Promise<number> {
    const info = await this.#consumer?.info();
    return info === undefined ? NaN : info.num_pending + info.num_ack_pending;
  }

  /** Resolves when it was stopped and every message taken has been dealt with. Never rejects. */
  async work(): Promise<void> {
    const { signal } = this.#stopping;
    const done = every(this.#ackWaitMs / 3, () => this.#held.forEach(keepAlive));
    while (!signal.aborted) {
      try {
        const consumer = await this.#current();
        await this.#takeBatch(consumer);
        await this.#runSuspects();
      } catch (error) {
        if (!signal.aborted) this.#parts.state.down(messageOf(error));
        this.#consumer = undefined; // It may be gone, and its stream with it.
        await sleep(TROUBLE_MS, signal);
      }
    }
    await this.#runSuspects();
    await Promise.all(this.#handling);
    done();
  }

  /** The consumer, looked after now and then: others may change it, or what it receives from. */
  async #current(): Promise<Consumer> {
    const now = monotonicNow();
    if (this.#consumer === undefined || now - this.#lookedAt > LOOK_EVERY_MS) {
      this.#consumer = await this.#prepare();
      this.#lookedAt = now;
    }
    return this.#consumer;
  }

  async #prepare(): Promise<Consumer> {
    const { connection, group, log, state, temporary } = this.#parts;
    const manager = this.#manager ??= await jetstreamManager(connection);
    const trigger = this.#trigger;
    const name = consumerName(group, trigger);
    const wanted: Wanted = { name, trigger, ackWaitMs: this.#ackWaitMs, temporary, log };
    const place = await ensurePlace(manager, wanted);
    await ensureDeadLetters(manager, wanted);
    if (place.stream !== this.#place?.stream) await this.#warnOfLeftovers(manager, place);
    this.#place = place;
    this.#client = jetstream(connection);
    const consumer = await this.#client.consumers.get(place.stream, place.consumer);
    state.up(`receiving from stream ${place.stream}`);
    return consumer;
  }

  async #warnOfLeftovers(manager: JetStreamManager, place: Place): Promise<void> {
    const { group, consumers, log } = this.#parts;
    for (const command of await leftovers(manager, place, group, consumers)) {
      log.warn(`an earlier trigger's messages are still kept; to let them go: ${command}`);
    }
  }

  /** Asks for as many messages as there are free slots, so that none is taken only to wait. */
  async #takeBatch(consumer: Consumer): Promise<void> {
    const { gate } = this.#parts;
    await this.#slots.take();
    this.#slots.give();
    await gate.enter();
    try {
      if (this.#stopping.signal.aborted) return;
      const expires = Math.max(MIN_FETCH_MS, Math.min(MAX_FETCH_MS, this.#ackWaitMs));
      const batch = await consumer.fetch({ max_messages: this.#slots.free, expires });
      this.#batch = batch;
      if (this.#stopping.signal.aborted) await batch.close();
      for await (const message of batch) await this.#receive(message);
    } finally {
      gate.leave();
    }
  }

  async #receive(message: JsMsg): Promise<void> {
    this.#held.add(message);
    if (this.#isSuspect(message)) return this.#suspect(message);
    await this.#slots.take();
    this.#parts.gate.join();
    const handled = this.#handle(message).finally(() => {
      this.#slots.give();
      this.#parts.gate.leave();
    });
    this.#handling.add(handled);
    handled.finally(() => this.#handling.delete(handled));
  }

  /** Whatever else has been sent by now is received, and then nothing more: it would be kept waiting. */
  #suspect(message: JsMsg): void {
    this.#suspects.push(message);
    const batch = this.#batch;
    if (this.#suspects.length === 1) systemClock.after(SETTLE_MS, () => void batch?.close());
  }

  #isSuspect(message: JsMsg): boolean {
    const { journal } = this.#parts;
    const id = idOf(message);
    return isLastDelivery(this.#trigger, message.info.deliveryCount) ||
      journal.diedOf(MESSAGE + id) ||
      journal.diedOf(ALONE + id);
  }

  /**
   * One at a time, with nothing else received: whatever else a dying engine holds is counted as
   * delivered. What one has died of for certain comes last, for the same reason.
   */
  async #runSuspects(): Promise<void> {
    const { gate, journal, log } = this.#parts;
    const last = (message: JsMsg): number => journal.diedOf(ALONE + idOf(message)) ? 1 : 0;
    const suspects = this.#suspects.sort((a, b) => last(a) - last(b));
    this.#suspects = [];
    for (const message of suspects) {
      await gate.alone(async () => {
        const { subject, info } = message;
        log.warn(
          `queue ${subject}: an engine died while it had the message ${info.streamSequence} of ` +
            `${info.stream}, which runs alone now (delivery ${info.deliveryCount})`,
        );
        journal.begin(ALONE + idOf(message));
        await this.#handle(message);
        journal.end(ALONE + idOf(message));
      });
    }
  }

  async #handle(message: JsMsg): Promise<void> {
    const { journal, log } = this.#parts;
    const note = MESSAGE + idOf(message);
    journal.begin(note);
    try {
      await this.#run(message);
    } catch (error) {
      // Nothing is lost: what was not acknowledged comes again.
      log.warn(`queue ${message.subject}: ${messageOf(error)}`);
    } finally {
      this.#held.delete(message);
      journal.end(note);
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
