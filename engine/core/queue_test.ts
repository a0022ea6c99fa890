import { deepEqual, equal, match } from "node:assert/strict";
import {
  consumerName,
  deadLetterStream,
  groupName,
  isLastDelivery,
  isLethal,
  judge,
  messageInput,
  queueSettings,
  Slots,
} from "./queue.ts";
import { programFor } from "./testdata/engines.ts";
import type { QueueTrigger } from "./workflow.ts";

const TRIGGER: QueueTrigger = {
  type: "queue",
  subject: "events.>",
  durable: true,
  maxDeliver: 3,
  dlq: "dlq",
};

Deno.test("a payload is JSON, an object naming its trigger, or text", () => {
  const input = (text: string, trigger = TRIGGER): unknown =>
    messageInput(new TextEncoder().encode(text), trigger);
  deepEqual(input('{"a": 1}'), { a: 1, trigger: "events.>" });
  deepEqual(input('{"a": 1}', { ...TRIGGER, name: "hook" }), { a: 1, trigger: "hook" });
  deepEqual(input('{"data": "x"}'), { data: "x", trigger: "events.>" });
  deepEqual(input("[1]"), [1]);
  deepEqual(input("null"), null);
  deepEqual(input("12"), 12);
  deepEqual(input("hello"), { data: "hello" });
  deepEqual(input(""), { trigger: "events.>" });
  deepEqual(messageInput(new Uint8Array([0xff]), TRIGGER), { data: "\ufffd" });
});

Deno.test("what a queue trigger lacks is a sentence", () => {
  const settings = (config: object, secrets = {}): unknown =>
    queueSettings(
      programFor(() => 1, {
        workflow: { triggers: [{ type: "queue", subject: "a" }], config },
        secrets,
      }),
    );
  match(String(settings({})), /nats_url is not set/);
  match(String(settings({ nats_url: "h:1" })), /nats\.token is not provisioned/);
  const { triggers, ...rest } = settings({ nats_url: "h:1" }, { nats: { token: "t" } }) as {
    triggers: unknown[];
  };
  deepEqual(rest, { url: "h:1", token: "t" });
  equal(triggers.length, 1);
  equal(queueSettings(programFor(() => 1)), undefined);
});

Deno.test("no two deployments, and no two triggers, share a name", () => {
  equal(groupName("ns/wf", "x"), "ns_wf");
  equal(groupName(undefined, "wf"), "local_wf");
  const name = (subject: string, key?: string): string =>
    consumerName("ns_wf", { ...TRIGGER, subject, ...(key === undefined ? {} : { name: key }) });
  equal(name("a.b", "hook"), "ns_wf_hook");
  const names = ["a.b", "a-b", "a.*", "a.>", "a=2eb"].map((it) => name(it));
  equal(new Set(names).size, names.length);
  for (const it of names) match(it, /^[A-Za-z0-9_=-]+$/);
});

Deno.test("a failed message comes again later and later, and then is dead", () => {
  const trigger = { ...TRIGGER, maxDeliver: 20 };
  deepEqual([1, 2, 3].map((it) => judge(trigger, it)), [
    { retryInMs: 1000 },
    { retryInMs: 2000 },
    { retryInMs: 4000 },
  ]);
  deepEqual(judge(trigger, 19), { retryInMs: 300_000 });
  equal(judge(trigger, 20), "dead");
  equal(judge(trigger, 27), "dead");
});

Deno.test("engines that die do not bury a message, unless it must be the message", () => {
  equal(isLethal(TRIGGER, 4), false);
  equal(isLethal(TRIGGER, 6), false);
  equal(isLethal(TRIGGER, 7), true);
});

Deno.test("only the last delivery before that runs alone by its count", () => {
  deepEqual([3, 4, 5, 6].map((it) => isLastDelivery(TRIGGER, it)), [false, false, false, true]);
  deepEqual([1, 2].map((it) => isLastDelivery({ ...TRIGGER, maxDeliver: 1 }, it)), [false, true]);
});

Deno.test("no two prefixes of dead letters share a stream", () => {
  const names = ["dlq", "a.b", "a_b", "a=2eb"].map(deadLetterStream);
  equal(new Set(names).size, names.length);
  equal(names[0], "dead-letters_dlq");
});

Deno.test("slots are handed on in order", async () => {
  const slots = new Slots(1);
  const order: number[] = [];
  await slots.take();
  const waiting = [1, 2].map(async (it) => {
    await slots.take();
    order.push(it);
  });
  deepEqual([slots.free, slots.waiting], [0, 2]);
  slots.give();
  slots.give();
  await Promise.all(waiting);
  deepEqual(order, [1, 2]);
  slots.give();
  deepEqual([slots.free, slots.waiting], [1, 0]);
});
