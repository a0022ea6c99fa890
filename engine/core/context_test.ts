import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import type { Context } from "../mod.ts";
import { AbortedError, Attempt } from "./attempt.ts";
import { type ContextPlan, deepFreeze, NodeContext } from "./context.ts";
import { createLogger } from "./log.ts";
import { readWorkflow } from "./workflow.ts";

interface Call {
  readonly url: string;
  readonly init: RequestInit | undefined;
}

interface Made {
  readonly ctx: Context;
  readonly attempt: Attempt;
  readonly calls: Call[];
  readonly lines: string[];
}

const SECRETS = {
  github: { token: "ghp_1234" },
  slack: { api_key: "xoxb-1" },
  db: { password: "pw", options: { ssl: true } },
};

interface MakeOptions {
  readonly config?: Record<string, unknown>;
  readonly uses?: readonly string[];
}

function make(
  dependencies: unknown,
  { config = {}, uses }: MakeOptions = {},
): Made {
  const workflow = readWorkflow({
    name: "w",
    nodes: { n: { path: "n.ts" } },
    contract: { version: "1", dependencies },
    config,
  });
  const calls: Call[] = [];
  const lines: string[] = [];
  const log = {
    sink: (line: string) => void lines.push(line),
    mask: (it: string) => it,
    inspect: String,
  };
  const plan: ContextPlan = {
    config: deepFreeze(workflow.config),
    secrets: deepFreeze(structuredClone(SECRETS)),
    dependencies: workflow.dependencies,
    uses,
    logger: (attempt) => createLogger(attempt.node, log, attempt.runId),
    fetch: (url, init) => {
      calls.push({ url: String(url), init });
      return Promise.resolve(new Response("ok"));
    },
  };
  const attempt = new Attempt("run-1", "n", 1);
  return { ctx: new NodeContext(plan, attempt), attempt, calls, lines };
}

Deno.test("a dependency of every protocol has its metadata and its default port", () => {
  const { ctx } = make({
    api: { protocol: "https", host: "api.example.com" },
    plain: { protocol: "http", host: "web.ns.svc" },
    db: { protocol: "postgresql", host: "db", database: "app", user: "me" },
    bus: { protocol: "nats", host: "nats", subject: "a.b" },
    store: { protocol: "blob", host: "blobs", container: "c1" },
    bucket: { protocol: "s3", host: "s3.example.com" },
    pg: { protocol: "postgres", host: "db", database: "app", user: "me" },
    web: { type: "dynamic-target", protocol: "https", cidr: "0.0.0.0/0", dynPorts: ["443/TCP"] },
    tenants: {
      type: "dynamic-target",
      protocol: "ldap",
      cidr: "10.0.0.0/8",
      dynPorts: ["389/TCP"],
    },
    library: { protocol: "npm", host: "pg", version: 8 },
    cache: { protocol: "redis", host: "redis", port: 6379 },
    meta: { type: "dynamic-target", cidr: "169.254.169.254/32", dynPorts: ["80/TCP"] },
    range: {
      type: "dynamic-target",
      cidr: "10.0.0.0/8",
      dynPorts: [{ port: 90, protocol: "TCP" }],
    },
  });
  const data = (name: string): unknown => JSON.parse(JSON.stringify(ctx.dependency(name)));
  deepEqual(data("api"), { protocol: "https", host: "api.example.com", port: 443 });
  deepEqual(data("plain"), { protocol: "http", host: "web.ns.svc", port: 80 });
  deepEqual(data("db"), {
    protocol: "postgresql",
    host: "db",
    port: 5432,
    database: "app",
    user: "me",
  });
  deepEqual(data("bus"), { protocol: "nats", host: "nats", port: 4222, subject: "a.b" });
  deepEqual(data("store"), { protocol: "blob", host: "blobs", port: 443, container: "c1" });
  deepEqual(data("cache"), { protocol: "redis", host: "redis", port: 6379 });
  deepEqual(data("meta"), { protocol: "dynamic-target", host: "169.254.169.254/32", port: 80 });
  deepEqual(data("range"), { protocol: "dynamic-target", host: "10.0.0.0/8", port: 90 });
  deepEqual(data("bucket"), { protocol: "s3", host: "s3.example.com", port: 443 });
  deepEqual(data("pg"), data("db"));
  deepEqual(data("web"), { protocol: "https", host: "0.0.0.0/0", port: 443 });
  deepEqual(data("tenants"), { protocol: "dynamic-target", host: "10.0.0.0/8", port: 389 });
  deepEqual(data("library"), { protocol: "npm", host: "pg", port: 0 });
  const fetching = ["api", "plain", "store", "bucket"];
  const others = ["db", "bus", "cache", "meta", "web", "tenants", "library"];
  for (const name of [...fetching, ...others]) {
    equal(ctx.dependency(name).fetch !== undefined, fetching.includes(name), name);
  }
});

