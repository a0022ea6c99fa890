/** Queue triggers, without NATS: what they need, what a message becomes, what things are called. */

import type { Json } from "../mod.ts";
import type { Program } from "./program.ts";
import { label } from "./metrics.ts";
import { parse } from "./primordials.ts";
import { lookUp } from "./secrets.ts";
import type { QueueTrigger } from "./workflow.ts";

/** Everything that a connection is made from: when two are equal, nothing needs reconnecting. */
export interface QueueSettings {
  readonly url: string;
  readonly token: string;
  readonly triggers: readonly QueueTrigger[];
}

/**
 * What the program's queue triggers need; `undefined` when it has none, and a sentence when it
 * lacks something, which is no reason not to serve HTTP.
 */
export function queueSettings({ workflow, secrets }: Program): QueueSettings | string | undefined {
  const triggers = workflow.triggers.filter((it) => it.type === "queue");
  if (triggers.length === 0) return undefined;
  const url = workflow.config["nats_url"];
  if (typeof url !== "string" || url === "") return "config.nats_url is not set";
  const token = lookUp(secrets, "nats", "token");
  return token ? { url, token, triggers } : "the secret nats.token is not provisioned";
}

const decoder = new TextDecoder();

/**
 * A message's payload as the input of a run: its JSON, which names the trigger when it is an
 * object, and `{data: text}` when it is no JSON.
 */
export function messageInput(data: Uint8Array, trigger: QueueTrigger): Json {
  const text = decoder.decode(data);
  let value: Json;
  try {
    value = text === "" ? {} : parse(text);
  } catch {
    return { data: text };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return { ...value, trigger: trigger.name ?? trigger.subject };
}

/**
 * `<namespace>_<name>`, which replicas of one deployment share, and nothing else has: neither part
 * can hold an underscore. Good for a queue group, and for a stream's or consumer's name.
 */
export function groupName(instance: string | undefined, workflow: string): string {
  return (instance ?? `local/${workflow}`).replace("/", "_");
}

/** A name for what belongs to one trigger, with what such names cannot hold written in hex. */
export function consumerName(group: string, trigger: QueueTrigger): string {
  return `${group}_${escaped(trigger.name ?? trigger.subject)}`;
}

/** The stream of the dead letters below a prefix. */
export function deadLetterStream(dlq: string): string {
  return `dead-letters_${escaped(dlq)}`;
}

function escaped(key: string): string {
  return key.replace(/[^A-Za-z0-9_-]/g, (it) => `=${it.charCodeAt(0).toString(16)}`);
}

/** Of a metric. Two triggers may have one subject, and not one name. */
export function labelsOf({ subject, name }: QueueTrigger): string {
  const labels = [label("subject", subject)];
  return [...labels, ...(name === undefined ? [] : [label("trigger", name)])].join(",");
}

/** What to do with a message whose run failed. */
export type Verdict = { readonly retryInMs: number } | "dead";

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 5 * 60 * 1_000;

/** After delivery number `delivery`, counted from one: again in 1, 2, 4 ... s, or never. */
export function judge(trigger: QueueTrigger, delivery: number): Verdict {
  if (delivery >= trigger.maxDeliver) return "dead";
  return { retryInMs: Math.min(FIRST_RETRY_MS * 2 ** (delivery - 1), LONGEST_RETRY_MS) };
}

/**
 * Whether a message has been tried so often, without anyone living to tell, that it is not to be
 * tried again. An engine that dies for reasons of its own must not bury a good message, so this is
 * above `max_deliver`; but a message that kills every engine takes each replica in turn.
 */
export function isLethal(trigger: QueueTrigger, delivery: number): boolean {
  return delivery > 2 * trigger.maxDeliver;
}

/**
 * Whether it is the message's last delivery, which only engines that die bring about: those that live
 * give it up before. It runs alone then, so that it is given up for what it does itself.
 */
export function isLastDelivery(trigger: QueueTrigger, delivery: number): boolean {
  return delivery >= 2 * trigger.maxDeliver;
}

/** Bounds how much goes on at once. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  get free(): number {
    return this.#free;
  }

  /** How many are in {@linkcode take}. */
  get waiting(): number {
    return this.#waiting.length;
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Hands the slot on, or back. */
  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
