import { deepEqual, equal, match } from "node:assert/strict";
import type { Json } from "../mod.ts";
import { MAX_BODY_BYTES } from "./body.ts";
import { createHandler, type Handler } from "./http.ts";
import { Metrics } from "./metrics.ts";
import { type Code, engineFor } from "./testdata/engines.ts";

const SECRETS = { s: { key: "hunter22" } };

function handlerFor(code: Code): Handler {
  return createHandler({ engine: engineFor(code, { secrets: SECRETS }) });
}

const echo = handlerFor((_, input) => input);

interface Answer {
  readonly status: number;
  readonly body: { [key: string]: Json };
}

async function call(handler: Handler, path: string, init?: RequestInit): Promise<Answer> {
  const response = await handler(new Request(`http://engine${path}`, init));
  equal(response.headers.get("content-type"), "application/json");
  return { status: response.status, body: await response.json() };
}

function post(body: BodyInit, headers: Record<string, string> = {}): RequestInit {
  return { method: "POST", body, headers };
}

function stream(chunks: readonly (string | Error)[]): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream({
    pull(controller): void {
      const next = left.shift();
      if (next === undefined) controller.close();
      else if (next instanceof Error) controller.error(next);
      else controller.enqueue(new TextEncoder().encode(next));
    },
  });
}

Deno.test("the health is ok, and a header names the revision", async () => {
  const response = await echo(new Request("http://engine/health"));
  equal(response.headers.get("tentacular-revision"), "rev");
  deepEqual(await call(echo, "/health"), { status: 200, body: { status: "ok" } });
});

Deno.test("a run answers 200 with its result", async () => {
  const { status, body } = await call(echo, "/run?x=1", post('{"a": 1}'));
  equal(status, 200);
  deepEqual([body["success"], body["outputs"], body["errors"]], [true, { n: { a: 1 } }, []]);
  equal(body["revision"], "rev");
});

Deno.test("a failed run answers 422, so that nobody's retry runs it again", async () => {
  const fail = handlerFor(() => {
    throw new Error("with hunter22");
  });
  const { status, body } = await call(fail, "/run", post("{}"));
  equal(status, 422);
  deepEqual([body["success"], body["errors"]], [false, ["node n threw: with ***"]]);
});

Deno.test("an empty body is an empty object", async () => {
  for (const init of [post(""), post(" \n"), { method: "POST" }, post(stream([]))]) {
    deepEqual((await call(echo, "/run", init)).body["outputs"], { n: {} });
  }
});

Deno.test("any JSON value is an input", async () => {
  for (const value of ["text", 1, null, [1, 2], { deep: [{}] }]) {
    const { body } = await call(echo, "/run", post(JSON.stringify(value)));
    deepEqual(body["outputs"], { n: value });
  }
});

Deno.test("a body that is not JSON answers 400 and runs nothing", async () => {
  const engine = engineFor(() => "never");
  const handler = createHandler({ engine });
  const bodies: BodyInit[] = ["{", "{} {}", "nonsense", new Uint8Array([0x22, 0xff, 0x22])];
  for (const body of bodies) {
    const answered = await call(handler, "/run", post(body));
    equal(answered.status, 400);
    match(String(answered.body["error"]), /^the body is not JSON: /);
  }
  equal((await call(handler, "/run", post("{}"))).body["runId"], "run-1");
});

Deno.test("a body is taken up to the limit and refused above, said or unsaid", async () => {
  const largest = JSON.stringify("x".repeat(MAX_BODY_BYTES - 2));
  const length = { "content-length": String(largest.length) };
  equal((await call(echo, "/run", post(largest, length))).status, 200);
  equal((await call(echo, "/run", post(stream([largest])))).status, 200);
  const tooLarge = await call(echo, "/run", post(stream([largest, " "])));
  equal(tooLarge.status, 413);
  match(String(tooLarge.body["error"]), /larger than 8388608 bytes/);
  const said = post("{}", { "content-length": String(MAX_BODY_BYTES + 1) });
  equal((await call(echo, "/run", said)).status, 413);
});

Deno.test("an input nested beyond reason is an error, and no crash", async () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  const { status, body } = await call(echo, "/run", post(deep));
  equal(status, 422);
  match(String(body["errors"]), /node n threw: was given a value nested over 1000 levels deep/);
});

Deno.test("a body in pieces is one body", async () => {
  const { body } = await call(echo, "/run", post(stream(['{"a', '": "\u00e4', '"}'])));
  deepEqual(body["outputs"], { n: { a: "\u00e4" } });
});

Deno.test("a body that breaks off answers 400", async () => {
  const { status, body } = await call(echo, "/run", post(stream(['{"a"', new Error("gone")])));
  deepEqual([status, body["error"]], [400, "the body ended early"]);
});

