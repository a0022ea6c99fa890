/** Webhook triggers: requests that start runs, and are answered before those end. */

import type { Json, Logger, RunTrigger } from "../mod.ts";
import { BodyError, type BodyReader, parseWeighed, type Weighed } from "./body.ts";
import type { Clock } from "./clock.ts";
import type { Engine, StartedRun } from "./engine.ts";
import { importKey, verify } from "./primordials.ts";
import { answer, bodyReader, refuseBody, type Route, type Routes } from "./http.ts";
import type { Program } from "./program.ts";
import { lookUp } from "./secrets.ts";
import type { WebhookTrigger } from "./workflow.ts";

/** The largest that GitHub sends. */
const MAX_GITHUB_BYTES = 25 * 1024 * 1024;

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
    const known = github.length > 0 ? github : group;
    return [path, { POST: (request) => answered(handle(webhooks, request, known)) }];
  }));
}

async function answered(handling: Promise<Response>): Promise<Response> {
  try {
    return await handling;
  } catch (error) {
    return refuseBody(error);
  }
}

async function receivePlain(
  webhooks: Webhooks,
  request: Request,
  [trigger]: readonly WebhookTrigger[],
): Promise<Response> {
  const weighed = await webhooks.bodies.readJson(request);
  return accept(start(webhooks, weighed, triggerOf(trigger)));
}

function triggerOf(trigger: WebhookTrigger | undefined, more: object = {}): RunTrigger {
  const name = trigger?.name === undefined ? {} : { name: trigger.name };
  return Object.freeze({ type: "webhook", ...name, ...more });
}

function start({ engine }: Webhooks, { input, weight }: Weighed, trigger: RunTrigger): StartedRun {
  return engine.start(input, { weight, trigger, later: true });
}

/** A run that was accepted is the engine's to finish: the sender does not hear how it ends. */
function accept({ runId }: StartedRun): Response {
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
  const body = await webhooks.bodies.read(request, MAX_GITHUB_BYTES);
  const signature = request.headers.get("x-hub-signature-256") ?? "";
  if (!await verifySignature(secret, body, signature)) {
    return answer(401, { error: "X-Hub-Signature-256 is not this body's signature" });
  }
  return startDelivery(webhooks, request.headers, body, triggers);
}

function startDelivery(
  webhooks: Webhooks,
  headers: Headers,
  body: Uint8Array,
  triggers: readonly WebhookTrigger[],
): Response {
  const event = headers.get("x-github-event") ?? "";
  const form = headers.get("content-type")?.startsWith("application/x-www-form-urlencoded");
  const weighed = parseWeighed(form ? payloadOf(body) : body, webhooks.engine.admission);
  const trigger = triggers.find((it) => concerns(it, event, weighed.input));
  if (trigger === undefined) return ignore(`no trigger is for the event ${event}`);
  const delivery = headers.get("x-github-delivery");
  const known = [`body ${headers.get("x-hub-signature-256")}`];
  if (delivery !== null) known.push(`id ${delivery}`);
  if (!webhooks.seen.add(known)) return ignore("delivered before");
  const more = { event, ...(delivery === null ? {} : { delivery }) };
  const started = start(webhooks, weighed, triggerOf(trigger, more));
  forgetFailed(webhooks, started, known);
  return accept(started);
}

/** GitHub delivers again only when somebody asks for it: after a failure, to have it run again. */
async function forgetFailed(
  { seen }: Webhooks,
  { result }: StartedRun,
  known: readonly string[],
): Promise<void> {
  if (!(await result).success) seen.forget(known);
}

/** What GitHub sends by default: a form whose one field is the JSON. */
function payloadOf(body: Uint8Array): Uint8Array {
  const payload = new URLSearchParams(new TextDecoder().decode(body)).get("payload");
  if (payload === null) throw new BodyError(400, "the form has no field payload");
  return new TextEncoder().encode(payload);
}

/** Without the secret anybody could start runs, so nobody can. */
function refuseUnverifiable({ log }: Webhooks): Response {
  log.error("refused a webhook: the secret github.webhook_secret is not provisioned");
  return answer(503, { error: "this webhook has no secret to verify signatures with" });
}

/** A ping, which GitHub sends to try a new webhook, starts a run only where one asks for pings. */
function concerns(trigger: WebhookTrigger, event: string, input: Json): boolean {
  if (event === "ping" && trigger.event !== "ping") return false;
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
  const key = await importKey("raw", bytes, algorithm, false, ["verify"]);
  return await verify("HMAC", key, Uint8Array.fromHex(hex), body as Uint8Array<ArrayBuffer>);
}

/** The deliveries of the last ten minutes, oldest first as Map keeps them. */
class Deliveries {
  readonly #clock: Clock;
  readonly #at = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Whether none of these is known: the id of a delivery, which its sender does not sign, and the
   * signature of its body, which a replay under another id has, too.
   */
  add(ids: readonly string[]): boolean {
    const now = this.#clock.monotonic();
    for (const [old, at] of this.#at) {
      if (now - at < REMEMBERED_MS) break;
      this.#at.delete(old);
    }
    if (ids.some((id) => this.#at.has(id))) return false;
    for (const id of ids) this.#at.set(id, now);
    return true;
  }

  forget(ids: readonly string[]): void {
    for (const id of ids) this.#at.delete(id);
  }
}
