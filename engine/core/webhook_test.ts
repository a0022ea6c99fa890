import { deepEqual, equal, match } from "node:assert/strict";
import type { Json } from "../mod.ts";
import { systemClock } from "./clock.ts";
import type { Engine } from "./engine.ts";
import { createHandler } from "./http.ts";
import { createLogger } from "./log.ts";
import { FakeClock } from "./testdata/fake_clock.ts";
import { type Code, engineFor, programFor, type Setup } from "./testdata/engines.ts";
import { webhookRoutes } from "./webhook.ts";

const SECRET = "It's a Secret to Everybody";
const GITHUB = { type: "webhook", provider: "github" };

interface Hooked {
  readonly engine: Engine;
  readonly inputs: unknown[];
  readonly clock: FakeClock;
  readonly send: (path: string, init: RequestInit) => Promise<Answer>;
}

interface Answer {
  readonly status: number;
  readonly body: { [key: string]: Json };
}

interface HookSetup extends Setup {
  /** Notes the inputs when absent. */
  readonly code?: Code;
}

function hooked(trigger: object, setup: HookSetup = {}): Hooked {
  const inputs: unknown[] = [];
  const clock = new FakeClock();
  const code = setup.code ?? ((_, input): null => (inputs.push(input), null));
  const engine = engineFor(code, { workflow: { triggers: [trigger] }, ...setup });
  const log = createLogger("engine", engine.program.log);
  const handler = createHandler({ engine, routes: webhookRoutes(engine, clock, log) });
  const send = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await handler(new Request(`http://engine${path}`, init));
    const answer = { status: response.status, body: await response.json() };
    await engine.idle();
    return answer;
  };
  return { engine, inputs, clock, send };
}

async function hmac(text: string, secret: string): Promise<Uint8Array> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, [
    "sign",
  ]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
}

async function sign(body: string, secret = SECRET): Promise<string> {
  return `sha256=${(await hmac(body, secret)).toHex()}`;
}

async function delivery(body: string, headers: Record<string, string> = {}): Promise<RequestInit> {
  const signature = { "x-hub-signature-256": await sign(body), "x-github-event": "push" };
  return { method: "POST", body, headers: { ...signature, ...headers } };
}

const secrets = { github: { webhook_secret: SECRET } };

Deno.test("a webhook is answered with the id of its run, whose input is the body", async () => {
  const { send, inputs } = hooked({ type: "webhook", path: "/in" });
  const { status, body } = await send("/in", { method: "POST", body: '{"a": 1}' });
  deepEqual([status, body], [202, { accepted: true, runId: "run-1" }]);
  deepEqual(inputs, [{ a: 1 }]);
});

Deno.test("a webhook answers 400 and 405 as /run does", async () => {
  const { send, inputs } = hooked({ type: "webhook", path: "/in" });
  equal((await send("/in", { method: "POST", body: "{" })).status, 400);
  equal((await send("/in", {})).status, 405);
  deepEqual(inputs, []);
});

Deno.test("a signed delivery runs, an unsigned or wrongly signed one does not", async () => {
  const { send, inputs } = hooked(GITHUB, { secrets });
  equal((await send("/webhook/github", await delivery('{"n": 1}'))).status, 202);
  const unsigned = await send("/webhook/github", { method: "POST", body: '{"n": 2}' });
  equal(unsigned.status, 401);
  const forged = await delivery("{}", { "x-hub-signature-256": await sign("{}", "guess") });
  equal((await send("/webhook/github", forged)).status, 401);
  deepEqual(inputs, [{ n: 1 }]);
});

Deno.test("without its secret a GitHub webhook is refused, not waved through", async () => {
  const lines: string[] = [];
  for (const none of [{}, { github: { webhook_secret: "" } }]) {
    const { send, inputs } = hooked(GITHUB, { secrets: none, lines });
    equal((await send("/webhook/github", await delivery("{}"))).status, 503);
    deepEqual(inputs, []);
  }
  match(
    lines.join("\n"),
    /refused a webhook at \/webhook\/github: the secret github\.webhook_secret is not provisioned/,
  );
});

Deno.test("a delivery seen within ten minutes does not run again", async () => {
  const { send, inputs, clock } = hooked(GITHUB, { secrets });
  const headers = { "x-github-delivery": "d-1" };
  await send("/webhook/github", await delivery("{}", headers));
  clock.advance(10 * 60 * 1000 - 1);
  const again = await send("/webhook/github", await delivery("{}", headers));
  deepEqual([again.status, again.body], [202, { accepted: false, reason: "delivered before" }]);
  await send("/webhook/github", await delivery("[]", { "x-github-delivery": "d-2" }));
  equal(inputs.length, 2);
  clock.advance(1);
  await send("/webhook/github", await delivery("{}", headers));
  equal(inputs.length, 3);
});

