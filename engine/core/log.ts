/** Lines of the log: one for each message, with the values of secrets hidden. */

import type { Logger } from "../mod.ts";
import { explain } from "./refusal.ts";

export type Level = "DEBUG" | "INFO" | "WARN" | "ERROR";

/** Takes one line, without its end. */
export type Sink = (line: string) => void;

export interface LogOptions {
  readonly sink: Sink;
  readonly mask: (text: string) => string;
  /** Text for whatever is not a string. */
  readonly inspect: (value: unknown) => string;
}

/** `[<source>] <LEVEL> <message> <arguments>`, and the run at the end when there is one. */
export function createLogger(source: string, options: LogOptions, runId?: string): Logger {
  const end = runId === undefined ? "" : ` runId=${runId}`;
  const write = (level: Level, parts: unknown[]): void => {
    const text = parts.map((it) => typeof it === "string" ? it : options.inspect(it)).join(" ");
    options.sink(`[${source}] ${level} ${oneLine(options.mask(explain(text)))}${end}`);
  };
  return {
    debug: (...parts) => write("DEBUG", parts),
    info: (...parts) => write("INFO", parts),
    warn: (...parts) => write("WARN", parts),
    error: (...parts) => write("ERROR", parts),
  };
}

/**
 * Everything that ends a line somewhere, moves a cursor, or turns the direction of writing: C0 but
 * the tab, DEL, C1, U+2028 and U+2029, and the controls of bidirectional text (UAX #9).
 */
// deno-lint-ignore no-control-regex -- these are what it is for
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A message can neither forge the next line nor speak to the terminal of whoever reads it. */
export function oneLine(text: string): string {
  return text.replace(CONTROL, (it) => {
    if (it === "\n") return "\\n";
    if (it === "\r") return "\\r";
    const code = it.charCodeAt(0);
    return code < 256
      ? `\\x${code.toString(16).padStart(2, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}
