/**
 * One run, in a process of its own: input from standard input, the result on standard output.
 *
 * Exit status: 0 when the workflow succeeded, 1 when it failed (the result says why), 2 for a
 * command line or an input that makes no sense, 3 when the workflow could not be loaded. With 2
 * and 3 there is nothing on standard output, and the reason is on standard error.
 */

import { type Options, parseArgs, UsageError } from "./core/args.ts";
import { BodyError, parseJson } from "./core/body.ts";
import { Engine } from "./core/engine.ts";
import { createLogger } from "./core/log.ts";
import { stringify } from "./core/primordials.ts";
import type { Logger } from "./mod.ts";
import type { RunResult } from "./core/run.ts";
import { createHooks, loadProgram, resolveWorkflow, rootOf } from "./edge/boot.ts";
import { redirectConsole, tellRun, trackerFor } from "./edge/console.ts";
import { exit, exitWith, keepRunning } from "./edge/exit.ts";
import { logOptions } from "./edge/log.ts";
import { surviveStrayErrors } from "./edge/guard.ts";
import { hideMachine } from "./edge/machine.ts";
import { watchRefusals } from "./edge/refusals.ts";
import { endSignal } from "./edge/signals.ts";
import { readStdin, writeStdout } from "./edge/stdio.ts";
import { watchOver } from "./edge/watchdog.ts";

async function main(options: Options): Promise<RunResult> {
  let masked = logOptions((text) => text);
  const log = (): Logger => createLogger("engine", masked);
  redirectConsole(() => masked);
  keepRunning(log);
  surviveStrayErrors(log, rootOf(options));
  hideMachine();
  watchRefusals(tellRun);
  watchOver();
  const load = createHooks().then(async (hooks) => {
    const loaded = await loadProgram(options, { ...hooks, trackerFor });
    masked = loaded.log;
    return loaded;
  });
  const [program, input] = await Promise.all([load, readStdin()]);
  const engine = new Engine(program, () => crypto.randomUUID());
  const result = engine.run(parseJson(input));
  endSignal().then((signal) => engine.abort(`interrupted by ${signal}`));
  return await result;
}

let result: RunResult;
try {
  result = await main(resolveWorkflow(parseArgs(Deno.args)));
} catch (error) {
  exitWith(error instanceof UsageError || error instanceof BodyError ? 2 : 3, error);
}
writeStdout(`${stringify(result)}\n`);
exit(result.success ? 0 : 1);
