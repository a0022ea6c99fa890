/** Fixtures and mocks as the process that runs them receives them: shapes, and nothing else. */

import type { Json } from "../mod.ts";
import { Shape } from "../core/shape.ts";

/** What one node is tested with. Everything but the input may be left out. */
export interface Fixture {
  readonly input: Json;
  /** Laid over the workflow's config, key by key. */
  readonly config: Readonly<Record<string, unknown>>;
  /** By service and key; the workflow's real secrets are never read in a test. */
  readonly secrets: unknown;
  /** Dependencies as workflow.yaml writes them, in addition to the workflow's own. */
  readonly contract: Readonly<Record<string, unknown>> | undefined;
  readonly mocks: Mocks;
  /** Where the clock stands, in milliseconds since the epoch. */
  readonly now: number | undefined;
  /** Absent when any output will do; `null` is an output like any other. */
  readonly expected?: Json;
  readonly expectCalls: readonly ExpectedCall[] | undefined;
}

/** Dependency, then path (`*` stands for any text), then the answers to successive calls. */
export type Mocks = Readonly<Record<string, Readonly<Record<string, readonly MockAnswer[]>>>>;

export interface MockAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A string is sent as text, everything else as JSON; absent for an empty body. */
  readonly body?: Json;
}

/** What is not given is not compared. */
export interface ExpectedCall {
  readonly dependency?: string;
  /** In capitals. */
  readonly method?: string;
  /** With the query. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Json;
}

/** Throws a `WorkflowError` that names the first key with a wrong value. */
export function readFixture(value: unknown): Fixture {
  const root = new Shape(value, "");
  const expected = root.get("expected").value as Json | undefined;
  return {
    input: (root.get("input").value ?? {}) as Json,
    config: root.get("config").optional((it) => it.object()) ?? {},
    secrets: root.get("secrets").optional((it) => it.object()),
    contract: root.get("contract").optional((it) => it.object()),
    mocks: root.get("mocks").optional(readMocks) ?? {},
    now: root.get("now").optional(readMoment),
    ...(expected === undefined ? {} : { expected }),
    expectCalls: root.get("expectCalls").optional((it) => it.list().map(readExpectedCall)),
  };
}

export function readMocks(shape: Shape): Mocks {
  const dependencies = shape.entries().map(([name, paths]) => {
    const answers = paths.entries().map(([path, it]) => [path, readAnswers(it)] as const);
    return [name, Object.fromEntries(answers)] as const;
  });
  return Object.fromEntries(dependencies);
}

function readAnswers(shape: Shape): readonly MockAnswer[] {
  if (!Array.isArray(shape.value)) return [readAnswer(shape)];
  const answers = shape.list().map(readAnswer);
  return answers.length === 0 ? shape.fail("expected at least one answer") : answers;
}

function readAnswer(shape: Shape): MockAnswer {
  const headers = shape.get("headers").optional(readHeaders) ?? {};
  const body = shape.get("body").value as Json | undefined;
  const status = shape.get("status").optional((it) => it.integer(200, 599)) ?? 200;
  return { status, headers, ...(body === undefined ? {} : { body }) };
}

function readHeaders(shape: Shape): Record<string, string> {
  return Object.fromEntries(shape.entries().map(([name, it]) => [name, it.string()]));
}

/** A date as text, or milliseconds since the epoch. */
export function readMoment(shape: Shape): number {
  if (typeof shape.value === "number") return shape.value;
  const moment = Date.parse(shape.string());
  const example = 'expected a date such as "2026-02-16T09:00:00Z"';
  return Number.isNaN(moment) ? shape.fail(example) : moment;
}

function readExpectedCall(shape: Shape): ExpectedCall {
  const body = shape.get("body").value as Json | undefined;
  const headers = shape.get("headers").optional(readHeaders);
  const text = (key: string): string | undefined => shape.get(key).optional((it) => it.string());
  const [dependency, method, path] = [text("dependency"), text("method"), text("path")];
  return {
    ...(dependency === undefined ? {} : { dependency }),
    ...(method === undefined ? {} : { method: method.toUpperCase() }),
    ...(path === undefined ? {} : { path }),
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
  };
}
