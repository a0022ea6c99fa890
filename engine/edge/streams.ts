/** The streams and consumers of durable triggers: found, made when missing, and put right. */
// deno-lint-ignore-file camelcase -- the names of the server's own API

import { deadLetterStream } from "../core/queue.ts";
import { covers } from "../core/subject.ts";
import type { QueueTrigger } from "../core/workflow.ts";
import type { Logger } from "../mod.ts";
import type {
  ConsumerConfig,
  ConsumerUpdate,
  JetStreamManager,
  StreamConfig,
  StreamUpdate,
} from "../vendor/nats.js";

export interface Place {
  readonly stream: string;
  readonly consumer: string;
}

/** What a trigger wants of the server. */
export interface Wanted {
  /** Of the consumer, and of its stream where there is none. */
  readonly name: string;
  readonly trigger: QueueTrigger;
  readonly ackWaitMs: number;
  /** On a developer's machine: nothing is made that stays. */
  readonly temporary: boolean;
  readonly log: Logger;
}

/** How one knows what may be changed, and removed. */
const DESCRIPTION = "made by tentacular";

const MS = 1_000_000;
const DAY = 24 * 60 * 60 * 1_000 * MS;

/** Nothing is kept for ever, and no disk is filled. */
const BOUNDS = { max_age: 30 * DAY, max_bytes: 256 * 1024 * 1024 } as const;

/** After so long without its engine, the server removes a temporary consumer by itself. */
const TEMPORARY_MS = 5 * 60 * 1_000;

/** The stream that holds all of the trigger's subject, and the trigger's consumer of it. */
export async function ensurePlace(manager: JetStreamManager, wanted: Wanted): Promise<Place> {
  const { name, trigger } = wanted;
  const stream = await findStream(manager, trigger.subject, name) ??
    await ownStream(manager, wanted);
  // What we made holds nothing else. A filter that is added later hides messages (nats-server 2.9).
  const filter = stream === name ? undefined : trigger.subject;
  await ensureConsumer(manager, stream, wanted, filter);
  return { stream, consumer: name };
}

/** The engine's own stream, with the trigger's subject: made, or changed when it has another one. */
async function ownStream(manager: JetStreamManager, wanted: Wanted): Promise<string> {
  const { name, trigger: { subject }, log } = wanted;
  const config = await configOf(manager, name);
  if (config === undefined) return await makeStream(manager, wanted);
  const held = config.subjects.join(", ");
  if (config.description !== DESCRIPTION) {
    throw new Error(
      `the stream ${name} holds ${held} and was not made here: add ${subject} to it, or delete it`,
    );
  }
  await manager.streams.update(name, { subjects: [subject] });
  log.info(`queue ${subject}: changed the subject of the stream ${name}, which held ${held}`);
  return name;
}

/**
 * Keeps messages until every consumer has acknowledged them: nothing is lost, and nothing piles up.
 * A full one refuses messages, so that their publisher knows.
 *
 * Such a stream drops what nobody is interested in. So it gets its subject after its consumer: a
 * message is refused, and its publisher knows, or it is kept.
 */
async function makeStream(manager: JetStreamManager, wanted: Wanted): Promise<string> {
  const { name, trigger: { subject } } = wanted;
  if (wanted.temporary) {
    throw new Error(`no stream holds ${subject}: create one, as a local engine leaves none behind`);
  }
  const config = {
    name,
    retention: "interest",
    storage: "file",
    discard: "new",
    description: DESCRIPTION,
    ...BOUNDS,
  } as const;
  try {
    await manager.streams.add({ ...config, subjects: [`tentacular.unused.${name}`] });
    await ensureConsumer(manager, name, wanted);
    await manager.streams.update(name, { subjects: [subject] });
  } catch (error) {
    // Another engine of this deployment was faster, or there is a real problem.
    return await findStream(manager, subject, name) ?? fail(error);
  }
  return name;
}

function fail(error: unknown): never {
  throw error;
}

/** One for each prefix, shared by all workflows: dead letters are looked at in one place. */
export async function ensureDeadLetters(
  manager: JetStreamManager,
  { trigger: { dlq, subject }, temporary }: Wanted,
): Promise<void> {
  const name = deadLetterStream(dlq);
  if (await findStream(manager, `${dlq}.${subject}`, name) !== undefined || temporary) return;
  const config = {
    name,
    retention: "limits",
    storage: "file",
    description: DESCRIPTION,
    ...BOUNDS,
  } as const;
  await manager.streams.add({ ...config, subjects: [`${dlq}.>`] });
}

/** Gives bounds to what was made here without; those that somebody chose stay. */
async function bound(manager: JetStreamManager, name: string, config: StreamConfig): Promise<void> {
  if (config.description !== DESCRIPTION) return;
  const change: StreamUpdate = {
    ...(config.max_age ? {} : { max_age: BOUNDS.max_age }),
    ...((config.max_bytes ?? -1) > 0 ? {} : { max_bytes: BOUNDS.max_bytes }),
  };
  if (Object.keys(change).length > 0) await manager.streams.update(name, change);
}

