/** What a node is given besides its input. */

import type { Context, Dependency, Logger } from "../mod.ts";
import type { Attempt } from "./attempt.ts";
import { fetchWithin } from "./redirect.ts";
import { lookUp, type Secrets } from "./secrets.ts";
import type { DependencySpec } from "./workflow.ts";

/** Shared by every context of one workflow; nothing in it can be changed by a node. */
export interface ContextPlan {
  readonly config: Readonly<Record<string, unknown>>;
  readonly secrets: Secrets;
  readonly dependencies: ReadonlyMap<string, DependencySpec>;
  /** Those that the node is given, when its `uses` says so. */
  readonly uses?: readonly string[] | undefined;
  readonly logger: (attempt: Attempt) => Logger;
  readonly fetch: typeof fetch;
}

/** The scheme of a protocol's requests. */
const FETCHING: ReadonlyMap<string, string> = new Map([
  ["https", "https"],
  ["http", "http"],
  ["blob", "https"],
  ["s3", "https"],
]);

/**
 * Getters that give functions: nodes like to write `const { log, dependency } = ctx`, and most use
 * one or two of them, so that making all for every attempt would be waste.
 */
export class NodeContext implements Context {
  readonly #plan: ContextPlan;
  readonly #attempt: Attempt;

  constructor(plan: ContextPlan, attempt: Attempt) {
    this.#plan = plan;
    this.#attempt = attempt;
  }

  get log(): Logger {
    return this.#plan.logger(this.#attempt);
  }

  get run(): Context["run"] {
    const { runId, number, trigger } = this.#attempt;
    return Object.freeze({ id: runId, attempt: number, trigger });
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  get config(): Context["config"] {
    return this.#plan.config;
  }

  get secrets(): Context["secrets"] {
    refuseBesideUses(this.#plan, this.#attempt, "ctx.secrets");
    return this.#plan.secrets;
  }

  get dependency(): Context["dependency"] {
    return (name) => dependency(this.#plan, this.#attempt, name);
  }

  get fetch(): Context["fetch"] {
    return (service, path, init) => legacyFetch(this.#plan, this.#attempt, service, path, init);
  }
}

/** What goes around the contract goes around `uses` as well. */
function refuseBesideUses({ uses }: ContextPlan, { node }: Attempt, what: string): void {
  if (uses === undefined) return;
  throw new Error(
    `node ${node} says in its uses which dependencies it is given, so that it has no ${what}: ` +
      "use ctx.dependency(NAME), which has the secret and fetch",
  );
}

function dependency(plan: ContextPlan, attempt: Attempt, name: string): Dependency {
  const spec = plan.dependencies.get(name);
  if (spec === undefined) throw new Error(undeclared(plan, name));
  if (plan.uses?.includes(name) === false) throw new Error(unused(plan.uses, attempt, name));
  const { auth, kind, ...metadata } = spec;
  const secret = auth && lookUp(plan.secrets, auth.service, auth.key);
  const scheme = kind === undefined ? FETCHING.get(spec.protocol) : undefined;
  return Object.freeze({
    ...metadata,
    ...(auth === undefined ? {} : { authType: auth.type }),
    ...(secret === undefined ? {} : { secret }),
    ...(scheme === undefined
      ? {}
      : { fetch: fetchOn(plan, attempt, name, originOf(scheme, spec)) }),
  });
}

function undeclared(plan: ContextPlan, name: string): string {
  const declared = [...plan.dependencies.keys()].join(", ") || "none";
  return `dependency "${name}" is not in the contract (declared: ${declared}); add to workflow.yaml:` +
    ` contract.dependencies.${name}: {protocol: https, host: <host>}`;
}

function unused(uses: readonly string[], { node }: Attempt, name: string): string {
  const list = [...uses, name].join(", ");
  return `dependency "${name}" is not in the uses of node ${node}; write in workflow.yaml:` +
    ` nodes.${node}.uses: [${list}]`;
}

function originOf(scheme: string, { host, port }: DependencySpec): string {
  const bracketed = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return new URL(`${scheme}://${bracketed}:${port}`).origin;
}

function fetchOn(
  plan: ContextPlan,
  attempt: Attempt,
  name: string,
  origin: string,
): (path: string, init?: RequestInit) => Promise<Response> {
  return async (path, init) => {
    const url = new URL(path, origin);
    if (url.origin !== origin) {
      throw new TypeError(`dependency "${name}" is ${origin}, and ${url.origin} is somewhere else`);
    }
    return await fetchWithin(plan.fetch, url, withSignal(init, attempt.signal));
  };
}

async function legacyFetch(
  plan: ContextPlan,
  attempt: Attempt,
  service: string,
  path: string,
  init?: RequestInit,
): Promise<Response> {
  refuseBesideUses(plan, attempt, "ctx.fetch");
  if (!URL.canParse(path) && !path.startsWith("/")) {
    throw new TypeError(`"${path}" is neither a URL nor a path that begins with /`);
  }
  const url = new URL(URL.canParse(path) ? path : `https://api.${service}.com${path}`);
  const headers = new Headers(init?.headers);
  const token = lookUp(plan.secrets, service, "token");
  const apiKey = lookUp(plan.secrets, service, "api_key");
  if (token !== undefined) setDefault(headers, "authorization", `Bearer ${token}`);
  else if (apiKey !== undefined) setDefault(headers, "x-api-key", apiKey);
  return await fetchWithin(plan.fetch, url, withSignal({ ...init, headers }, attempt.signal));
}

function setDefault(headers: Headers, name: string, value: string): void {
  if (!headers.has(name)) headers.set(name, value);
}

function withSignal(init: RequestInit | undefined, signal: AbortSignal): RequestInit {
  const own = init?.signal;
  return { ...init, signal: own ? AbortSignal.any([own, signal]) : signal };
}

/** Freezes a value of plain data in place, however deep, and returns it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