Deno.test("a forged delivery does not use up a delivery's id", async () => {
  const { send, inputs } = hooked(GITHUB, { secrets });
  const headers = { "x-github-delivery": "d-1" };
  await send("/webhook/github", { method: "POST", body: "{}", headers });
  await send("/webhook/github", await delivery("{}", headers));
  equal(inputs.length, 1);
});

Deno.test("events and actions that no trigger is for are acknowledged and ignored", async () => {
  const { send, inputs } = hooked({ ...GITHUB, event: "issues", actions: ["opened"] }, { secrets });
  const cases: [string, string, boolean][] = [
    ["push", "{}", false],
    ["issues", '{"action": "closed"}', false],
    ["issues", "[]", false],
    ["issues", '{"action": "opened"}', true],
  ];
  for (const [event, body, accepted] of cases) {
    const answered = await send(
      "/webhook/github",
      await delivery(body, { "x-github-event": event }),
    );
    deepEqual([answered.status, answered.body["accepted"]], [202, accepted], `${event} ${body}`);
  }
  deepEqual(inputs, [{ action: "opened" }]);
});

Deno.test("a reload changes the routes", async () => {
  const { send, engine, inputs } = hooked({ type: "webhook", path: "/old" });
  const workflow = { triggers: [{ type: "webhook", path: "/new" }] };
  engine.replace(programFor((_, input) => (inputs.push(input), null), { workflow }));
  equal((await send("/old", { method: "POST", body: "{}" })).status, 404);
  equal((await send("/new", { method: "POST", body: "{}" })).status, 202);
});

Deno.test("GitHub's default form is read, and signed as it comes", async () => {
  const { send, inputs } = hooked(GITHUB, { secrets });
  const body = new URLSearchParams({ payload: '{"action":"opened","text":"a&b=c+d"}' }).toString();
  const init = await delivery(body, { "content-type": "application/x-www-form-urlencoded" });
  equal((await send("/webhook/github", init)).body["accepted"], true);
  deepEqual(inputs, [{ action: "opened", text: "a&b=c+d" }]);
  const empty = await delivery("a=b", { "content-type": "application/x-www-form-urlencoded" });
  equal((await send("/webhook/github", empty)).status, 400);
});

Deno.test("a ping is acknowledged and starts nothing, unless a trigger is for it", async () => {
  const ping = { "x-github-event": "ping" };
  const { send, inputs } = hooked(GITHUB, { secrets });
  equal((await send("/webhook/github", await delivery("{}", ping))).body["accepted"], false);
  deepEqual(inputs, []);
  const asked = hooked({ ...GITHUB, event: "ping" }, { secrets });
  equal((await asked.send("/webhook/github", await delivery("{}", ping))).body["accepted"], true);
});

Deno.test("a replay under another id is ignored, and a redelivery after a failure runs", async () => {
  let fails = true;
  const engine = engineFor(() => {
    if (fails) throw new Error("not now");
    return 1;
  }, { workflow: { triggers: [GITHUB] }, secrets });
  const log = createLogger("engine", engine.program.log);
  const handler = createHandler({ routes: webhookRoutes(engine, systemClock, log) });
  const send = async (id: string): Promise<Json | undefined> => {
    const init = await delivery("{}", { "x-github-delivery": id });
    const response = await handler(new Request("http://engine/webhook/github", init));
    await engine.idle();
    await Promise.resolve();
    return (await response.json()).accepted;
  };
  deepEqual([await send("1")], [true]);
  fails = false;
  deepEqual([await send("1"), await send("1"), await send("2")], [true, false, false]);
});

