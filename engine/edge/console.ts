/**
 * The console of nodes: it writes to the log like `ctx.log`, masked and a line a call, marked with the
 * run that is printing, and with its node where only one is running.
 */

import type { AsyncLocalStorage } from "node:async_hooks";
import { createLogger, type LogOptions } from "../core/log.ts";
import type { Files } from "../core/revision.ts";
import type { RunTracker, RunView } from "../core/run.ts";
import type { Logger } from "../mod.ts";
import { noteStart } from "./watchdog.ts";

/** Entered once for each run: everything that a run starts is within. */
let printing: AsyncLocalStorage<RunView> | undefined;

const tracker: RunTracker = {
  within: (run, call) => printing === undefined ? call() : printing.run(run, call),
  nodeStarts: noteStart,
};

/** From here on runs are followed. Imported here, as it takes 2 MiB with what it brings. */
async function follow(): Promise<void> {
  if (printing !== undefined) return;
  const { AsyncLocalStorage } = await import("node:async_hooks");
  printing ??= new AsyncLocalStorage<RunView>();
}

/**
 * Follows the runs of code that may print. For code in which the word `console` does not occur it
 * does not, as that costs a fifth of all that the engine does for a run; should such code print or be
 * refused something all the same, its next runs are followed. Unknown `files` may print.
 */
export async function trackerFor(files: Files | undefined): Promise<RunTracker> {
  const decoder = new TextDecoder();
  const prints = files === undefined ||
    [...files].some(([path, it]) => isBundle(path) || decoder.decode(it).includes("console"));
  if (prints) await follow();
  return tracker;
}

/** Packages print, and repeat what they were refused. */
function isBundle(path: string): boolean {
  return /\.bundle\.js(\.gz)?$/.test(path);
}

/** Tells the run that is under way of what it was refused. */
export function tellRun(request: string, error: Error, most: number): void {
  const run = printing?.getStore();
  if (run === undefined) follow();
  run?.refused(request, error, most);
}

/** The run that is printing, and its node unless several are running. */
function source(): { readonly name: string; readonly runId: string | undefined } {
  const run = printing?.getStore();
  if (run === undefined) follow();
  const [node, ...others] = run?.underWay() ?? [];
  return { name: others.length === 0 && node !== undefined ? node : "console", runId: run?.id };
}

const LEVELS: Readonly<Record<keyof Logger, readonly (keyof Console)[]>> = {
  debug: ["debug"],
  info: ["log", "info", "dir", "dirxml", "table", "group", "groupCollapsed"],
  warn: ["warn"],
  error: ["error", "trace"],
};

/** Methods that print what the console itself has counted or measured: not worth imitating. */
const SILENT = ["groupEnd", "clear", "count", "countReset", "time", "timeLog", "timeEnd"] as const;

/** `options` are those of the program that runs at the time, whose secrets are masked. */
export function redirectConsole(options: () => LogOptions): void {
  const logger = (): Logger => {
    const { name, runId } = source();
    return createLogger(name, options(), runId);
  };
  for (const [level, methods] of Object.entries(LEVELS)) {
    const print = (...parts: unknown[]): void =>
      logger()[level as keyof Logger](parts[0], ...parts.slice(1));
    for (const method of methods) Object.assign(console, { [method]: print });
  }
  for (const method of SILENT) Object.assign(console, { [method]: (): void => {} });
  const assert = (holds: unknown, ...parts: unknown[]): void => {
    if (!holds) logger().error("assertion failed", ...parts);
  };
  Object.assign(console, { assert });
}
