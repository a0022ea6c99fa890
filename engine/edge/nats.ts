/** The connection to NATS: made when it can be, remade for ever. */

import { messageOf } from "../core/errors.ts";
import type { QueueSettings } from "../core/queue.ts";
import type { Logger } from "../mod.ts";
import { connect, type NatsConnection, type Status } from "../vendor/nats.js";
import { sleep } from "./sleep.ts";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 10_000;

/** Resolves when there is a connection, or with `undefined` when `signal` is aborted first. */
export async function connectForEver(
  settings: QueueSettings,
  name: string,
  log: Logger,
  signal: AbortSignal,
): Promise<NatsConnection | undefined> {
  let last = "";
  const shown = withoutCredentials(settings.url);
  for (let delay = FIRST_DELAY_MS; !signal.aborted; delay = Math.min(2 * delay, LONGEST_DELAY_MS)) {
    try {
      return await connectOnce(settings, name, log);
    } catch (error) {
      const message = `cannot connect to NATS at ${shown}, trying on: ${messageOf(error)}`;
      if (message !== last) log.warn(message);
      last = message;
      await sleep(delay, signal);
    }
  }
  return undefined;
}

/** A URL may hold a password, which is no secret that anybody declared. */
function withoutCredentials(url: string): string {
  return url.replace(/[^/@]*@/, "***@");
}

async function connectOnce(
  { url, token }: QueueSettings,
  name: string,
  log: Logger,
): Promise<NatsConnection> {
  const connection = await connect({
    servers: url,
    token,
    name,
    // Only the declared host may be reached: not its addresses, and not what a cluster gossips.
    resolve: false,
    ignoreClusterUpdates: true,
    // Without this option the client upgrades by itself when the server asks for TLS.
    ...(url.startsWith("tls://") ? { tls: {} } : {}),
    maxReconnectAttempts: -1,
    reconnectTimeWait: FIRST_DELAY_MS,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
  });
  log.info(`connected to NATS at ${withoutCredentials(url)}`);
  report(connection, log);
  return connection;
}

async function report(connection: NatsConnection, log: Logger): Promise<void> {
  for await (const status of connection.status()) reportOne(status, log);
}

function reportOne({ type, error }: Status, log: Logger): void {
  if (type === "disconnect") log.warn("lost the connection to NATS, reconnecting");
  if (type === "reconnect") log.info("reconnected to NATS");
  if (type === "error") log.warn(`NATS: ${messageOf(error)}`);
}
