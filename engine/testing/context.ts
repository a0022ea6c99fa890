/** The context of a node under test: that of the engine, with mocks behind it and a record of it. */

import type { Context, Dependency } from "../mod.ts";
import type { Attempt } from "../core/attempt.ts";
import { type ContextPlan, NodeContext } from "../core/context.ts";
import { describeCall, type MockServer } from "./mocks.ts";
import type { DeedRecord } from "./record.ts";
import type { FindTarget } from "./targets.ts";

/** What the contexts and the global `fetch` of one node under test share. */
export interface Surroundings {
  readonly plan: Omit<ContextPlan, "fetch">;
  readonly record: DeedRecord;
  readonly mocks: MockServer;
  readonly findTarget: FindTarget;
  /** The dependencies that may be used; a fixture's contract can declare more for its own test. */
  readonly declared: ReadonlySet<string>;
  /** Those that a node is given, by node, where its `uses` says so. */
  readonly uses: ReadonlyMap<string, readonly string[] | undefined>;
  /** Hides the fixture's secrets. */
  readonly mask: (text: string) => string;
}

export class MockContext implements Context {
  readonly #surroundings: Surroundings;
  readonly #attempt: Attempt;
  readonly #inner: Context;

  constructor(surroundings: Surroundings, attempt: Attempt) {
    this.#surroundings = surroundings;
    this.#attempt = attempt;
    this.#inner = innerContext(surroundings, attempt, mockFetch(surroundings));
  }

  get log(): Context["log"] {
    return this.#inner.log;
  }

  get run(): Context["run"] {
    return this.#inner.run;
  }

  get signal(): AbortSignal {
    return this.#inner.signal;
  }

  get config(): Context["config"] {
    return this.#inner.config;
  }

  get secrets(): Context["secrets"] {
    this.#surroundings.record.deviates("direct-secrets", "ctx.secrets");
    return this.#inner.secrets;
  }

  get dependency(): Context["dependency"] {
    return (name) => {
      const { record, declared, uses } = this.#surroundings;
      const { node } = this.#attempt;
      if (declared.has(name)) record.accesses.add(name);
      else record.deviates("undeclared-dependency", name);
      if (declared.has(name) && uses.get(node)?.includes(name) === false) {
        record.deviates("undeclared-use", name, node);
      }
      return innerContext(this.#surroundings, this.#attempt, this.#fetchOf(name)).dependency(name);
    };
  }

  /** Two dependencies may share a host: what asks through one is not the other's. */
  #fetchOf(name: string): typeof fetch {
    return (input, init) => answer(this.#surroundings, name, new Request(input, init));
  }

  get fetch(): Context["fetch"] {
    return (service, path, init) => {
      this.#surroundings.record.deviates("direct-fetch", `ctx.fetch("${service}", "${path}")`);
      return this.#inner.fetch(service, path, init);
    };
  }
}

function innerContext(from: Surroundings, attempt: Attempt, fetching: typeof fetch): Context {
  return new NodeContext(
    { ...from.plan, fetch: fetching, uses: from.uses.get(attempt.node) },
    attempt,
  );
}

/** Behind `ctx.fetch`, whose use alone is the deviation. */
function mockFetch(surroundings: Surroundings): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    return await answer(surroundings, surroundings.findTarget(url) ?? url.origin, request);
  };
}

/** The global `fetch` of a node under test. */
export function globalFetch(surroundings: Surroundings): typeof fetch {
  const { record, findTarget, declared } = surroundings;
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const target = findTarget(url);
    if (target === undefined || !declared.has(target)) {
      record.deviates("direct-fetch", url.href);
    } else record.accesses.add(target);
    return await answer(surroundings, target ?? url.origin, request);
  };
}

async function answer(from: Surroundings, dependency: string, request: Request): Promise<Response> {
  request.signal.throwIfAborted();
  noteSecret(from, dependency, request);
  const call = await describeCall(dependency, request);
  from.record.calls.push(call);
  return from.mocks.answer(call);
}

/** A URL ends up where headers do not: in traces, and in the logs of servers and proxies. */
function noteSecret({ mask, record }: Surroundings, dependency: string, request: Request): void {
  const { pathname, search } = new URL(request.url);
  const path = `${pathname}${search}`;
  const masked = mask(path);
  if (masked !== path) record.deviates("secret-in-url", `${masked} of ${dependency}`);
}

export type { Dependency };
