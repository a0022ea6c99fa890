/**
 * Requests to answers. No socket here: a test calls the handler with a `Request`, and edge/serve.ts
 * puts a server in front of it.
 */

import type { Json, RunTrigger } from "../mod.ts";
import { BodyError, BodyReader, type Weighed } from "./body.ts";
import { messageOf } from "./errors.ts";
import type { Metrics } from "./metrics.ts";
import { respond, respondJson, stringify } from "./primordials.ts";
import type { RunResult } from "./run.ts";
import type { Engine } from "./engine.ts";

export type Handler = (request: Request) => Response | Promise<Response>;

/** What a path answers, by method. */
export type Route = Readonly<Partial<Record<"GET" | "POST", Handler>>>;

/** Consulted at every request: triggers may change while the engine runs. */
export type Routes = (path: string) => Route | undefined;

/** What one listener serves; each has `GET /health`. */
export interface HttpOptions {
  /** Serves `POST /run`. */
  readonly engine?: Engine;
  /** Why queue triggers receive nothing, by subject: for `GET /health`. */
  readonly problems?: () => Readonly<Record<string, string>>;
  /** Serves `GET /metrics`. */
  readonly metrics?: Metrics;
  /** Paths besides the engine's own. */
  readonly routes?: Routes;
  /** Refuses what a web page can send: for a listener on a developer's machine. */
  readonly local?: boolean;
  /** Asks clients to take their next request to another connection, and so to another pod. */
  readonly draining?: () => boolean;
}

const RUN = "/run";

export function createHandler(options: HttpOptions): Handler {
  const { engine, draining, metrics } = options;
  const leave = (response: Response): Response => {
    if (draining?.()) response.headers.set("connection", "close");
    return response;
  };
  const run = engine && runHandler(engine, leave, options.local);
  const own: Readonly<Record<string, Route>> = {
    ...(run && { [RUN]: { POST: run } }),
    "/health": { GET: () => answer(200, health(options.problems?.() ?? {}), identity(engine)) },
    ...(metrics === undefined ? {} : { "/metrics": { GET: () => exposition(metrics) } }),
  };
  const refuse = options.local ? refuseForeign : refuseHost;
  const handle = async (request: Request, path: string): Promise<Response> => {
    const route = Object.hasOwn(own, path) ? own[path] : options.routes?.(path);
    return leave(await dispatch(route, request, path));
  };
  // Not an async function, and a run has its own way: every promise on it counts.
  return (request) => {
    const refused = refuse(request);
    if (refused !== undefined) return refused;
    const path = pathOf(request.url);
    return run !== undefined && path === RUN && request.method === "POST"
      ? run(request)
      : handle(request, path);
  };
}

/** Always with status 200: HTTP goes on without the queues, and a restart would not bring them back. */
function health(queues: Readonly<Record<string, string>>): object {
  const well = Object.keys(queues).length === 0;
  return well ? { status: "ok" } : { status: "degraded", queues };
}

/** Beside the body, which health checks compare. */
function identity(engine: Engine | undefined): Record<string, string> {
  const loaded = engine?.program.loaded;
  return loaded === undefined ? {} : { "tentacular-revision": loaded.revision };
}

const HOST = /^[\w.:[\]-]*$/;

/**
 * Most requests have the URL of the one before, and asking for a header takes a call into the runtime. A URL with one `/`
 * behind the host has it from the path, so that no other host gives the same URL.
 */
let lastUrl = "";

/** Deno puts the Host header into the request's URL as it is, where a `/` or `?` in it would choose the path. */
function refuseHost(request: Request): Response | undefined {
  const { url } = request;
  if (url === lastUrl) return undefined;
  const host = request.headers.get("host");
  if (host === null) return undefined;
  if (!HOST.test(host)) return answer(400, { error: "the Host header is not a host" });
  if (url.lastIndexOf("/") === url.indexOf("/", "https://".length)) lastUrl = url;
  return undefined;
}

/**
 * A web page may send simple requests to a developer's own machine, where the secrets are real. Its
 * browser names the page in `Origin`, and the name that the page used for this machine in `Host`.
 */
function refuseForeign(request: Request): Response | undefined {
  const host = request.headers.get("host") ?? "localhost";
  const origin = request.headers.get("origin");
  const foreign = origin !== null && origin !== `http://${host}`;
  if (!foreign && /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host)) return undefined;
  return answer(403, { error: "requests of web pages are refused here" });
}

