import { deepEqual, equal, match } from "node:assert/strict";
import type { Json } from "../mod.ts";
import { systemClock } from "./clock.ts";
import type { Engine } from "./engine.ts";
import { createHandler } from "./http.ts";
import { createLogger } from "./log.ts";
import { FakeClock } from "./testdata/fake_clock.ts";
import { engineFor, programFor, type Setup } from "./testdata/engines.ts";
import { verifySignature, webhookRoutes } from "./webhook.ts";

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

function hooked(trigger: object, setup: Setup = {}): Hooked {
  const inputs: unknown[] = [];
  const clock = new FakeClock();
  const code = (_: unknown, input: unknown): null => (inputs.push(input), null);
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

async function sign(body: string, secret = SECRET): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, [
    "sign",
  ]);
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(body)));
  return `sha256=${bytes.toHex()}`;
}

async function delivery(body: string, headers: Record<string, string> = {}): Promise<RequestInit> {
  const signature = { "x-hub-signature-256": await sign(body), "x-github-event": "push" };
  return { method: "POST", body, headers: { ...signature, ...headers } };
}

const secrets = { github: { webhook_secret: SECRET } };

Deno.test("GitHub's own example of a signature is verified", async () => {
  const body = new TextEncoder().encode("Hello, World!");
  const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  equal(await verifySignature(SECRET, body, signature), true);
  equal(await verifySignature("another secret", body, signature), false);
  equal(await verifySignature(SECRET, new TextEncoder().encode("Hello, World?"), signature), false);
  for (
    const broken of ["", signature.slice(7), signature.slice(0, -1), `${signature}0`, "sha1=00"]
  ) {
    equal(await verifySignature(SECRET, body, broken), false, broken);
  }
});

Deno.test("a webhook is answered with the id of its run, whose input is the body", async () => {
  const { send, inputs } = hooked({ type: "webhook", path: "/in" });
  const { status, body } = await send("/in", { method: "POST", body: '{"a": 1}' });
  deepEqual([status, body], [202, { accepted: true, runId: "run-1" }]);
  deepEqual(inputs, [{ a: 1 }]);
});

Deno.test("the answer does not wait for the run", async () => {
  const gate = Promise.withResolvers<null>();
  const workflow = { triggers: [{ type: "webhook", path: "/in" }] };
  const engine = engineFor(() => gate.promise, { workflow });
  const log = createLogger("engine", engine.program.log);
  const handler = createHandler({ engine, routes: webhookRoutes(engine, systemClock, log) });
  const response = await handler(new Request("http://engine/in", { method: "POST", body: "{}" }));
  deepEqual([response.status, engine.inFlight], [202, 1]);
  gate.resolve(null);
  await engine.idle();
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
    /refused a webhook: the secret github\.webhook_secret is not provisioned/,
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
