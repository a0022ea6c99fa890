/** The end of a process that could not do what it was asked. */

import { BodyError } from "../core/body.ts";
import { USAGE, UsageError } from "../core/args.ts";
import { messageOf, StartError } from "../core/errors.ts";
import { WorkflowError } from "../core/shape.ts";
import { stderrSink } from "./log.ts";

/** Says why, in one place, and exits. */
export function exitWith(status: number, error: unknown): never {
  stderrSink(`[engine] ERROR ${messageOf(error)}`);
  if (error instanceof UsageError) stderrSink(`\n${USAGE}`);
  else if (error instanceof Error && !isForeseen(error)) stderrSink(error.stack ?? "");
  Deno.exit(status);
}

/** A stack is of use only for errors of the engine itself: those that nobody foresaw. */
function isForeseen(error: Error): boolean {
  return [WorkflowError, StartError, BodyError].some((type) => error instanceof type);
}