Deno.test("other methods answer 405 and say which are allowed", async () => {
  for (const method of ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "constructor"]) {
    const response = await echo(new Request("http://engine/run", { method }));
    deepEqual([response.status, response.headers.get("allow")], [405, "POST"], method);
    await response.body?.cancel();
  }
  equal((await call(echo, "/health", post("{}"))).status, 405);
});

Deno.test("HEAD is as good as GET", async () => {
  equal((await echo(new Request("http://engine/health", { method: "HEAD" }))).status, 200);
  equal((await echo(new Request("http://engine/run", { method: "HEAD" }))).status, 405);
});

Deno.test("unknown paths answer 404, also those that objects are born with", async () => {
  for (const path of ["/", "/run/", "/runs", "//run", "/constructor", "/__proto__", "/a?b=/run"]) {
    equal((await call(echo, path, post("{}"))).status, 404, path);
  }
});

Deno.test("a draining engine asks its clients to leave, in answers begun before as well", async () => {
  const gate = Promise.withResolvers<string>();
  let draining = false;
  const engine = engineFor(() => gate.promise);
  const handler = createHandler({ engine, draining: () => draining });
  const before = await handler(new Request("http://engine/health"));
  equal(before.headers.get("connection"), null);
  const begun = handler(new Request("http://engine/run", post("{}")));
  draining = true;
  gate.resolve("done");
  equal((await begun).headers.get("connection"), "close");
});

Deno.test("runs at the same time keep apart", async () => {
  const engine = engineFor(async (_, input) => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    return input;
  });
  const handler = createHandler({ engine });
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => call(handler, "/run", post(`{"i": ${i}}`))),
  );
  equal(new Set(answers.map((it) => it.body["runId"])).size, 200);
  for (const [i, { body }] of answers.entries()) deepEqual(body["outputs"], { n: { i } });
  equal(engine.inFlight, 0);
});

Deno.test("nothing is left in the context from one run to the next", async () => {
  const seen: unknown[] = [];
  const handler = handlerFor((ctx) => {
    seen.push(Reflect.get(ctx, "left"));
    Reflect.set(ctx, "left", "behind");
    return null;
  });
  await call(handler, "/run", post("{}"));
  await call(handler, "/run", post("{}"));
  deepEqual(seen, [undefined, undefined]);
});

Deno.test("a failure is in the log with the user's line, and the run's id", async () => {
  const lines: string[] = [];
  const error = new Error("no luck with hunter22");
  error.stack =
    "Error: no luck\n    at run (file:///w/nodes/n.ts:3:9)\n    at file:///engine/run.ts:1:1";
  const engine = engineFor(() => Promise.reject(error), { lines, secrets: SECRETS });
  await engine.run({});
  deepEqual(lines, [
    "[n] ERROR attempt 1 failed: no luck with *** runId=run-1",
    "[n] ERROR     at run (nodes/n.ts:3:9) runId=run-1",
  ]);
});

Deno.test("an engine is idle when its last run has ended", async () => {
  const gate = Promise.withResolvers<string>();
  const engine = engineFor(() => gate.promise);
  await engine.idle();
  const running = engine.run({});
  let idle = false;
  const waiting = engine.idle().then(() => idle = true);
  await Promise.resolve();
  equal(idle, false);
  gate.resolve("done");
  await Promise.all([running, waiting]);
  equal(idle, true);
});

Deno.test("on a developer's machine only a request that no web page can send starts a run", async () => {
  const engine = engineFor((_, input) => input);
  const local = createHandler({ engine, local: true });
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await local(new Request("http://localhost/run", post("{}", headers)))).status;
  const json = "application/json";
  equal(await status({ "content-type": json }), 200);
  equal(await status({ "content-type": "Application/JSON; charset=utf-8" }), 200);
  for (const type of ["text/plain", "text/plain; application/json", `${json}x`, ""]) {
    equal(await status({ "content-type": type }), 415);
  }
  equal(await status({ "content-type": json, origin: "http://evil.example.com" }), 403);
  equal(await status({ "content-type": json, host: "evil.example.com" }), 403);
  equal(
    await status({ "content-type": json, host: "localhost:1", origin: "http://localhost:1" }),
    200,
  );
});

Deno.test("metrics are there for Prometheus, when the engine keeps them", async () => {
  const metrics = new Metrics();
  const handler = createHandler({ engine: engineFor(() => 1), metrics });
  const response = await handler(new Request("http://engine/metrics"));
  match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  match(await response.text(), /tentacular_runs_total/);
  equal((await call(echo, "/metrics")).status, 404);
});

Deno.test("a host that brings a part of the path is refused, also after a request with the same URL", async () => {
  const status = async (url: string, host: string): Promise<number> =>
    (await echo(new Request(url, { headers: { host } }))).status;
  equal(await status("http://h/hooks/a", "h"), 404);
  equal(await status("http://h/hooks/a", "h/hooks"), 400);
  equal(await status("http://h/health", "h"), 200);
  equal(await status("http://h/health", "h"), 200);
});
