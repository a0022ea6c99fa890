/** The streams and consumers of durable triggers: found, or made when missing. */

import { covers } from "../core/subject.ts";
import type { QueueTrigger } from "../core/workflow.ts";
import type { JetStreamManager } from "../vendor/nats.js";

export interface Place {
  readonly stream: string;
  readonly consumer: string;
}

const DESCRIPTION = "made by tentacular";

/** The stream that holds all of the trigger's subject, and the consumer `name` of it. */
export async function ensurePlace(
  manager: JetStreamManager,
  name: string,
  { subject }: QueueTrigger,
  ackWaitMs: number,
): Promise<Place> {
  const stream = await findStream(manager, subject) ??
    await makeStream(manager, name, subject, ackWaitMs);
  // What we made holds nothing else. A filter that is added later hides messages (nats-server 2.9).
  await ensureConsumer(manager, stream, name, ackWaitMs, stream === name ? undefined : subject);
  return { stream, consumer: name };
}

/**
 * Keeps messages until every consumer has acknowledged them: nothing is lost, and nothing piles up.
 *
 * Such a stream drops what nobody is interested in. So it gets its subject after its consumer: a
 * message is refused, and its publisher knows, or it is kept.
 */
async function makeStream(
  manager: JetStreamManager,
  name: string,
  subject: string,
  ackWaitMs: number,
): Promise<string> {
  const config = {
    name,
    retention: "interest",
    storage: "file",
    description: DESCRIPTION,
  } as const;
  try {
    await manager.streams.add({ ...config, subjects: [`tentacular.unused.${name}`] });
    await ensureConsumer(manager, name, name, ackWaitMs);
    await manager.streams.update(name, { subjects: [subject] });
  } catch (error) {
    // Another engine of this deployment was faster, or there is a real problem.
    return await findStream(manager, subject) ?? fail(error);
  }
  return name;
}

function fail(error: unknown): never {
  throw error;
}

/** One for each prefix, shared by all workflows: dead letters are looked at in one place. */
export async function ensureDeadLetters(
  manager: JetStreamManager,
  { dlq, subject }: QueueTrigger,
): Promise<void> {
  if (await findStream(manager, `${dlq}.${subject}`) !== undefined) return;
  const name = `dead-letters_${dlq.replaceAll(".", "_")}`;
  const config = { name, retention: "limits", storage: "file", description: DESCRIPTION } as const;
  await manager.streams.add({ ...config, subjects: [`${dlq}.>`] });
}

async function findStream(manager: JetStreamManager, subject: string): Promise<string | undefined> {
  for await (const name of manager.streams.names(subject)) {
    const { config } = await manager.streams.info(name);
    if (config.subjects.some((it) => covers(it, subject))) return name;
    throw new Error(
      `the stream ${name} holds only a part of ${subject} (it holds ${
        config.subjects.join(", ")
      }):` +
        ` add the subject to it, or make the trigger's narrower`,
    );
  }
  return undefined;
}

/** Without a limit on deliveries: the engine judges, as only it can leave a dead letter. */
async function ensureConsumer(
  manager: JetStreamManager,
  stream: string,
  name: string,
  ackWaitMs: number,
  subject?: string,
): Promise<void> {
  await manager.consumers.add(stream, {
    durable_name: name,
    ack_policy: "explicit",
    deliver_policy: "all",
    ack_wait: ackWaitMs * 1_000_000,
    max_deliver: -1,
    ...(subject === undefined ? {} : { filter_subject: subject }),
  });
}
