/**
 * What a node may import from `tentacular`.
 *
 * Types for the most part, and nothing with an effect: a node reaches the outside only through the
 * {@linkcode Context} that it is given.
 *
 * ```ts
 * import type { Context } from "tentacular";
 *
 * export default async function run(ctx: Context, input: unknown): Promise<unknown> {
 *   ctx.log.info("started with", input);
 *   return { ok: true };
 * }
 * ```
 *
 * @module
 */

/** A value that JSON can carry: what nodes are given and what they return. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A JSON object. */
export type JsonObject = { [key: string]: Json };

/** The default export of a node's file. */
export type NodeFunction<Input = unknown, Output = unknown> = (
  ctx: Context,
  input: Input,
) => Output | Promise<Output>;

/** What one attempt of one node is given. */
export interface Context {
  /** Writes to the log of the pod; values of secrets are masked. */
  readonly log: Logger;
  /** `config` of workflow.yaml, deeply frozen. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Which run this is, which attempt of it, and what started it. */
  readonly run: RunInfo;
  /** Aborted when this attempt times out, when the run has failed, and at shutdown. */
  readonly signal: AbortSignal;
  /**
   * Looks up a dependency of the contract; throws when the contract does not declare it, or the node
   * has `uses` and it is not among them.
   */
  dependency(name: string): Dependency;
  /**
   * Calls `https://api.<service>.com<path>`, or `path` itself when it is a URL, with the service's
   * `token` or `api_key` as authentication. Refused to a node that has `uses`.
   *
   * @deprecated Declare the service in the contract and use {@linkcode Context.dependency}.
   */
  fetch(service: string, path: string, init?: RequestInit): Promise<Response>;
  /**
   * Every secret, by service and key. Refused to a node that has `uses`.
   *
   * @deprecated Name the secret in the contract and use {@linkcode Dependency.secret}.
   */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What a node may know of the run that it belongs to. */
export interface RunInfo {
  readonly id: string;
  /** Counted from one. */
  readonly attempt: number;
  readonly trigger: RunTrigger;
}

/** What started a run. A cron trigger is told from a manual run by its name. */
export interface RunTrigger {
  readonly type: "manual" | "cron" | "queue" | "webhook";
  /** The trigger's name in workflow.yaml. */
  readonly name?: string;
  /** Of a queue: the message's subject. */
  readonly subject?: string;
  /** Of GitHub: the event, such as `push`. Its sender does not sign it. */
  readonly event?: string;
  /**
   * Of a verified webhook whose sender has such a thing: the delivery's id, the same when it is
   * delivered again. GitHub does not sign it; the others do.
   */
  readonly delivery?: string;
}

/** One line a call: `[<node>] INFO <message> <arguments>`. */
export interface Logger {
  debug(message: unknown, ...args: unknown[]): void;
  info(message: unknown, ...args: unknown[]): void;
  warn(message: unknown, ...args: unknown[]): void;
  error(message: unknown, ...args: unknown[]): void;
}

/** What the contract says about one dependency, with its secret filled in. */
export interface Dependency {
  /** For a dynamic target `http` or `https` where the contract says so, else `dynamic-target`. */
  readonly protocol: string;
  /** For a dynamic target its CIDR, as it has no single host. */
  readonly host: string;
  readonly port: number;
  readonly authType?: string;
  /** Absent when the contract names no secret, or when the secret has not been provisioned. */
  readonly secret?: string;
  readonly database?: string;
  readonly user?: string;
  readonly subject?: string;
  readonly container?: string;
  /**
   * For `https`, `http`, `blob` and `s3`: a request to `path` on this host. It adds no authentication,
   * and is aborted with the context's signal.
   */
  readonly fetch?: (path: string, init?: RequestInit) => Promise<Response>;
}
