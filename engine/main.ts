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
import { webhookRoutes } from "./core/webhook.ts";
import { loadProgram } from "./edge/boot.ts";
import { exitWith } from "./edge/exit.ts";
import { listen, shutDown } from "./edge/serve.ts";
import { endSignal } from "./edge/signals.ts";
import { QueueTriggers } from "./edge/triggers.ts";

async function main(options: Options): Promise<void> {
  const ending = endSignal();
  const metrics = new Metrics();
  const engine = new Engine(await loadProgram(options, metrics), () => crypto.randomUUID());
  metrics.watch(inFlight(engine));
  const log = createLogger("engine", engine.program.log);
  const queues = new QueueTriggers(engine, log, options.instance);
  metrics.watch(queues.lag);
  let draining = false;
  const routes = webhookRoutes(engine, systemClock, log);
  const handler = createHandler({ engine, routes, metrics, draining: () => draining });
  const server = await listen(options, handler, log);
  if (options.triggers === "all") await queues.update();
  const signal = await ending;
  log.info(`${signal}: finishing what is under way`);
  draining = true;
  const parts = {
    server,
    engine,
    log,
    graceMs: options.graceMs,
    stopTriggers: () => queues.stop(),
  };
  await shutDown(parts, signal === "SIGTERM");
}

try {
  await main(parseArgs(Deno.args));
} catch (error) {
  exitWith(1, error);
}
Deno.exit(0);
