/** Lines of the log: one for each message, with the values of secrets hidden. */

import type { Logger } from "../mod.ts";

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
    options.sink(`[${source}] ${level} ${oneLine(options.mask(text))}${end}`);
  };
  return {
    debug: (...parts) => write("DEBUG", parts),
    info: (...parts) => write("INFO", parts),
    warn: (...parts) => write("WARN", parts),
    error: (...parts) => write("ERROR", parts),
  };
}

/** A message must not be able to forge the next line. */
function oneLine(text: string): string {
  return text.replaceAll("\r", "\\r").replaceAll("\n", "\\n");
}
