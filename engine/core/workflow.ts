/** workflow.yaml as the engine understands it. */

import { parseDuration } from "./duration.ts";
import { deadLetterCycle, deadLetterSubject } from "./subject.ts";
import { Shape } from "./shape.ts";
import {
  isAboutVerification,
  readSecretRef,
  readVerification,
  type Verification,
} from "./verification.ts";

export interface Workflow {
  readonly name: string;
  readonly version: string;
  readonly nodes: readonly NodeSpec[];
  readonly edges: readonly Edge[];
  readonly triggers: readonly Trigger[];
  /** As written; the typed keys are in the nodes' `timeoutMs` and `retries`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Whether there is a contract. */
  readonly sealed: boolean;
  /** Empty when there is no contract. */
  readonly dependencies: ReadonlyMap<string, DependencySpec>;
}

export interface NodeSpec {
  readonly name: string;
  /** Relative to the directory of workflow.yaml. */
  readonly path: string;
  /** Of one attempt. */
  readonly timeoutMs: number;
  /** Attempts after the first. */
  readonly retries: number;
  /** The dependencies that the node is given; all of them when absent. */
  readonly uses?: readonly string[];
}

export interface Edge {
  readonly from: string;
  readonly to: string;
}

export type Trigger =
  | { readonly type: "manual" | "cron"; readonly name?: string }
  | QueueTrigger
  | WebhookTrigger;

export interface QueueTrigger {
  readonly type: "queue";
  readonly name?: string;
  readonly subject: string;
  /** JetStream, with acknowledgement after success, instead of core NATS. */
  readonly durable: boolean;
  /** Attempts before a message of a durable trigger becomes a dead letter. */
  readonly maxDeliver: number;
  /** Runs in flight; unbounded when absent. */
  readonly concurrency?: number;
  /** Subject prefix of dead letters. */
  readonly dlq: string;
  /** Which messages a new consumer gets: also those that were published before it. */
  readonly deliver?: "all" | "new";
  /** Reply subjects below it are answered, besides clients' own inboxes. */
  readonly replyPrefix?: string;
}

export interface WebhookTrigger {
  readonly type: "webhook";
  readonly name?: string;
  readonly path: string;
  /** Anybody may send when it is absent, but for a provider, whose own way it is then. */
  readonly verify?: Verification;
  readonly provider?: "github";
  readonly event?: string;
  readonly actions?: readonly string[];
}

export interface DependencySpec {
  readonly protocol: string;
  /** A block of addresses for a dynamic target, and possibly empty for modules. */
  readonly host: string;
  /** 0 for modules, which are at no host. */
  readonly port: number;
  readonly auth?: { readonly type: string; readonly service: string; readonly key: string };
  readonly database?: string;
  readonly user?: string;
  readonly subject?: string;
  readonly container?: string;
  /** What no request goes to by name: a block of addresses, or a registry of bundled modules. */
  readonly kind?: "dynamic-target" | "modules";
}

const DEFAULT_TIMEOUT = "30s";
const DEFAULT_MAX_DELIVER = 5;
/** Most deliveries and most runs at once that a queue may ask for, as `tntc validate` says. */
const MOST = 1000;
const WEBHOOK_KEYS = ["type", "name", "path", "verify", "provider", "event", "actions"];
const GITHUB_PATH = "/webhook/github";
const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ["https", 443],
  ["http", 80],
  ["postgresql", 5432],
  ["nats", 4222],
  ["blob", 443],
  ["s3", 443],
]);
const MODULES: readonly string[] = ["npm", "jsr"];

/** Throws a `WorkflowError` that names the first key the engine cannot run with. */
export function readWorkflow(value: unknown): Workflow {
  const root = new Shape(value, "");
  const config = root.get("config").optional((it) => it.object()) ?? {};
  return {
    name: root.get("name").string(),
    version: String(root.get("version").value ?? ""),
    nodes: readNodes(root),
    edges: root.get("edges").optional((it) => it.list().map(readEdge)) ?? [],
    triggers: root.get("triggers").optional(readTriggers) ?? [],
    config,
    sealed: !root.get("contract").absent,
    dependencies: readDependencies(root),
  };
}

