/** Secrets as values: service, then key. Where they are read from is not decided here. */

import type { DependencySpec, Workflow } from "./workflow.ts";

export type Service = Readonly<Record<string, unknown>>;
export type Secrets = Readonly<Record<string, Service>>;

/** The content of a file named after its service: a JSON object, or else one `value`. */
export function parseService(text: string): Service {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isMap(parsed)) return parsed;
  } catch {
    // Not JSON: most secrets are plain text.
  }
  return { value: text.replace(/\r?\n$/, "") };
}

/** Reads a whole file of secrets, as `.secrets.yaml` holds them. */
export function readSecrets(value: unknown): Secrets {
  if (value === undefined || value === null) return {};
  if (!isMap(value)) throw new TypeError("expected a map of services");
  return Object.fromEntries(
    Object.entries(value).map(([service, keys]) => [service, isMap(keys) ? keys : { value: keys }]),
  );
}

/** `over` wins key by key. */
export function mergeSecrets(under: Secrets, over: Secrets): Secrets {
  const merged: Record<string, Service> = { ...under };
  for (const [service, keys] of Object.entries(over)) {
    merged[service] = { ...merged[service], ...keys };
  }
  return merged;
}

/** The value of `service.key` as text, or `undefined` when it was not provisioned. */
export function lookUp(secrets: Secrets, service: string, key: string): string | undefined {
  const value = Object.hasOwn(secrets, service) ? secrets[service]?.[key] : undefined;
  if (value === undefined || value === null) return undefined;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** The secrets that the contract names and nobody has provisioned, as `service.key`. */
export function missingSecrets(
  dependencies: ReadonlyMap<string, DependencySpec>,
  secrets: Secrets,
): string[] {
  const auths = [...dependencies.values()].flatMap(({ auth }) => auth ?? []);
  const missing = auths.filter(({ service, key }) => lookUp(secrets, service, key) === undefined);
  return [...new Set(missing.map(({ service, key }) => `${service}.${key}`))].sort();
}

/** The values that the contract and the triggers name. */
export function namedSecrets(
  { dependencies, triggers }: Pick<Workflow, "dependencies" | "triggers">,
  secrets: Secrets,
): string[] {
  const auths = [...dependencies.values()].flatMap(({ auth }) => auth ?? []);
  const own = [{ service: "github", key: "webhook_secret" }, { service: "nats", key: "token" }];
  const named = triggers.length > 0 ? [...auths, ...own] : auths;
  return named.flatMap(({ service, key }) => lookUp(secrets, service, key) ?? []);
}

/** Every text among the values, however deep: what must never be printed. */
export function secretTexts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number" || typeof value === "bigint") return [String(value)];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(secretTexts);
}

function isMap(value: unknown): value is Service {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