Deno.test("a node knows its run, and what started it", async () => {
  const seen: Json[] = [];
  const engine = engineFor((ctx) => (seen.push(ctx.run as unknown as Json), 1), {
    workflow: {
      triggers: [{ ...GITHUB, name: "hook" }, { type: "cron", schedule: "@daily", name: "daily" }],
    },
    secrets,
  });
  const log = createLogger("engine", engine.program.log);
  const handler = createHandler({ engine, routes: webhookRoutes(engine, systemClock, log) });
  const init = await delivery("{}", { "x-github-delivery": "7" });
  await handler(new Request("http://engine/webhook/github", init));
  await engine.idle();
  for (const body of ["{}", '{"trigger":"daily"}', '{"trigger":"other"}']) {
    await handler(new Request("http://engine/run", { method: "POST", body }));
  }
  deepEqual(seen, [
    {
      id: "run-1",
      attempt: 1,
      trigger: { type: "webhook", name: "hook", event: "push", delivery: "7" },
    },
    { id: "run-2", attempt: 1, trigger: { type: "manual" } },
    { id: "run-3", attempt: 1, trigger: { type: "cron", name: "daily" } },
    { id: "run-4", attempt: 1, trigger: { type: "manual" } },
  ]);
});

Deno.test("a webhook is answered before its run begins", async () => {
  let began = false;
  const engine = engineFor(() => began = true, {
    workflow: { triggers: [{ type: "webhook", path: "/in" }] },
  });
  const log = createLogger("engine", engine.program.log);
  const handler = createHandler({ routes: webhookRoutes(engine, systemClock, log) });
  const response = await handler(new Request("http://engine/in", { method: "POST", body: "{}" }));
  deepEqual([response.status, began], [202, false]);
  await engine.idle();
  equal(began, true);
});

const KEY = "bm90LWEtc2VjcmV0LW9mLWFueWJvZHk=";

/** A genuine request of each kind of sender, at a time in seconds. */
const SENDERS: Readonly<
  Record<string, (body: string, at: number) => Promise<Record<string, string>>>
> = {
  hmac: async (body) => ({ "x-signature": (await hmac(body, KEY)).toBase64() }),
  "standard-webhooks": async (body, at) => {
    const signature = await hmac(`msg_${at}.${at}.${body}`, atob(KEY));
    return {
      "webhook-id": `msg_${at}`,
      "webhook-timestamp": String(at),
      "webhook-signature": `v1,${signature.toBase64()}`,
    };
  },
  stripe: async (body, at) => ({
    "stripe-signature": `t=${at},v1=${(await hmac(`${at}.${body}`, KEY)).toHex()}`,
  }),
  slack: async (body, at) => ({
    "x-slack-request-timestamp": String(at),
    "x-slack-signature": `v0=${(await hmac(`v0:${at}:${body}`, KEY)).toHex()}`,
  }),
  bearer: () => Promise.resolve({ authorization: `Bearer ${KEY}` }),
};

function verified(type: string, setup: HookSetup = {}): Hooked & {
  readonly deliver: (body: string, headers?: Record<string, string>) => Promise<Answer>;
} {
  const how = type === "hmac"
    ? { hmac: "sha256", header: "X-Signature", encoding: "base64" }
    : { type };
  const trigger = { type: "webhook", path: "/in", verify: { ...how, secret: "shop.key" } };
  const all = hooked(trigger, { secrets: { shop: { key: KEY } }, ...setup });
  all.clock.advance(1_800_000_000_000);
  const deliver = async (body: string, more: Record<string, string> = {}): Promise<Answer> => {
    const at = Math.floor(all.clock.now() / 1000);
    const headers = { ...await SENDERS[type]?.(body, at), ...more };
    return await all.send("/in", { method: "POST", body, headers });
  };
  return { ...all, deliver };
}

for (const type of Object.keys(SENDERS)) {
  Deno.test(`a request that is verified runs, and no other: ${type}`, async () => {
    const { deliver, send, inputs } = verified(type);
    deepEqual((await deliver('{"n": 1}')).body, { accepted: true, runId: "run-1" });
    equal((await send("/in", { method: "POST", body: '{"n": 2}' })).status, 401);
    const headers = await SENDERS[type]?.("{}", 0) ?? {};
    if (type !== "bearer") {
      equal((await send("/in", { method: "POST", body: '{"n": 3}', headers })).status, 401);
    }
    equal((await deliver("{")).status, 400);
    deepEqual(inputs, [{ n: 1 }]);
  });

  Deno.test(`without its secret a webhook is refused, and the log says so: ${type}`, async () => {
    const lines: string[] = [];
    for (const secrets of [{}, { shop: { key: "" } }, { shop: { other: "x" } }]) {
      const { deliver, inputs } = verified(type, { secrets, lines });
      equal((await deliver("{}")).status, 503);
      deepEqual(inputs, []);
    }
    equal(lines.length, 3);
    match(lines[0] ?? "", /refused a webhook at \/in: the secret shop\.key is not provisioned/);
  });
}