/**
 * No web page can send this type to another origin unless that agrees (Fetch standard, "CORS-safelisted
 * request-header"): it holds where a browser, or what sits between, leaves `Origin` out.
 */
function onlyJson(handler: Handler): Handler {
  return (request) => {
    const type = request.headers.get("content-type")?.split(";", 1)[0];
    if (type?.trim().toLowerCase() === "application/json") return handler(request);
    return answer(415, {
      error: "/run takes content-type: application/json here, as curl --json sends it",
    });
  };
}

function dispatch(
  route: Route | undefined,
  request: Request,
  path: string,
): Response | Promise<Response> {
  if (route === undefined) return answer(404, { error: `there is nothing at ${path}` });
  const handler = handlerOf(route, request.method);
  return handler === undefined ? refuseMethod(route, request.method, path) : handler(request);
}

/** The server leaves the body out of an answer to HEAD. */
function handlerOf(route: Route, method: string): Handler | undefined {
  if (method === "POST") return route.POST;
  return method === "GET" || method === "HEAD" ? route.GET : undefined;
}

function refuseMethod(route: Route, method: string, path: string): Response {
  const allow = Object.keys(route).join(", ");
  return answer(405, { error: `${path} answers ${allow}, not ${method}` }, { allow });
}

/** 422, not 5xx: clients that retry on 5xx would run a failing workflow again and again. */
function runHandler(
  engine: Engine,
  leave: (response: Response) => Response,
  local = false,
): Handler {
  const bodies = bodyReader(engine);
  const handler = async (request: Request): Promise<Response> => {
    let weighed: Weighed;
    try {
      weighed = await bodies.readJson(request);
    } catch (error) {
      return leave(refuseBody(error));
    }
    const { input, weight } = weighed;
    const result = await engine.run(input, { weight, trigger: triggerOf(engine, input) });
    return leave(answerResult(result));
  };
  return local ? onlyJson(handler) : handler;
}

/** The pod of a CronJob sends its trigger's name; everybody else asks by hand. */
function triggerOf({ program }: Engine, input: Json): RunTrigger | undefined {
  const name = typeof input === "object" && input !== null && !Array.isArray(input)
    ? input["trigger"]
    : undefined;
  if (typeof name !== "string") return undefined;
  const { triggers } = program.workflow;
  return triggers.some((it) => it.type === "cron" && it.name === name)
    ? Object.freeze({ type: "cron", name })
    : undefined;
}

export function bodyReader({ admission, program }: Engine): BodyReader {
  return new BodyReader(admission, program.plan.clock);
}

/**
 * The run is over, whatever becomes of its result: an answer that cannot be written is no reason to
 * ask again, and a node may have broken how things are written.
 */
function answerResult(result: RunResult): Response {
  try {
    return result.success ? respondJson(result) : respondJson(result, { status: 422 });
  } catch (error) {
    return json(422, unwritable(result, messageOf(error)));
  }
}

function unwritable({ runId }: RunResult, reason: string): string {
  const error = stringify(`the result could not be written: ${reason}`);
  return `{"success":false,"outputs":{},"errors":[${error}],"runId":${stringify(runId)}}`;
}

function json(status: number, body: string, headers?: Record<string, string>): Response {
  return respond(body, {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}

/** The one answer that is not JSON: Prometheus has a format of its own. */
async function exposition(metrics: Metrics): Promise<Response> {
  return respond(await metrics.render(), {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
  });
}

/** For what a {@linkcode BodyReader} throws. Nothing has run: asking again is safe after a 503. */
export function refuseBody(error: unknown): Response {
  if (!(error instanceof BodyError)) throw error;
  const body = { error: error.message };
  if (error.status === 503) return answer(503, body, { "retry-after": "1" });
  // What is left of such a body is not worth reading.
  return answer(error.status, body, error.status === 408 ? { connection: "close" } : undefined);
}

/** An answer is always JSON. */
export function answer(status: number, body: unknown, headers?: Record<string, string>): Response {
  return json(status, stringify(body), headers);
}

/** `new URL` would do, at ten times the cost; a request's URL is absolute, and its host has been looked at. */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const query = url.indexOf("?", start);
  return query < 0 ? url.slice(start) : url.slice(start, query);
}
