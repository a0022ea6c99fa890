/** Webhook triggers: requests that start runs, and are answered before those end. */

import type { Json, Logger } from "../mod.ts";
import { type BodyReader, parseWeighed, type Weighed } from "./body.ts";
import type { Clock } from "./clock.ts";
import type { Engine } from "./engine.ts";
import { answer, bodyReader, refuseBody, type Route, type Routes } from "./http.ts";
import type { Program } from "./program.ts";
import { lookUp } from "./secrets.ts";
import type { WebhookTrigger } from "./workflow.ts";

/** GitHub may deliver again what it has no answer for; see its "Redeliver" button as well. */
const REMEMBERED_MS = 10 * 60 * 1000;

interface Webhooks {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Logger;
  readonly bodies: BodyReader;
  readonly seen: Deliveries;
}

/** The routes of the triggers of whatever program the engine has at the time. */
export function webhookRoutes(engine: Engine, clock: Clock, log: Logger): Routes {
  const webhooks = { engine, clock, log, bodies: bodyReader(engine), seen: new Deliveries(clock) };
  let program: Program | undefined;
  let routes = new Map<string, Route>();
  return (path) => {
    if (program !== engine.program) {
      program = engine.program;
      routes = compile(webhooks, program);
    }
    return routes.get(path);
  };
}

function compile(webhooks: Webhooks, { workflow }: Program): Map<string, Route> {
  const triggers = workflow.triggers.filter((it) => it.type === "webhook");
  const byPath = Map.groupBy(triggers, (it) => it.path);
  return new Map([...byPath].map(([path, group]) => {
    const github = group.filter((it) => it.provider === "github");
    const handle = github.length > 0 ? receiveGitHub : receivePlain;
    return [path, { POST: (request) => handle(webhooks, request, github).catch(refuseBody) }];
  }));
}

async function receivePlain(webhooks: Webhooks, request: Request): Promise<Response> {
  return accept(webhooks, await webhooks.bodies.readJson(request));
}

/** A run that was accepted is the engine's to finish: the sender does not hear how it ends. */
function accept({ engine }: Webhooks, { input, weight }: Weighed): Response {
  const { runId } = engine.start(input, { weight, later: true });
  return answer(202, { accepted: true, runId });
}

function ignore(reason: string): Response {
  return answer(202, { accepted: false, reason });
}

async function receiveGitHub(
  webhooks: Webhooks,
  request: Request,
  triggers: readonly WebhookTrigger[],
): Promise<Response> {
  const secret = lookUp(webhooks.engine.program.secrets, "github", "webhook_secret");
  if (!secret) return refuseUnverifiable(webhooks);
  const body = await webhooks.bodies.read(request);
  const signature = request.headers.get("x-hub-signature-256") ?? "";
  if (!await verifySignature(secret, body, signature)) {
    return answer(401, { error: "X-Hub-Signature-256 is not this body's signature" });
  }
  const event = request.headers.get("x-github-event") ?? "";
  const weighed = parseWeighed(body, webhooks.engine.admission);
  if (!triggers.some((it) => concerns(it, event, weighed.input))) {
    return ignore(`no trigger is for the event ${event}`);
  }
  const delivery = request.headers.get("x-github-delivery");
  if (delivery !== null && !webhooks.seen.add(delivery)) return ignore("delivered before");
  return accept(webhooks, weighed);
}

/** Without the secret anybody could start runs, so nobody can. */
function refuseUnverifiable({ log }: Webhooks): Response {
  log.error("refused a webhook: the secret github.webhook_secret is not provisioned");
  return answer(503, { error: "this webhook has no secret to verify signatures with" });
}

function concerns(trigger: WebhookTrigger, event: string, input: Json): boolean {
  if (trigger.event !== undefined && trigger.event !== event) return false;
  if (trigger.actions === undefined) return true;
  const action = typeof input === "object" && input !== null && !Array.isArray(input)
    ? input["action"]
    : undefined;
  return typeof action === "string" && trigger.actions.includes(action);
}

/** Whether `signature`, as `sha256=<hex>`, is that of `body`; compared in constant time. */
export async function verifySignature(
  secret: string,
  body: Uint8Array,
  signature: string,
): Promise<boolean> {
  const hex = /^sha256=([0-9a-f]{64})$/.exec(signature)?.[1];
  if (hex === undefined) return false;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const bytes = new TextEncoder().encode(secret);
  const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["verify"]);
  return await crypto.subtle.verify("HMAC", key, Uint8Array.fromHex(hex), Uint8Array.from(body));
}

/** The deliveries of the last ten minutes, oldest first as Map keeps them. */
class Deliveries {
  readonly #clock: Clock;
  readonly #at = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether `id` is new. */
  add(id: string): boolean {
    const now = this.#clock.monotonic();
    for (const [old, at] of this.#at) {
      if (now - at < REMEMBERED_MS) break;
      this.#at.delete(old);
    }
    if (this.#at.has(id)) return false;
    this.#at.set(id, now);
    return true;
  }
}
