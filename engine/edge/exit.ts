/** The end of the process: in one place, and no node's to bring about. */

import { BodyError } from "../core/body.ts";
import { USAGE, UsageError } from "../core/args.ts";
import { messageOf, StartError } from "../core/errors.ts";
import { WorkflowError } from "../core/shape.ts";
import type { Logger } from "../mod.ts";
import { stderrSink } from "./log.ts";

const end: (status: number) => never = Deno.exit;
let ending = false;

/** Ends the process. */
export function exit(status: number): never {
  ending = true;
  end(status);
}

/**
 * Milliseconds between the last line and the end: containerd 1.6.20 drops what a container that has ended still had in
 * its pipes, and this line is what somebody will look for.
 */
const LAST_LINE_MS = 100;

/** Says why, and exits. */
export function exitWith(status: number, error: unknown): never {
  stderrSink(`[engine] ERROR ${messageOf(error)}`);
  if (error instanceof UsageError) stderrSink(`\n${USAGE}`);
  else if (error instanceof Error && !isForeseen(error)) stderrSink(error.stack ?? "");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_LINE_MS);
  exit(status);
}

/** A stack is of use only for errors of the engine itself: those that nobody foresaw. */
function isForeseen(error: Error): boolean {
  return [WorkflowError, StartError, BodyError].some((type) => error instanceof type);
}

/**
 * From here on `Deno.exit`, `process.exit` and `close` are errors of the node that calls them: they
 * would end everybody's runs. What ends the process all the same leaves a line, but for a signal.
 */
export function keepRunning(log: () => Logger): void {
  const refuse = (): never => {
    throw new Error("a node cannot end the engine: throw an error to end its run");
  };
  Object.defineProperty(Deno, "exit", { value: refuse, writable: false, configurable: false });
  Object.defineProperty(globalThis, "close", {
    value: refuse,
    writable: false,
    configurable: false,
  });
  globalThis.addEventListener("unload", () => {
    if (!ending) log().error("a node has ended the process");
  });
}
