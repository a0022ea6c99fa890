import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import type { Context } from "../mod.ts";
import { mockContext } from "./mod.ts";

const contract = {
  version: "1",
  dependencies: {
    api: {
      protocol: "https",
      host: "api.example.com",
      auth: { type: "bearer-token", secret: "api.token" },
    },
    mirror: { protocol: "https", host: "api.example.com" },
  },
};

async function get(ctx: Context, name: string, path: string): Promise<unknown> {
  const response = await ctx.dependency(name).fetch?.(path);
  const isJson = response?.headers.get("content-type") === "application/json";
  return isJson ? await response?.json() : await response?.text();
}

Deno.test("an exact path comes before the same without its query, and both before a pattern", async () => {
  const mocks = {
    api: { "*": { body: "any" }, "/a": { body: "bare" }, "/a?b": { body: "exact" } },
  };
  const { ctx } = mockContext({ contract, mocks });
  equal(await get(ctx, "api", "/a?b"), "exact");
  equal(await get(ctx, "api", "/a?c"), "bare");
  equal(await get(ctx, "api", "/b"), "any");
});

Deno.test("successive calls get successive answers, and then the last one", async () => {
  const { ctx } = mockContext({ contract, mocks: { api: { "/": [{ body: 1 }, { body: 2 }] } } });
  const answers = [
    await get(ctx, "api", "/"),
    await get(ctx, "api", "/"),
    await get(ctx, "api", "/"),
  ];
  deepEqual(answers, [1, 2, 2]);
});

Deno.test("what no mock speaks about says so", async () => {
  const { ctx } = mockContext({ contract });
  deepEqual(await get(ctx, "mirror", "/x?y"), { mock: true, dependency: "mirror", path: "/x?y" });
});

Deno.test("two dependencies on one host are told apart", async () => {
  const { ctx, calls } = mockContext({ contract, mocks: { mirror: { "/": { body: "mirror" } } } });
  equal(await get(ctx, "mirror", "/"), "mirror");
  deepEqual(await get(ctx, "api", "/"), { mock: true, dependency: "api", path: "/" });
  deepEqual(calls.map((it) => it.dependency), ["mirror", "api"]);
});

Deno.test("statuses without a body have none", async () => {
  const mocks = { api: { "/": { status: 204, body: "lost" } } };
  const { ctx } = mockContext({ contract, mocks });
  const response = await ctx.dependency("api").fetch?.("/");
  deepEqual([response?.status, response?.body], [204, null]);
});

Deno.test("a call is recorded with what was sent", async () => {
  const { ctx, calls } = mockContext({ contract, secrets: { api: { token: "t" } } });
  const api = ctx.dependency("api");
  await api.fetch?.("/x", { method: "PUT", headers: { "X-Token": api.secret ?? "" }, body: "{}" });
  const [call] = calls;
  deepEqual(
    [call?.dependency, call?.method, call?.path, call?.headers["x-token"], call?.body],
    ["api", "PUT", "/x", "t", {}],
  );
});

Deno.test("a secret in a URL is recorded, and not what it is", async () => {
  const { ctx, deviations } = mockContext({ contract, secrets: { api: { token: "s3cret/+" } } });
  const api = ctx.dependency("api");
  await api.fetch?.(`/a?key=${encodeURIComponent(api.secret ?? "")}&page=1`);
  await api.fetch?.(`/${api.secret}/send`);
  await api.fetch?.("/b", { headers: { "x-key": api.secret ?? "" } });
  const told = deviations.map(({ type, subject }) => [type, subject]);
  deepEqual(told, [
    ["secret-in-url", "/a?key=***&page=1 of api"],
    ["secret-in-url", "/***/send of api"],
  ]);
});

Deno.test("ways around the contract are recorded", async () => {
  const { ctx, deviations } = mockContext({ contract, secrets: { github: { token: "t" } } });
  await ctx.fetch("github", "/user");
  equal(ctx.secrets["github"]?.["token"], "t");
  throws(() => ctx.dependency("db"), /add to workflow\.yaml: contract\.dependencies\.db/);
  const told = deviations.map(({ type, subject }) => [type, subject]);
  deepEqual(told, [
    ["direct-fetch", 'ctx.fetch("github", "/user")'],
    ["direct-secrets", "ctx.secrets"],
    ["undeclared-dependency", "db"],
  ]);
});

Deno.test("a mock that nobody can ask for is a mistake", () => {
  throws(() => mockContext({ contract, mocks: { db: {} } }), /mocks\.db: .*declared: api, mirror/);
  throws(() => mockContext({ mocks: { api: { "/": { status: 99 } } } }), /mocks\.api\.\/\.status/);
});

Deno.test("an aborted request gets no answer", async () => {
  const { ctx, calls } = mockContext({ contract });
  const signal = AbortSignal.abort(new Error("too late"));
  await rejects(async () => await ctx.dependency("api").fetch?.("/", { signal }), /too late/);
  equal(calls.length, 0);
});

Deno.test("configuration is frozen, and what a node logs can be read", () => {
  const { ctx, log } = mockContext({ config: { a: { b: 1 } } });
  throws(() => Object.assign(ctx.config["a"] as object, { b: 2 }), TypeError);
  ctx.log.info("hello", { a: 1 });
  deepEqual(log, ['[node] INFO hello {"a":1}']);
});