function readNodes(root: Shape): NodeSpec[] {
  const defaults = root.get("config").optional((it) => it) ?? new Shape({}, "config");
  const timeoutMs = readTimeout(defaults) ?? parseDuration(DEFAULT_TIMEOUT) ?? 0;
  const retries = readRetries(defaults) ?? 0;
  const nodes = root.get("nodes").entries().map(([name, it]) => ({
    name,
    path: it.get("path").string(),
    timeoutMs: readTimeout(it) ?? timeoutMs,
    retries: readRetries(it) ?? retries,
    ...readUses(it.get("uses"), root),
  }));
  return nodes.length === 0 ? root.get("nodes").fail("expected at least one node") : nodes;
}

function readTimeout(owner: Shape): number | undefined {
  return owner.get("timeout").optional((it) => {
    const milliseconds = parseDuration(it.string());
    return milliseconds || it.fail("expected a duration such as 500ms, 30s or 5m, above zero");
  });
}

function readRetries(owner: Shape): number | undefined {
  return owner.get("retries").optional((it) => it.integer(0, 10));
}

function readUses(shape: Shape, root: Shape): Pick<NodeSpec, "uses"> {
  if (shape.absent) return {};
  const declared = new Set(dependenciesOf(root).map(([name]) => name));
  const uses = shape.list().map((it) => {
    const name = it.string();
    return declared.has(name) ? name : it.fail(`the contract has no dependency ${name}`);
  });
  return { uses };
}

function readEdge(shape: Shape): Edge {
  return { from: shape.get("from").string(), to: shape.get("to").string() };
}

function readTriggers(shape: Shape): Trigger[] {
  const triggers = shape.list().map(readTrigger);
  const cycle = deadLetterCycle(triggers.filter((it) => it.type === "queue"));
  if (cycle === undefined) return triggers;
  const letters = cycle.slice(0, -1).map((it) => deadLetterSubject(it, it.subject)).join(", ");
  return shape.fail(
    `the subject ${cycle[0]?.subject} is given its own dead letters again (${letters}): ` +
      `narrow the subject, or name another prefix with dlq`,
  );
}

function readTrigger(shape: Shape): Trigger {
  const type = shape.get("type").string();
  const name = shape.get("name").optional((it) => it.string());
  const named = name === undefined ? {} : { name };
  switch (type) {
    case "manual":
    case "cron":
      return { type, ...named };
    case "queue":
      return { type, ...named, ...readQueue(shape) };
    case "webhook":
      return { type, ...named, ...readWebhook(shape) };
    default:
      return shape.get("type").fail(`expected manual, cron, queue or webhook, found "${type}"`);
  }
}

function readQueue(shape: Shape): Omit<QueueTrigger, "type" | "name"> {
  const replyPrefix = shape.get("reply_prefix").optional((it) => it.string());
  const concurrency = shape.get("concurrency").optional((it) => it.integer(1, MOST));
  const deliver = shape.get("deliver").optional(readDeliver);
  return {
    subject: shape.get("subject").string(),
    durable: shape.get("durable").optional((it) => it.boolean()) ?? false,
    maxDeliver: shape.get("max_deliver").optional((it) => it.integer(1, MOST)) ??
      DEFAULT_MAX_DELIVER,
    ...(concurrency === undefined ? {} : { concurrency }),
    dlq: shape.get("dlq").optional((it) => it.string()) ?? "dlq",
    ...(deliver === undefined ? {} : { deliver }),
    ...(replyPrefix === undefined ? {} : { replyPrefix }),
  };
}

function readDeliver(shape: Shape): "all" | "new" {
  const policy = shape.string();
  return policy === "all" || policy === "new" ? policy : shape.fail('expected "all" or "new"');
}

