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
import { createLogger, type LogOptions } from "./core/log.ts";
import { Metrics } from "./core/metrics.ts";
import { revisionMismatch } from "./core/revision.ts";
import type { Logger } from "./mod.ts";
import type { Program } from "./core/program.ts";
import { webhookRoutes } from "./core/webhook.ts";
import { createHooks, type Hooks, loadProgram, resolveWorkflow, rootOf } from "./edge/boot.ts";
import { redirectConsole, tellRun, trackerFor } from "./edge/console.ts";
import { exit, exitWith, keepRunning } from "./edge/exit.ts";
import { surviveStrayErrors } from "./edge/guard.ts";
import { hideMachine } from "./edge/machine.ts";
import { watchRefusals } from "./edge/refusals.ts";
import { Journal } from "./edge/journal.ts";
import { listenAll, type Listener, shutDown } from "./edge/serve.ts";
import { type EndSignal, endSignal } from "./edge/signals.ts";
import { logOptions } from "./edge/log.ts";
import { giveUpListening, giveUpReading } from "./edge/permissions.ts";
import { watchOver } from "./edge/watchdog.ts";
import { QueueTriggers } from "./edge/triggers.ts";

interface Served {
  readonly engine: Engine;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly draining: () => boolean;
  readonly problems: () => Readonly<Record<string, string>>;
}

/**
 * One for each kind of caller, as a network policy knows ports and no paths: whoever may send a
 * webhook or read metrics may not run the workflow. The one that probes look at comes last.
 */
function listenersOf(options: Options, served: Served): Listener[] {
  const { engine, metrics, log, draining, problems } = served;
  const local = isLocal(options);
  const listeners: Listener[] = [];
  if (engine.program.workflow.triggers.some((it) => it.type === "webhook")) {
    const routes = webhookRoutes(engine, systemClock, log);
    const handler = createHandler({ routes, draining });
    listeners.push({ port: options.webhookPort, handler, purpose: "webhooks" });
  }
  if (options.metricsPort !== undefined) {
    const handler = createHandler({ metrics, draining });
    listeners.push({ port: options.metricsPort, handler, purpose: "metrics" });
  }
  const handler = createHandler({ engine, metrics, draining, local, problems });
  return [...listeners, { port: options.port, handler }];
}

function isLocal({ host }: Options): boolean {
  return host !== "0.0.0.0";
}

/** Nodes are loaded here, with their console and their way out in hand before. */
async function start(options: Options, hooks: Hooks): Promise<Engine> {
  const started: { engine?: Engine } = {};
  const logOf = (): LogOptions => started.engine?.program.log ?? logOptions((text) => text);
  redirectConsole(logOf);
  const log = (): Logger => createLogger("engine", logOf());
  keepRunning(log);
  surviveStrayErrors(log, rootOf(options));
  hideMachine();
  watchRefusals(tellRun);
  if (isLocal(options)) watchOver();
  const randomId = crypto.randomUUID.bind(crypto);
  // Not as the run begins: what the watchdog takes to start must not count against a timeout.
  const newRunId = (): string => {
    watchOver();
    return randomId();
  };
  return started.engine = new Engine(await loadProgram(options, hooks), newRunId);
}

/** Says what the engine before this one died of, as far as it noted that. */
async function openJournal({ journal: directory }: Options): Promise<Journal> {
  const journal = Journal.open(directory);
  journal.report(createLogger("engine", logOptions((text) => text)));
  // Noting takes the permission to write alone, and what is noted is no node's to read.
  if (journal.directory !== undefined) await giveUpReading(journal.directory);
  return journal;
}

/** A signal while nodes are loaded ends the process: nothing is under way. */
function leave(signal: EndSignal): never {
  createLogger("engine", logOptions((text) => text)).info(`${signal}: stopped while starting`);
  exit(0);
}

async function main(options: Options): Promise<void> {
  const ending = endSignal();
  const reloading = options.watch ? await import("./edge/reload.ts") : undefined;
  const code = await reloading?.readCode(options);
  const metrics = new Metrics();
  const journal = await openJournal(options);
  const hooks = { ...await createHooks(metrics), trackerFor, journal };
  let started = false;
  ending.then((signal) => started || leave(signal));
  const engine = await start(options, hooks);
  started = true;
  const log = createLogger("engine", engine.program.log);
  const queues = new QueueTriggers(engine, log, options, journal);
  metrics.watch(inFlight(engine));
  metrics.watch(queues.lag);
  metrics.watch(queues.up);
  metrics.watch(queues.dropped);
  const { loaded } = engine.program;
  if (loaded) metrics.watch(revisionMismatch(() => engine.program.loaded ?? loaded));

  const draining = new AbortController();
  const served = {
    ...{ engine, metrics, log },
    draining: () => draining.signal.aborted,
    problems: () => queues.problems,
  };
  const listeners = listenersOf(options, served);
  const servers = await listenAll(options, listeners, log);
  await giveUpListening(options.host, listeners.map((it) => it.port));
  await queues.update();
  const load = (number: number): Promise<Program> =>
    loadProgram(options, hooks, { number, secrets: engine.program.secrets });
  const reload = { engine, log, load, replaced: () => queues.update() };
  reloading?.reloadOnChange(reload, options, code ?? "", draining.signal);

  const signal = await ending;
  log.info(`${signal}: finishing what is under way`);
  draining.abort();
  const { graceMs } = options;
  const parts = { servers, engine, log, graceMs, stopTriggers: () => queues.stop() };
  await shutDown(parts, signal === "SIGTERM");
}

try {
  await main(resolveWorkflow(parseArgs(Deno.args)));
} catch (error) {
  exitWith(1, error);
}
exit(0);
