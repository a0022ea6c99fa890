/**
 * Errors that nobody waits for: a promise that a node forgot, or an event of a socket that has been
 * given up. Deno would end the process, and with it every other run.
 */

import { framesOf, messageOf } from "../core/errors.ts";
import type { Logger } from "../mod.ts";

/** Reports them, with the user's lines where there are some. */
export function surviveStrayErrors(log: () => Logger, root: string): void {
  const report = (thrown: unknown): void => {
    log().error(`an error that nobody waited for: ${messageOf(thrown)}`);
    for (const frame of framesOf(thrown, root)) log().error(`    ${frame}`);
  };
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    report(event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    // What a Worker does not catch has a message only.
    report(event.error ?? event.message);
  });
}
