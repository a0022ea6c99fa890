/**
 * Whatever was thrown, as text. Nodes may throw anything: a ring of causes, an object whose getters
 * throw, a revoked proxy. Nothing here throws, or takes long, whatever it is given.
 */

import { explain } from "./refusal.ts";

/** The surroundings do not let the engine start: a port, a file, a permission. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** Causes and parts of an AggregateError that a message includes. */
const MOST_REASONS = 5;

/** Characters of a message: a result has it, the log, and perhaps a dead letter's header. */
const MAX_MESSAGE = 8_192;

const NOTHING = "an error that cannot be described";

/** One line that says what went wrong, for `errors` of a run's result. */
export function messageOf(thrown: unknown): string {
  const text = explain(describe(thrown, { left: MOST_REASONS, told: new Set() }));
  return text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}...` : text;
}

/**
 * Where it was thrown: the stack's lines in files under `root` (a URL ending in `/`), relative to
 * it. Deno has mapped them to the lines of the source already.
 */
export function framesOf(thrown: unknown, root: string): string[] {
  const stack = attempt(() => thrown instanceof Error ? thrown.stack : undefined, undefined);
  if (typeof stack !== "string") return [];
  const lines = stack.split("\n").map((line) => line.trim());
  return lines.filter((line) => line.startsWith("at ") && line.includes(root))
    .map((line) => line.replaceAll(root, ""));
}

/** The name of its kind. */
export function typeOf(thrown: unknown): string {
  return attempt(() => thrown instanceof Error ? String(thrown.name) : typeof thrown, "unknown");
}

/** Rings of causes are common, and trees of errors wide. */
interface Budget {
  /** How many more reasons may be added. */
  left: number;
  readonly told: Set<unknown>;
}

function describe(thrown: unknown, budget: Budget): string {
  return attempt(() => {
    if (typeof thrown === "string") return thrown;
    return thrown instanceof Error ? describeError(thrown, budget) : stringify(thrown);
  }, NOTHING);
}

/** `fetch failed` alone helps nobody: the cause has the address. */
function describeError(error: Error, budget: Budget): string {
  budget.told.add(error);
  const name = attempt(() => String(error.name), "Error");
  const message = attempt(() => String(error.message), NOTHING) || name;
  return [...reasonsOf(error)].reduce<string>((text, reason) => {
    if (budget.told.has(reason) || budget.left-- <= 0) return text;
    const more = describe(reason, budget);
    return text.includes(more) ? text : `${text} (${more})`;
  }, message);
}

function reasonsOf(error: Error): unknown[] {
  const cause = attempt(() => error.cause, undefined);
  const parts = attempt(
    () => error instanceof AggregateError ? [...error.errors].slice(0, MOST_REASONS) : [],
    [],
  );
  return cause === undefined ? parts : [cause, ...parts];
}

function stringify(thrown: unknown): string {
  const json = attempt(() => JSON.stringify(thrown), undefined);
  if (typeof json === "string") return json;
  const text = attempt(() => String(thrown), undefined);
  return typeof text === "string" ? text : Object.prototype.toString.call(thrown);
}

function attempt<T>(call: () => T, otherwise: T): T {
  try {
    return call();
  } catch {
    return otherwise;
  }
}
