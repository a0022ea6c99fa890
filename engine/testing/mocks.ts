/** Answers to requests, without any network. */

import type { Json } from "../mod.ts";
import type { MockAnswer, Mocks } from "./fixture.ts";
import type { Call } from "./record.ts";

/** Gives each path its answers in order; the last one answers all calls after it. */
export class MockServer {
  readonly #mocks: Mocks;
  readonly #used = new Map<readonly MockAnswer[], number>();

  constructor(mocks: Mocks) {
    this.#mocks = mocks;
  }

  answer(call: Call): Response {
    const answers = this.#find(call);
    if (answers === undefined) return respond(unmocked(call));
    const used = this.#used.get(answers) ?? 0;
    this.#used.set(answers, used + 1);
    const answer = answers[Math.min(used, answers.length - 1)];
    return respond(answer ?? unmocked(call));
  }

  /** The whole path with its query, then without it, then the longest pattern that fits. */
  #find({ dependency, path }: Call): readonly MockAnswer[] | undefined {
    const paths = Object.hasOwn(this.#mocks, dependency) ? this.#mocks[dependency] ?? {} : {};
    const bare = path.replace(/\?.*$/, "");
    for (const exact of [path, bare]) {
      if (Object.hasOwn(paths, exact)) return paths[exact];
    }
    const patterns = Object.keys(paths).filter((it) => it.includes("*"));
    patterns.sort((a, b) => b.length - a.length);
    const fitting = patterns.find((it) => matches(it, path) || matches(it, bare));
    return fitting === undefined ? undefined : paths[fitting];
  }
}

/** What answers when the fixture says nothing about a path. */
function unmocked({ dependency, path }: Call): MockAnswer {
  return { status: 200, headers: {}, body: { mock: true, dependency, path } };
}

function matches(pattern: string, path: string): boolean {
  const literals = pattern.split("*").map((it) => it.replace(/[\\^$.+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${literals.join(".*")}$`, "s").test(path);
}

/** Statuses whose responses have no body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5). */
const BODILESS = [204, 205, 304];

export function respond({ status, headers: given, body }: MockAnswer): Response {
  const headers = new Headers(given);
  if (body === undefined || BODILESS.includes(status)) {
    return new Response(null, { status, headers });
  }
  const isText = typeof body === "string";
  if (!headers.has("content-type")) {
    headers.set("content-type", isText ? "text/plain;charset=UTF-8" : "application/json");
  }
  return new Response(isText ? body : JSON.stringify(body), { status, headers });
}

/** What a request says, for the record. */
export async function describeCall(dependency: string, request: Request): Promise<Call> {
  const { method, headers, url } = request;
  const { pathname, search } = new URL(url);
  const text = request.body === null ? "" : await request.text();
  return {
    dependency,
    method,
    path: `${pathname}${search}`,
    headers: Object.fromEntries(headers),
    ...(text === "" ? {} : { body: parsed(text) }),
  };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
