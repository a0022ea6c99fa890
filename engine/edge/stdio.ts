/** Standard input and output of a local run. */

import { stderrSink } from "./log.ts";

export async function readStdin(): Promise<Uint8Array> {
  return await new Response(Deno.stdin.readable).bytes();
}

export function writeStdout(text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
}

/** Standard output is for the result: what nodes print goes where the log goes. */
export function redirectConsole(): void {
  const print = (...parts: unknown[]): void => stderrSink(parts.map(text).join(" "));
  Object.assign(console, { log: print, info: print, debug: print });
}

function text(value: unknown): string {
  return typeof value === "string" ? value : Deno.inspect(value);
}
