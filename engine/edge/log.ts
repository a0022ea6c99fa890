/** Where the lines of the log go: standard error, so that standard output is free for answers. */

import type { LogOptions } from "../core/log.ts";

const encoder = new TextEncoder();

/** Synchronous: a line is out before whatever comes next can end the process. */
export function stderrSink(line: string): void {
  let bytes = encoder.encode(`${line}\n`);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
  } catch {
    // Nobody reads the log any more, and there is nowhere else to say so.
  }
}

export function logOptions(mask: (text: string) => string): LogOptions {
  return { sink: stderrSink, mask, inspect };
}

/** Never throws: getters and proxies of a node may, and its log line is no reason to fail. */
export function inspect(value: unknown): string {
  try {
    if (value instanceof Error) return String(value.stack ?? value.message);
    return Deno.inspect(value, { colors: false, depth: 8, breakLength: Infinity, compact: true });
  } catch {
    return "[a value that cannot be shown]";
  }
}
