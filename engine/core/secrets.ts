/** Secrets as values: service, then key. Where they are read from is not decided here. */

import type { SecretRef } from "./verification.ts";
import type { Workflow } from "./workflow.ts";

/**
 * Numbers of JSON text as they were written, by key: `1.10` and twenty digits are no longer that once
 * they are numbers. There only where it makes a difference, and no key of the service.
 */
const WRITTEN = Symbol("as written");

export type Service = Readonly<Record<string, unknown>> & {
  readonly [WRITTEN]?: Readonly<Record<string, string>>;
};
export type Secrets = Readonly<Record<string, Service>>;

/** How a reference to a repository's shared pool begins; `tntc` resolves it, and the engine cannot. */
const SHARED = "$shared.";

/** The content of a file named after its service: a JSON object, or else one `value`. */
export function parseService(content: string): Service {
  const text = content.replace(/^\uFEFF/, "");
  return parseObject(text) ?? { value: text.replace(/\r?\n$/, "") };
}

function parseObject(text: string): Service | undefined {
  const written = new Map<unknown, Record<string, string>>();
  const note = function (this: unknown, key: string, value: unknown, context?: Context): unknown {
    const source = context?.source;
    if (typeof value === "number" && source !== undefined && source !== String(value)) {
      written.set(this, { ...written.get(this), [key]: source });
    }
    return value;
  };
  try {
    const parsed: unknown = JSON.parse(text, note);
    if (isMap(parsed)) return withWritten(parsed, written.get(parsed) ?? {});
  } catch {
    // Not JSON: most secrets are plain text.
  }
  return undefined;
}

/** What a reviver is given besides the value: https://tc39.es/proposal-json-parse-with-source/ */
interface Context {
  readonly source?: string;
}

function withWritten(service: Service, written: Readonly<Record<string, string>>): Service {
  return Object.keys(written).length === 0 ? service : { ...service, [WRITTEN]: written };
}

/**
 * Reads a whole file of secrets, as `.secrets.yaml` holds them, with every scalar as a text. What has
 * no value is left out.
 */
export function readSecrets(value: unknown): Secrets {
  if (value === undefined || value === null) return {};
  if (!isMap(value)) throw new TypeError("expected a map of services");
  const services = Object.entries(value).filter(([, keys]) => !isEmpty(keys));
  return Object.fromEntries(
    services.map(([service, keys]) => [service, readService(service, keys)]),
  );
}

function readService(service: string, keys: unknown): Service {
  if (isMap(keys)) {
    const filled = Object.entries(keys).filter(([, value]) => !isEmpty(value));
    for (const [key, value] of filled) requireResolved(`${service}.${key}`, value);
    return Object.fromEntries(filled);
  }
  requireResolved(service, keys);
  return (typeof keys === "string" ? parseObject(keys) : undefined) ?? { value: keys };
}

function requireResolved(name: string, value: unknown): void {
  if (typeof value !== "string" || !value.startsWith(SHARED)) return;
  throw new TypeError(`${name} refers to the shared pool, which only tntc resolves: use tntc dev`);
}

/** `over` wins key by key, where it has a value. */
export function mergeSecrets(under: Secrets, over: Secrets): Secrets {
  const merged: Record<string, Service> = { ...under };
  for (const [service, keys] of Object.entries(over)) {
    merged[service] = mergeService(merged[service], keys);
  }
  return merged;
}

function mergeService(under: Service | undefined, over: Service): Service {
  if (under === undefined) return over;
  const filled = Object.entries(over).filter(([, value]) => !isEmpty(value));
  const written = { ...under[WRITTEN] };
  for (const [key] of filled) delete written[key];
  return withWritten(
    { ...under, ...Object.fromEntries(filled) },
    { ...written, ...over[WRITTEN] },
  );
}

/**
 * The value of `service.key` as text, or `undefined` when it was not provisioned. An empty one is a
 * template that nobody filled in.
 */
export function lookUp(secrets: Secrets, service: string, key: string): string | undefined {
  const keys = Object.hasOwn(secrets, service) ? secrets[service] : undefined;
  const value = keys !== undefined && Object.hasOwn(keys, key) ? keys[key] : undefined;
  if (keys === undefined || isEmpty(value)) return undefined;
  const written = keys[WRITTEN];
  if (written !== undefined && Object.hasOwn(written, key)) return written[key];
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

/** The secrets that contract and webhooks name and nobody has provisioned, as `service.key`. */
export function missingSecrets(workflow: Named, secrets: Secrets): string[] {
  const missing = referencesOf(workflow)
    .filter(({ service, key }) => lookUp(secrets, service, key) === undefined);
  return [...new Set(missing.map(({ service, key }) => `${service}.${key}`))].sort();
}

/** The values that the contract and the triggers name. */
export function namedSecrets(workflow: Named, secrets: Secrets): string[] {
  const own = [{ service: "github", key: "webhook_secret" }, { service: "nats", key: "token" }];
  const named = [...referencesOf(workflow), ...workflow.triggers.length > 0 ? own : []];
  return named.flatMap(({ service, key }) => lookUp(secrets, service, key) ?? []);
}

type Named = Pick<Workflow, "dependencies" | "triggers">;

function referencesOf({ dependencies, triggers }: Named): SecretRef[] {
  const auths = [...dependencies.values()].flatMap(({ auth }) => auth ?? []);
  const hooks = triggers.flatMap((it) => it.type === "webhook" ? it.verify?.secret ?? [] : []);
  return [...auths, ...hooks];
}

/** Every text among the values, however deep: what must never be printed. */
export function secretTexts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number" || typeof value === "bigint") return [String(value)];
  if (typeof value !== "object" || value === null) return [];
  const written = Object.values((value as Service)[WRITTEN] ?? {});
  return [...written, ...Object.values(value).flatMap(secretTexts)];
}

function isMap(value: unknown): value is Service {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
