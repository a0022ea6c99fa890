/** The connection to NATS: made when it can be, remade for ever. */

import { messageOf } from "../core/errors.ts";
import type { QueueSettings } from "../core/queue.ts";
import type { Logger } from "../mod.ts";
import { connect, type NatsConnection, type Status } from "../vendor/nats.js";
import type { TriggerState } from "./queue.ts";
import { sleep } from "./sleep.ts";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 10_000;

export interface ConnectParts {
  /** What the server calls the connection. */
  readonly name: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Resolves when there is a connection, or with `undefined` when the signal is aborted first. `states`
 * are told of how it fares: of losses also later, and of its being there unless they are durable.
 */
export async function connectForEver(
  settings: QueueSettings,
  parts: ConnectParts,
  states: readonly TriggerState[],
): Promise<NatsConnection | undefined> {
  const { signal } = parts;
  const shown = withoutCredentials(settings.url);
  for (let delay = FIRST_DELAY_MS; !signal.aborted; delay = Math.min(2 * delay, LONGEST_DELAY_MS)) {
    try {
      return await connectOnce(settings, parts, states);
    } catch (error) {
      const problem = `cannot connect to NATS at ${shown}, trying on: ${messageOf(error)}`;
      for (const state of states) state.down(problem);
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
  { name, log }: ConnectParts,
  states: readonly TriggerState[],
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
  connected(states);
  report(connection, log, states);
  return connection;
}

/** A durable trigger is up when it receives from its consumer. */
function connected(states: readonly TriggerState[]): void {
  for (const state of states) if (!state.trigger.durable) state.up("subscribed");
}

async function report(
  connection: NatsConnection,
  log: Logger,
  states: readonly TriggerState[],
): Promise<void> {
  for await (const status of connection.status()) reportOne(status, log, states);
}

function reportOne(
  { type, error }: Status,
  log: Logger,
  states: readonly TriggerState[],
): void {
  if (type === "disconnect") {
    log.warn("lost the connection to NATS, reconnecting");
    for (const state of states) state.down("lost the connection to NATS, reconnecting");
  }
  if (type === "reconnect") {
    log.info("reconnected to NATS");
    connected(states);
  }
  if (type === "error") log.warn(`NATS: ${messageOf(error)}`);
}
