/** The streams and consumers of durable triggers: found, or made when missing. */

import { covers } from "../core/subject.ts";
import type { QueueTrigger } from "../core/workflow.ts";
import type { JetStreamManager, StreamConfig } from "../vendor/nats.js";

/** The name of the stream that holds all of `subject`, made as `fallback` when there is none. */
export async function ensureStream(
  manager: JetStreamManager,
  subject: string,
  fallback: string,
): Promise<string> {
  // Kept until every consumer has acknowledged: nothing is lost, and nothing piles up.
  const config = { name: fallback, subjects: [subject], retention: "interest" } as const;
  return await findStream(manager, subject) ?? await addStream(manager, config);
}

/** One for each prefix, shared by all workflows: dead letters are looked at in one place. */
export async function ensureDeadLetters(
  manager: JetStreamManager,
  { dlq, subject }: QueueTrigger,
): Promise<void> {
  if (await findStream(manager, `${dlq}.${subject}`) !== undefined) return;
  const name = `dead-letters_${dlq.replaceAll(".", "_")}`;
  await addStream(manager, { name, subjects: [`${dlq}.>`], retention: "limits" });
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

/** Several engines may find it missing at once: adding what is there already is no error. */
async function addStream(manager: JetStreamManager, config: StreamConfig): Promise<string> {
  const description = "made by tentacular";
  await manager.streams.add({ ...config, storage: "file", description });
  return config.name;
}

/** Without a limit on deliveries: the engine judges, as only it can leave a dead letter. */
export async function ensureConsumer(
  manager: JetStreamManager,
  stream: string,
  durable: string,
  subject: string,
  ackWaitMs: number,
): Promise<void> {
  await manager.consumers.add(stream, {
    durable_name: durable,
    ack_policy: "explicit",
    deliver_policy: "all",
    filter_subject: subject,
    ack_wait: ackWaitMs * 1_000_000,
    max_deliver: -1,
  });
}
