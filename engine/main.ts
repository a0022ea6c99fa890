/**
 * The engine: serves one workflow until it is told to stop.
 *
 * Wiring only. Decisions are in core/, effects in edge/. Exit status: 0 after a signal, 1 when it
 * could not start.
 */

import { type Options, parseArgs } from "./core/args.ts";
import { systemClock } from "./core/clock.ts";
import { Engine, inFlight } from "./core/engine.ts";
import { createHandler } from "./core/http.ts";
import { createLogger } from "./core/log.ts";
import { Metrics } from "./core/metrics.ts";
import { revisionMismatch } from "./core/revision.ts";
import { webhookRoutes } from "./core/webhook.ts";
import { createHooks, loadProgram, resolveWorkflow } from "./edge/boot.ts";
import { exitWith } from "./edge/exit.ts";
import { surviveStrayErrors } from "./edge/guard.ts";
import { listen, shutDown } from "./edge/serve.ts";
import { endSignal } from "./edge/signals.ts";
import { QueueTriggers } from "./edge/triggers.ts";

async function main(options: Options): Promise<void> {
  const ending = endSignal();
  const reloading = options.watch ? await import("./edge/reload.ts") : undefined;
  const code = await reloading?.readCode(options);
  const metrics = new Metrics();
  const hooks = await createHooks(metrics);
  const engine = new Engine(await loadProgram(options, hooks), () => crypto.randomUUID());
  const log = createLogger("engine", engine.program.log);
  surviveStrayErrors(log, engine.program.root);
  const queues = new QueueTriggers(engine, log, options);
  metrics.watch(inFlight(engine));
  metrics.watch(queues.lag);
  const { loaded } = engine.program;
  if (loaded) metrics.watch(revisionMismatch(() => engine.program.loaded ?? loaded));

  const draining = new AbortController();
  const handler = createHandler({
    engine,
    metrics,
    routes: webhookRoutes(engine, systemClock, log),
    draining: () => draining.signal.aborted,
  });
  const server = await listen(options, handler, log);
  await queues.update();
  const load = (generation: number) => loadProgram(options, hooks, generation);
  const reload = { engine, log, load, replaced: () => queues.update() };
  reloading?.reloadOnChange(reload, options, code ?? "", draining.signal);

  const signal = await ending;
  log.info(`${signal}: finishing what is under way`);
  draining.abort();
  const { graceMs } = options;
  const parts = { server, engine, log, graceMs, stopTriggers: () => queues.stop() };
  await shutDown(parts, signal === "SIGTERM");
}

try {
  await main(resolveWorkflow(parseArgs(Deno.args)));
} catch (error) {
  exitWith(1, error);
}
Deno.exit(0);
