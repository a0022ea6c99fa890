/** Webhook triggers: requests that start runs, and are answered before those end. */

import type { Json, Logger, RunTrigger } from "../mod.ts";
import { BodyError, type BodyReader, parseWeighed, type Weighed } from "./body.ts";
import type { Clock } from "./clock.ts";
import { Deliveries } from "./deliveries.ts";
import type { Engine, StartedRun } from "./engine.ts";
import { answer, bodyReader, refuseBody, type Route, type Routes } from "./http.ts";
import type { Program } from "./program.ts";
import { lookUp } from "./secrets.ts";
import type { Verification } from "./verification.ts";
import { idOf, prove, VerifyError } from "./verify.ts";
import type { WebhookTrigger } from "./workflow.ts";

/** The largest that GitHub sends. */
const MAX_GITHUB_BYTES = 25 * 1024 * 1024;

/** https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
const GITHUB: Verification = {
  type: "hmac",
  algorithm: "sha256",
  header: "X-Hub-Signature-256",
  prefix: "sha256=",
  encoding: "hex",
  secret: { service: "github", key: "webhook_secret" },
};

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
    const hook = github.length > 0
      ? { verification: GITHUB, triggers: github }
      : { verification: group[0]?.verify, triggers: group };
    return [path, {
      POST: (request) => answered(webhooks, path, receive(webhooks, request, hook)),
    }];
  }));
}

/** What is at one path: only GitHub's triggers share theirs. */
interface Hook {
  readonly verification: Verification | undefined;
  readonly triggers: readonly WebhookTrigger[];
}

async function answered(
  { log }: Webhooks,
  path: string,
  handling: Promise<Response>,
): Promise<Response> {
  try {
    return await handling;
  } catch (error) {
    if (!(error instanceof VerifyError)) return refuseBody(error);
    const { status, message } = error;
    if (status === 401) return answer(401, { error: message });
    log.error(`refused a webhook at ${path}: ${message}`);
    return answer(503, { error: "this webhook has no secret to verify requests with" });
  }
}

async function receive(webhooks: Webhooks, request: Request, hook: Hook): Promise<Response> {
  const { verification, triggers } = hook;
  if (verification === undefined) {
    const weighed = await webhooks.bodies.readJson(request);
    return accept(start(webhooks, weighed, triggerOf(triggers[0])));
  }
  const { headers } = request;
  const limit = verification === GITHUB ? MAX_GITHUB_BYTES : undefined;
  let reading: Promise<Uint8Array> | undefined;
  const body = (): Promise<Uint8Array> => reading ??= webhooks.bodies.read(request, limit);
  const secret = secretOf(webhooks, verification);
  const marks = await prove(verification, secret, { headers, now: webhooks.clock.now(), body });
  return startDelivery(webhooks, verification, triggers, { headers, body: await body(), marks });
}

/** Without the secret anybody could start runs, so nobody can. */
function secretOf({ engine }: Webhooks, { secret: { service, key } }: Verification): string {
  const secret = lookUp(engine.program.secrets, service, key);
  if (secret) return secret;
  throw new VerifyError(503, `the secret ${service}.${key} is not provisioned`);
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

/** A request that was verified. */
interface Proven {
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** What the same request has again, when somebody repeats it. */
  readonly marks: readonly string[];
}

function startDelivery(
  webhooks: Webhooks,
  verification: Verification,
  triggers: readonly WebhookTrigger[],
  { headers, body, marks }: Proven,
): Response {
  const isGitHub = verification === GITHUB;
  const weighed = parseWeighed(jsonOf(headers, body, isGitHub), webhooks.engine.admission);
  const { input } = weighed;
  if (verification.type === "slack" && isChallenge(input)) {
    return answer(200, { challenge: input.challenge });
  }
  const event = isGitHub ? headers.get("x-github-event") ?? "" : undefined;
  const trigger = triggers.find((it) => event === undefined || concerns(it, event, input));
  if (trigger === undefined) return ignore(`no trigger is for the event ${event}`);
  const id = isGitHub ? headers.get("x-github-delivery") : idOf(verification, headers, input);
  const known = [...marks, ...id ? [`id ${id}`] : []].map((it) => `${trigger.path} ${it}`);
  if (!webhooks.seen.add(known, replayableMs(verification))) return ignore("delivered before");
  const more = { ...event === undefined ? {} : { event }, ...id ? { delivery: id } : {} };
  const started = start(webhooks, weighed, triggerOf(trigger, more));
  forgetFailed(webhooks, started, known);
  return accept(started);
}

/** Until a request is no longer taken for genuine, if its time is as far ahead as it may be. */
function replayableMs(verification: Verification): number {
  return "toleranceMs" in verification ? 2 * verification.toleranceMs + 1 : 0;
}

/** What Slack sends once, to see whether whoever is at this address has the secret. */
function isChallenge(input: Json): input is { type: "url_verification"; challenge: string } {
  return typeof input === "object" && input !== null && !Array.isArray(input) &&
    input["type"] === "url_verification" && typeof input["challenge"] === "string";
}

/** Senders deliver again only when somebody asks for it: after a failure, to have it run again. */
async function forgetFailed(
  { seen }: Webhooks,
  { result }: StartedRun,
  known: readonly string[],
): Promise<void> {
  if (!(await result).success) seen.forget(known);
}

/**
 * The body, or what a form says: GitHub and Slack send JSON in the one field `payload`, and Slack's
 * commands are the fields themselves.
 */
function jsonOf(headers: Headers, body: Uint8Array, isGitHub: boolean): Uint8Array {
  const type = headers.get("content-type") ?? "";
  if (!type.startsWith("application/x-www-form-urlencoded")) return body;
  const fields = new URLSearchParams(new TextDecoder().decode(body));
  const payload = fields.get("payload");
  if (payload !== null) return new TextEncoder().encode(payload);
  if (isGitHub) throw new BodyError(400, "the form has no field payload");
  return new TextEncoder().encode(JSON.stringify(Object.fromEntries(fields)));
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