for (const type of ["hmac", "standard-webhooks", "stripe", "slack"]) {
  Deno.test(`a replay is ignored for as long as it could be taken for good: ${type}`, async () => {
    const { deliver, send, clock, inputs } = verified(type);
    const headers = await SENDERS[type]?.("{}", clock.now() / 1000 + 300) ?? {};
    const replay = (): Promise<Answer> => send("/in", { method: "POST", body: "{}", headers });
    deepEqual((await replay()).body["accepted"], true);
    for (const after of [0, 1_000, type === "hmac" ? 598_999 : 599_000]) {
      clock.advance(after);
      deepEqual((await replay()).body, { accepted: false, reason: "delivered before" });
    }
    clock.advance(1_000);
    const later = await replay();
    // A signature without a time is good for ever: after ten minutes it is a delivery of its own.
    deepEqual([later.status, inputs.length], type === "hmac" ? [202, 2] : [401, 1]);
    equal((await deliver('{"fresh": true}')).body["accepted"], true);
  });
}

Deno.test("a delivery that its sender names the same runs once, unless its run failed", async () => {
  for (const [type, body] of [["stripe", '{"id": "evt_1"}'], ["slack", '{"event_id": "Ev1"}']]) {
    let fails = true;
    const code = (): number => {
      if (fails) throw new Error("not now");
      return 1;
    };
    const { deliver, clock } = verified(type ?? "", { code });
    const again = async (): Promise<Json | undefined> => {
      clock.advance(1_000);
      const answered = await deliver(body ?? "");
      await Promise.resolve();
      return answered.body["accepted"];
    };
    equal(await again(), true);
    fails = false;
    deepEqual([await again(), await again()], [true, false], type);
  }
});

Deno.test("the same body may come again with another signature, or with a token", async () => {
  for (const type of ["stripe", "slack", "standard-webhooks", "bearer"]) {
    const { deliver, clock, inputs } = verified(type);
    await deliver("{}");
    clock.advance(1_000);
    equal((await deliver("{}")).body["accepted"], true, type);
    equal(inputs.length, 2);
  }
});

Deno.test("Slack's challenge is answered once it is verified, and starts nothing", async () => {
  const { deliver, send, inputs } = verified("slack");
  const body =
    '{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","challenge":"3eZbrw1aBm2rZgRNFdxV","type":"url_verification"}';
  deepEqual(await deliver(body), { status: 200, body: { challenge: "3eZbrw1aBm2rZgRNFdxV" } });
  equal((await send("/in", { method: "POST", body })).status, 401);
  deepEqual(inputs, []);
  equal((await verified("stripe").deliver(body)).status, 202);
});

Deno.test("a form of Slack is the JSON of its payload, or its fields", async () => {
  const { deliver, inputs } = verified("slack");
  const form = { "content-type": "application/x-www-form-urlencoded" };
  await deliver("command=%2Fweather&text=94070+now", form);
  await deliver(`payload=${encodeURIComponent('{"type":"block_actions"}')}`, form);
  deepEqual(inputs, [{ command: "/weather", text: "94070 now" }, { type: "block_actions" }]);
});

Deno.test("a node sees what the sender calls the delivery", async () => {
  const cases: [string, string, string | undefined][] = [
    ["standard-webhooks", "{}", "msg_1800000000"],
    ["stripe", '{"id": "evt_1"}', "evt_1"],
    ["slack", '{"event_id": "Ev1"}', "Ev1"],
    ["hmac", '{"id": "1"}', undefined],
    ["bearer", '{"id": "1"}', undefined],
  ];
  for (const [type, body, delivery] of cases) {
    const seen: unknown[] = [];
    const { deliver } = verified(type, { code: (ctx) => (seen.push(ctx.run.trigger), 1) });
    await deliver(body);
    const expected = delivery === undefined ? {} : { delivery };
    deepEqual(seen, [{ type: "webhook", ...expected }], type);
  }
});

Deno.test("a body that nobody vouches for is not read", async () => {
  for (const type of Object.keys(SENDERS)) {
    const { engine } = verified(type);
    const log = createLogger("engine", engine.program.log);
    const handler = createHandler({ routes: webhookRoutes(engine, systemClock, log) });
    const body = new ReadableStream({ pull: () => Promise.reject(new Error("was read")) }, {
      highWaterMark: 0,
    });
    const response = await handler(new Request("http://engine/in", { method: "POST", body }));
    equal(response.status, 401, type);
  }
});