/** The stream that holds all of `subject`; `own` may hold a part, as its subject can be changed. */
async function findStream(
  manager: JetStreamManager,
  subject: string,
  own: string,
): Promise<string | undefined> {
  let partial: string | undefined;
  for await (const name of manager.streams.names(subject)) {
    const { config } = await manager.streams.info(name);
    if (config.subjects.some((it) => covers(it, subject))) {
      await bound(manager, name, config);
      return name;
    }
    if (name === own) continue;
    partial = `the stream ${name} holds only a part of ${subject} (it holds ${
      config.subjects.join(", ")
    }): add the subject to it, or make the trigger's narrower`;
  }
  if (partial !== undefined) throw new Error(partial);
  return undefined;
}

async function configOf(
  manager: JetStreamManager,
  stream: string,
): Promise<StreamConfig | undefined> {
  return (await unlessMissing(manager.streams.info(stream)))?.config;
}

/** The server's words are the same in all its versions; its client has other types for each code. */
async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (/(stream|consumer) not found/.test(String(error))) return undefined;
    throw error;
  }
}

/** Without a limit on deliveries: the engine judges, as only it can leave a dead letter. */
async function ensureConsumer(
  manager: JetStreamManager,
  stream: string,
  { name, trigger, ackWaitMs, temporary, log }: Wanted,
  subject?: string,
): Promise<void> {
  const settings: ConsumerUpdate = {
    ack_wait: ackWaitMs * MS,
    max_deliver: -1,
    inactive_threshold: temporary ? TEMPORARY_MS * MS : 0,
    ...(subject === undefined ? {} : { filter_subject: subject }),
  };
  const found = await unlessMissing(manager.consumers.info(stream, name));
  if (found === undefined) {
    // A developer wants what happens from now on, and not what happened to production.
    const policy = temporary ? "new" : trigger.deliver ?? "all";
    await manager.consumers.add(stream, {
      durable_name: name,
      description: DESCRIPTION,
      ack_policy: "explicit",
      deliver_policy: policy,
      ...settings,
    });
    return;
  }
  requireUsable(stream, name, found.config);
  const drift = driftOf(found.config, settings, trigger.subject);
  if (drift.length === 0) return;
  const filters = { filter_subject: subject, filter_subjects: undefined };
  await manager.consumers.update(stream, name, { ...settings, ...filters });
  log.info(`queue ${trigger.subject}: put the consumer ${name} right again: ${drift.join(", ")}`);
}

/** What cannot be changed is somebody's to delete. */
function requireUsable(stream: string, name: string, config: ConsumerConfig): void {
  const problem = config.deliver_subject
    ? "pushes its messages"
    : config.ack_policy !== "explicit"
    ? `has ack_policy ${config.ack_policy}`
    : undefined;
  if (problem === undefined) return;
  throw new Error(
    `the consumer ${name} of the stream ${stream} ${problem}, and the server cannot change that: ` +
      `delete it, and the engine makes it anew`,
  );
}

/** Each setting that is not as it should be. A filter for what its stream holds anyway does no harm. */
function driftOf(config: ConsumerConfig, wanted: ConsumerUpdate, subject: string): string[] {
  const settings = ["ack_wait", "max_deliver", "inactive_threshold"] as const;
  const changed = settings.filter((key) => (config[key] ?? 0) !== wanted[key]);
  const lines = changed.map((key) => `${key} was ${config[key]}`);
  const filter = config.filter_subject || undefined;
  if (filter !== wanted.filter_subject && filter !== subject) {
    lines.push(`filter_subject was ${filter ?? "not set"}`);
  }
  if (config.filter_subjects?.length) {
    lines.push(`filter_subjects were ${config.filter_subjects.join(", ")}`);
  }
  return lines;
}

/**
 * What earlier triggers of the workflow have left, and what keeps messages all the same, as commands
 * that remove it: other engines of the deployment may still have those triggers.
 */
export async function leftovers(
  manager: JetStreamManager,
  { stream, consumer }: Place,
  group: string,
  known: ReadonlySet<string>,
): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of manager.consumers.list(stream)) {
    const old = name.startsWith(`${group}_`) && !known.has(name);
    if (old) found.push(`nats consumer rm ${stream} ${name}`);
  }
  const own = stream === consumer ? undefined : await configOf(manager, consumer);
  return own?.description === DESCRIPTION ? [...found, `nats stream rm ${consumer}`] : found;
}

/** Takes a temporary consumer away, and what its stream kept for it. */
export async function removeConsumer(
  manager: JetStreamManager,
  { stream, consumer }: Place,
): Promise<void> {
  await unlessMissing(manager.consumers.delete(stream, consumer));
}
