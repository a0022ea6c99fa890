/**
 * The console of nodes: it writes to the log like `ctx.log`, masked and a line a call, marked with the
 * node and the run that are printing.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Attempt } from "../core/attempt.ts";
import { createLogger, type LogOptions } from "../core/log.ts";
import type { Logger } from "../mod.ts";
import { noteStart } from "./watchdog.ts";

const printing = new AsyncLocalStorage<Attempt>();

/** Calls a node so that what it prints, then or later, is known to be its own. */
export function withinAttempt<T>(attempt: Attempt, call: () => T): T {
  noteStart(attempt);
  return printing.run(attempt, call);
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
    const attempt = printing.getStore();
    return createLogger(attempt?.node ?? "console", options(), attempt?.runId);
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