Deno.test("a dependency has its secret, and none when it was not provisioned", () => {
  const auth = (secret: string): unknown => ({
    protocol: "https",
    host: "h",
    auth: { type: "bearer-token", secret },
  });
  const { ctx } = make({
    given: auth("github.token"),
    structured: auth("db.options"),
    missing: auth("github.other"),
    inherited: auth("constructor.name"),
  });
  equal(ctx.dependency("given").secret, "ghp_1234");
  equal(ctx.dependency("given").authType, "bearer-token");
  equal(ctx.dependency("structured").secret, '{"ssl":true}');
  equal("secret" in ctx.dependency("missing"), false);
  equal("secret" in ctx.dependency("inherited"), false);
});

Deno.test("an undeclared dependency throws, and says what to write", () => {
  const { ctx } = make({ api: { protocol: "https", host: "h" } });
  throws(
    () => ctx.dependency("other"),
    /"other" is not in the contract \(declared: api\).*contract\.dependencies\.other:/,
  );
  throws(() => ctx.dependency("toString"), /not in the contract/);
});

Deno.test("a node whose uses names dependencies is given those and no others", async () => {
  const dependencies = {
    api: { protocol: "https", host: "h", auth: { type: "t", secret: "github.token" } },
    db: { protocol: "postgresql", host: "db", database: "d", user: "u" },
  };
  const { ctx, calls } = make(dependencies, { uses: ["api"] });
  equal(ctx.dependency("api").secret, "ghp_1234");
  throws(() => ctx.dependency("db"), {
    message: 'dependency "db" is not in the uses of node n; write in workflow.yaml: ' +
      "nodes.n.uses: [api, db]",
  });
  throws(() => ctx.dependency("other"), /is not in the contract/);
  throws(() => ctx.secrets, /node n .* has no ctx\.secrets/);
  await rejects(ctx.fetch("github", "/"), /node n .* has no ctx\.fetch/);
  throws(() => make(dependencies, { uses: [] }).ctx.dependency("api"), /nodes\.n\.uses: \[api\]$/);
  equal(calls.length, 0);
});

Deno.test("fetch goes to the dependency's host, without authentication, under the signal", async () => {
  const { ctx, attempt, calls } = make({
    api: { protocol: "https", host: "h", port: 8443, auth: { type: "t", secret: "github.token" } },
    six: { protocol: "http", host: "fd00::1" },
  });
  await ctx.dependency("api").fetch?.("/a?b=c", { method: "POST" });
  await ctx.dependency("six").fetch?.("x");
  deepEqual(calls.map((it) => it.url), ["https://h:8443/a?b=c", "http://[fd00::1]/x"]);
  equal(calls[0]?.init?.method, "POST");
  equal(calls[0]?.init?.headers, undefined);
  attempt.abort(new AbortedError("over"));
  equal(calls[0]?.init?.signal?.aborted, true);
});

Deno.test("fetch of a dependency goes nowhere else", async () => {
  const { ctx, calls } = make({ api: { protocol: "https", host: "h" } });
  const { fetch } = ctx.dependency("api");
  for (const path of ["https://elsewhere/x", "//elsewhere/x", "http://h/"]) {
    await rejects(async () => await fetch?.(path), /is somewhere else/);
  }
  equal(calls.length, 0);
});

Deno.test("a node's own signal still counts beside the context's", async () => {
  const { ctx, calls } = make({ api: { protocol: "https", host: "h" } });
  const own = new AbortController();
  await ctx.dependency("api").fetch?.("/", { signal: own.signal });
  own.abort();
  equal(calls[0]?.init?.signal?.aborted, true);
});

Deno.test("the legacy fetch authenticates with a token or an API key", async () => {
  const { ctx, calls } = make({});
  await ctx.fetch("github", "/repos");
  await ctx.fetch("slack", "/post", { headers: { accept: "x" } });
  await ctx.fetch("github", "https://uploads.example.com/x", { headers: { authorization: "own" } });
  await ctx.fetch("unknown", "/");
  await rejects(ctx.fetch("github", ".evil.example/"), /neither a URL nor a path/);
  deepEqual(calls.map((it) => it.url), [
    "https://api.github.com/repos",
    "https://api.slack.com/post",
    "https://uploads.example.com/x",
    "https://api.unknown.com/",
  ]);
  const headers = calls.map((it) => Object.fromEntries(new Headers(it.init?.headers)));
  deepEqual(headers, [
    { authorization: "Bearer ghp_1234" },
    { accept: "x", "x-api-key": "xoxb-1" },
    { authorization: "own" },
    {},
  ]);
});

Deno.test("config, secrets and dependencies cannot be changed", () => {
  const { ctx } = make({ api: { protocol: "https", host: "h" } }, {
    config: { deep: { list: [1] } },
  });
  const config = ctx.config as { deep: { list: number[] } };
  throws(() => config.deep.list.push(2), TypeError);
  throws(() => Object.assign(ctx.config, { more: 1 }), TypeError);
  throws(() => Object.assign(ctx.secrets["github"] ?? {}, { token: "x" }), TypeError);
  throws(() => Object.assign(ctx.dependency("api"), { host: "x" }), TypeError);
});

Deno.test("what a context gives can be taken out of it", () => {
  const { ctx, lines } = make({ api: { protocol: "https", host: "h" } });
  const { log, dependency, signal } = ctx;
  log.info("hello");
  equal(dependency("api").host, "h");
  equal(signal.aborted, false);
  deepEqual(lines, ["[n] INFO hello runId=run-1"]);
});
