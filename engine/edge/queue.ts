/** Queue triggers on core NATS: at most once, shared among the replicas of a deployment. */

import type { Engine } from "../core/engine.ts";
import { messageOf } from "../core/errors.ts";
import type { Gate } from "../core/gate.ts";
import { messageInput, Slots } from "../core/queue.ts";
import { weighJson } from "../core/weight.ts";
import { monotonicNow } from "../core/primordials.ts";
import { mayReplyTo } from "../core/subject.ts";
import type { RunResult } from "../core/run.ts";
import type { QueueTrigger } from "../core/workflow.ts";
import type { Logger } from "../mod.ts";
import type { Msg, MsgHdrs, NatsConnection } from "../vendor/nats.js";
import type { Journal } from "./journal.ts";

/** A trigger that receives messages. */
export interface Receiver {
  /** Receives nothing more, and resolves when everything received has been dealt with. */
  drain(): Promise<void>;
  /** Messages waiting, as far as is known. */
  lag(): Promise<number>;
  /** Messages that there was no room for, and that nobody keeps. */
  dropped?(): number;
}

/** Between two lines of the log that say the same of a trigger. */
const REMIND_EVERY_MS = 10 * 60 * 1_000;

/** Whether a trigger receives, and why not: for the log, `GET /health` and the metrics. */
export class TriggerState {
  readonly trigger: QueueTrigger;
  readonly #log: Logger;
  #problem: string | undefined = "not connected to NATS yet";
  #told: string | undefined;
  #toldAt = -Infinity;

  constructor(trigger: QueueTrigger, log: Logger) {
    this.trigger = trigger;
    this.#log = log;
  }

  /** `undefined` while it receives. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Logs it when it is another problem than before, and every now and then. */
  down(problem: string): void {
    this.#problem = problem;
    if (problem === this.#told && monotonicNow() - this.#toldAt < REMIND_EVERY_MS) return;
    this.#told = problem;
    this.#toldAt = monotonicNow();
    this.#log.error(`queue trigger ${this.trigger.subject} is down: ${problem}`);
  }

  /** Logs it after a problem, and where there is more to it than that NATS is there. */
  up(how: string): void {
    this.#problem = undefined;
    if (this.#told === how) return;
    const first = this.#told === undefined;
    this.#told = how;
    if (first && !this.trigger.durable) return;
    this.#log.info(`queue trigger ${this.trigger.subject} is up: ${how}`);
  }
}

export interface ReceiverParts {
  readonly connection: NatsConnection;
  readonly engine: Engine;
  readonly log: Logger;
  /** The queue group, and what durable names begin with. */
  readonly group: string;
  readonly state: TriggerState;
}

/** What the durable triggers of an engine share besides. */
export interface DurableParts extends ReceiverParts {
  readonly gate: Gate;
  readonly journal: Journal;
  /** Names of the consumers of all triggers. */
  readonly consumers: ReadonlySet<string>;
  /** On a developer's machine: nothing is left behind on the server. */
  readonly temporary: boolean;
}

/** Runs in flight, when the trigger does not say: enough for waiting, not too much for 256 MiB. */
export const DEFAULT_CONCURRENCY = 32;

/** Messages that wait for a run, here and nowhere else: core NATS keeps none. */
const MAX_WAITING = 1_000;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** Between two warnings of dropped messages. */
const WARN_EVERY_MS = 60_000;

/** Counts the messages for which there was no room, and warns of them now and then. */
class Drops {
  count = 0;
  #warnedAt = -Infinity;

  add(log: Logger, subject: string): void {
    this.count++;
    const now = monotonicNow();
    if (now - this.#warnedAt < WARN_EVERY_MS) return;
    this.#warnedAt = now;
    log.warn(
      `queue ${subject}: more messages than there is room for, ${this.count} dropped so far`,
    );
  }
}

/** Subscribes; the client does so again after every reconnect. */
export function receive(parts: ReceiverParts, trigger: QueueTrigger): Receiver {
  const slots = new Slots(trigger.concurrency ?? DEFAULT_CONCURRENCY);
  const drops = new Drops();
  const waiting = { bytes: 0 };
  const handling = new Set<Promise<void>>();
  const subscription = parts.connection.subscribe(trigger.subject, {
    queue: parts.group,
    callback: (error, message) => {
      if (error !== null) return parts.log.warn(`${trigger.subject}: ${messageOf(error)}`);
      const { length } = message.data;
      const full = slots.waiting >= MAX_WAITING || waiting.bytes + length > MAX_WAITING_BYTES;
      if (full) return drops.add(parts.log, trigger.subject);
      waiting.bytes += length;
      const handled = handle(parts, trigger, slots, message);
      handling.add(handled);
      handled.finally(() => {
        waiting.bytes -= length;
        handling.delete(handled);
      });
    },
  });
  return {
    drain: async () => {
      await subscription.drain();
      await Promise.all(handling);
    },
    lag: () => Promise.resolve(slots.waiting),
    dropped: () => drops.count,
  };
}

/** Never rejects: one bad message must not end the subscription. */
async function handle(
  { engine, log }: ReceiverParts,
  trigger: QueueTrigger,
  slots: Slots,
  message: Msg,
): Promise<void> {
  await slots.take();
  try {
    const result = await runMessage(engine, trigger, message);
    if (message.reply) reply(log, trigger, message, result);
  } catch (error) {
    log.error(`a message on ${message.subject} could not be dealt with: ${messageOf(error)}`);
  } finally {
    slots.give();
  }
}

/**
 * A run for a message once there is room for its input: it keeps its slot until then, so that few
 * wait. In trace that the message's headers name, if any.
 */
export async function runMessage(
  engine: Engine,
  trigger: QueueTrigger,
  message: Pick<Msg, "subject" | "data"> & { readonly headers?: MsgHdrs | undefined },
): Promise<RunResult> {
  const weight = weighJson(message.data);
  while (!engine.admission.admits(weight)) await engine.admission.changed();
  const started = Object.freeze(
    {
      type: "queue",
      ...(trigger.name === undefined ? {} : { name: trigger.name }),
      subject: message.subject,
    } as const,
  );
  const origin = {
    "messaging.system": "nats",
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
    "messaging.destination.name": message.subject,
  };
  const run = (): Promise<RunResult> =>
    engine.run(messageInput(message.data, trigger), { origin, weight, trigger: started });
  const { tracing } = engine.program;
  if (tracing === undefined || message.headers === undefined) return await run();
  const headers = [...message.headers].map(([name, [value = ""]]) => [name.toLowerCase(), value]);
  return await tracing.within(Object.fromEntries(headers), run);
}

function reply(
  log: Logger,
  { replyPrefix }: QueueTrigger,
  message: Msg,
  result: { readonly runId: string },
): void {
  if (mayReplyTo(message.reply ?? "", replyPrefix)) return respond(message, result);
  log.warn(
    `queue ${message.subject}: not replying on ${message.reply}, which is neither a client's inbox` +
      ` nor below the trigger's reply_prefix runId=${result.runId}`,
  );
}

/** The requester gets what `POST /run` would answer, or at least why it does not. */
function respond(message: Msg, result: { readonly runId: string }): void {
  try {
    message.respond(JSON.stringify(result));
  } catch (error) {
    const errors = [`the result could not be sent: ${messageOf(error)}`];
    message.respond(JSON.stringify({ ...result, success: false, outputs: {}, errors }));
  }
}
