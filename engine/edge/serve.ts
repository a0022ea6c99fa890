/** The HTTP server, from its first request to the end of the process. */

import type { Options } from "../core/args.ts";
import type { Engine } from "../core/engine.ts";
import { systemClock } from "../core/clock.ts";
import { answer, type Handler } from "../core/http.ts";
import { messageOf, StartError } from "../core/errors.ts";
import type { Logger } from "../mod.ts";

/** One port with what it serves. */
export interface Listener {
  readonly port: number;
  readonly handler: Handler;
  /** What it is for, when there are several. */
  readonly purpose?: string;
}

/** Resolves when every server accepts connections; throws when one cannot. */
export async function listenAll(
  { host }: Options,
  listeners: readonly Listener[],
  log: Logger,
): Promise<Deno.HttpServer[]> {
  const servers: Deno.HttpServer[] = [];
  for (const listener of listeners) servers.push(await listen(host, listener, log));
  return servers;
}

async function listen(
  hostname: string,
  { port, handler, purpose }: Listener,
  log: Logger,
): Promise<Deno.HttpServer> {
  const what = purpose === undefined ? "" : ` for ${purpose}`;
  const listening = Promise.withResolvers<void>();
  const server = bind({
    port,
    hostname,
    onListen: (address) => {
      log.info(`listening${what} on ${address.hostname}:${address.port}`);
      listening.resolve();
    },
    onError: (error) => {
      log.error("could not answer a request:", error);
      return answer(500, { error: "the engine failed; its log has the reason" });
    },
  }, handler);
  await listening.promise;
  return server;
}

type BindOptions = Deno.ServeTcpOptions & { port: number; hostname: string };

function bind(options: BindOptions, handler: Handler): Deno.HttpServer {
  try {
    return Deno.serve(options, handler);
  } catch (error) {
    throw new StartError(
      `cannot listen on ${options.hostname}:${options.port}: ${messageOf(error)}`,
    );
  }
}

/** How long new requests still come in: a Service forgets an ending pod only after a while. */
const LINGER_MS = 2_000;

/** Before the grace period ends: time for the answers of runs that had to be aborted. */
const FAREWELL_MS = 1_000;

export interface Shutdown {
  readonly servers: readonly Deno.HttpServer[];
  readonly engine: Engine;
  readonly log: Logger;
  readonly graceMs: number;
  /** Stops what starts runs besides HTTP, and waits for what it started. */
  readonly stopTriggers: () => Promise<void>;
}

/**
 * Ends the server without losing a request. `linger` is for SIGTERM, which comes from Kubernetes;
 * at a terminal nobody wants to wait.
 */
export async function shutDown(parts: Shutdown, linger: boolean): Promise<void> {
  const { engine, log, graceMs } = parts;
  const farewellMs = Math.min(FAREWELL_MS, graceMs / 2);
  const finished = finish(parts, linger).then(() => true);
  if (await Promise.race([finished, after(graceMs - farewellMs)])) return log.info("stopped");
  log.warn("the grace period is over: aborting what still runs");
  engine.abort("the engine is shutting down");
  const answered = await Promise.race([finished, after(farewellMs / 2)]);
  log.info(answered ? "stopped" : "stopped, leaving clients that do not finish");
}

async function finish(
  { servers, engine, log, stopTriggers }: Shutdown,
  linger: boolean,
): Promise<void> {
  const stopped = stopTriggers().catch((error) => log.error(messageOf(error)));
  if (linger) await after(LINGER_MS);
  await Promise.all([...servers.map((server) => server.shutdown()), stopped]);
  await engine.idle();
}

/** False, so that whoever comes first in a race can be told. */
function after(milliseconds: number): Promise<false> {
  return new Promise((resolve) => systemClock.after(milliseconds, () => resolve(false)));
}
