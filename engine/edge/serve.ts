/** The HTTP server, from its first request to the end of the process. */

import type { Options } from "../core/args.ts";
import type { Engine } from "../core/engine.ts";
import { answer, type Handler } from "../core/http.ts";
import { messageOf, StartError } from "../core/errors.ts";
import type { Logger } from "../mod.ts";

/** Resolves when the server accepts connections; throws when it cannot. */
export async function listen(
  options: Options,
  handler: Handler,
  log: Logger,
): Promise<Deno.HttpServer> {
  const { port, host: hostname } = options;
  const listening = Promise.withResolvers<void>();
  const server = bind({
    port,
    hostname,
    onListen: (address) => {
      log.info(`listening on ${address.hostname}:${address.port}`);
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

/** Between the abort of the last runs and the kill: time for their answers. */
const FAREWELL_MS = 1_000;

export interface Shutdown {
  readonly server: Deno.HttpServer;
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
  const { server, engine, log, graceMs } = parts;
  const deadline = setTimeout(() => {
    log.warn("the grace period is over: aborting what still runs");
    engine.abort("the engine is shutting down");
  }, Math.max(graceMs - FAREWELL_MS, graceMs / 2));
  const stopped = parts.stopTriggers().catch((error) => log.error(messageOf(error)));
  if (linger) await delay(LINGER_MS);
  await Promise.all([server.shutdown(), stopped]);
  await engine.idle();
  clearTimeout(deadline);
  log.info("stopped");
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