function readWebhook(shape: Shape): Omit<WebhookTrigger, "type" | "name"> {
  const provider = shape.get("provider").optional((it) => it.string());
  if (provider === undefined) {
    const verify = shape.get("verify").optional(readVerification);
    if (verify === undefined) refuseMisspeltVerification(shape);
    const path = readWebhookPath(shape.get("path"));
    return { path, ...(verify === undefined ? {} : { verify }) };
  }
  if (provider !== "github") return shape.get("provider").fail('expected "github"');
  if (!shape.get("verify").absent) {
    shape.get("verify").fail("GitHub's signature is verified anyway");
  }
  const event = shape.get("event").optional((it) => it.string());
  const actions = shape.get("actions").optional((it) => it.list().map((one) => one.string()));
  return {
    path: GITHUB_PATH,
    provider,
    ...(event === undefined ? {} : { event }),
    ...(actions === undefined ? {} : { actions }),
  };
}

/** A misspelt `verify` would leave the webhook open. */
function refuseMisspeltVerification(shape: Shape): void {
  for (const [key, it] of shape.entries()) {
    if (!WEBHOOK_KEYS.includes(key) && !key.startsWith("x-") && isAboutVerification(key)) {
      it.fail("expected verify: nothing else verifies who sends to this webhook");
    }
  }
}

function readWebhookPath(shape: Shape): string {
  const path = shape.string();
  if (!path.startsWith("/")) return shape.fail("expected a path that starts with /");
  const own = ["/run", "/health", "/metrics"].includes(path);
  return own ? shape.fail(`${path} is the engine's own`) : path;
}

function readDependencies(root: Shape): ReadonlyMap<string, DependencySpec> {
  return new Map(dependenciesOf(root).map(([name, it]) => [name, readDependency(it)]));
}

function dependenciesOf(root: Shape): [string, Shape][] {
  const contract = root.get("contract");
  const dependencies = contract.absent ? contract : contract.get("dependencies");
  return dependencies.absent ? [] : dependencies.entries();
}

function readDependency(shape: Shape): DependencySpec {
  if (shape.get("type").value === "dynamic-target") return readDynamicTarget(shape);
  const written = shape.get("protocol").string();
  if (MODULES.includes(written)) return readModules(shape, written);
  const protocol = written === "postgres" ? "postgresql" : written;
  const fallback = DEFAULT_PORTS.get(protocol);
  const port = shape.get("port");
  return {
    protocol,
    host: shape.get("host").string(),
    port: port.absent && fallback !== undefined ? fallback : port.integer(1, 65535),
    ...readAuth(shape.get("auth")),
    ...readText(shape, "database"),
    ...readText(shape, "user"),
    ...readText(shape, "subject"),
    ...readText(shape, "container"),
  };
}

/** What is imported is bundled: nothing is reached, so that nothing has to be declared. */
function readModules(shape: Shape, protocol: string): DependencySpec {
  return {
    protocol,
    host: shape.get("host").optional((it) => it.string()) ?? "",
    port: 0,
    kind: "modules",
    ...readAuth(shape.get("auth")),
  };
}

/** A range of addresses has no host; its CIDR stands in, with its first port. */
function readDynamicTarget(shape: Shape): DependencySpec {
  const first = shape.get("dynPorts").list()[0] ?? shape.fail("expected at least one port");
  const port = typeof first.value === "string" ? parseInt(first.value, 10) : undefined;
  const spoken = shape.get("protocol").optional((it) => it.string());
  return {
    protocol: spoken === "http" || spoken === "https" ? spoken : "dynamic-target",
    kind: "dynamic-target",
    host: shape.get("cidr").string(),
    port: port ?? first.get("port").integer(1, 65535),
    ...readAuth(shape.get("auth")),
  };
}

function readAuth(shape: Shape): Pick<DependencySpec, "auth"> {
  if (shape.absent) return {};
  const secret = readSecretRef(shape.get("secret"));
  return { auth: { type: shape.get("type").string(), ...secret } };
}

function readText<Key extends string>(shape: Shape, key: Key): { readonly [K in Key]?: string } {
  const text = shape.get(key).optional((it) => it.string());
  return text === undefined ? {} : { [key]: text } as { readonly [K in Key]: string };
}
