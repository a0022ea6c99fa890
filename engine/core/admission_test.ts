import { equal, match, ok } from "node:assert/strict";
import { Admission, LIMITS } from "./admission.ts";
import { createHandler, type Handler } from "./http.ts";
import { type Code, engineFor } from "./testdata/engines.ts";
import { FakeClock } from "./testdata/fake_clock.ts";
import { weighJson } from "./weight.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function handlerFor(code: Code): Handler {
  return createHandler({ engine: engineFor(code) });
}

function post(body: BodyInit, headers: Record<string, string> = {}): Request {
  return new Request("http://engine/run", { method: "POST", body, headers });
}

Deno.test("what JSON takes in memory is estimated by its shape, not by its length", () => {
  const mib = 1024 * 1024;
  const text = weighJson(bytes(JSON.stringify("[,:{".repeat(mib))));
  ok(text < 5 * mib, String(text));
  const arrays = weighJson(bytes(`[${"[],".repeat(mib)}[]]`));
  ok(arrays > 40 * mib, String(arrays));
  const rows = Array.from({ length: 100_000 }, (_, id) => ({ id, name: "some name" }));
  const weight = weighJson(bytes(JSON.stringify(rows)));
  ok(weight > 8 * mib && weight < 24 * mib, String(weight));
  equal(weighJson(bytes("{}")), 16);
  ok(weighJson(bytes(`"${"\\\\".repeat(20_000)}", [${"[],".repeat(5_000)}]`)) > 5_000 * 40);
});

Deno.test("an input that no pod could hold is refused before it is parsed", async () => {
  let runs = 0;
  const handler = handlerFor(() => runs++);
  for (const body of [`[${"[],".repeat(2_600_000)}[]]`, "[".repeat(4_000_000)]) {
    const response = await handler(post(body));
    equal(response.status, 413);
    match((await response.json()).error, /would take \d+ MiB of memory/);
  }
  equal(runs, 0);
});

Deno.test("an input for which there is no room gets 503, and nothing runs", async () => {
  let open: () => void = () => {};
  let runs = 0;
  const gate = new Promise<void>((resolve) => open = resolve);
  const handler = handlerFor(async () => {
    runs++;
    await gate;
    return runs;
  });
  const large = `[${"[],".repeat(700_000)}[]]`;
  const first = handler(post(large));
  await new Promise((resolve) => setTimeout(resolve, 0));
  const small = handler(post("{}"));
  const refused = await handler(post(large));
  equal(refused.status, 503);
  equal(refused.headers.get("retry-after"), "1");
  open();
  equal((await first).status, 200);
  equal((await small).status, 200);
  equal(runs, 2);
  equal((await handler(post(large))).status, 200);
});

Deno.test("no more runs than the limit are under way", () => {
  const admission = new Admission({ runs: 2, inputBytes: 10, bodyBytes: 10 });
  admission.enter(1);
  ok(admission.admits(9));
  ok(!admission.admits(10));
  admission.enter(1);
  ok(!admission.admits(1));
  admission.leave(1);
  admission.leave(1);
  ok(admission.admits(1_000), "one that is too large runs alone");
});

Deno.test("bodies that are being read are bounded together, and give their room back", async () => {
  const engine = engineFor((_, input) => input);
  const handler = createHandler({ engine });
  const held: ReadableStreamDefaultController<Uint8Array>[] = [];
  const slow = (): Request =>
    post(
      new ReadableStream<Uint8Array>({
        start(controller): void {
          controller.enqueue(new Uint8Array(7 * 1024 * 1024).fill(0x20));
          held.push(controller);
        },
      }),
    );
  const waiting = Array.from({ length: 3 }, () => handler(slow()));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const refused = await handler(slow());
  equal(refused.status, 503);
  match((await refused.json()).error, /too many bodies/);
  held.slice(0, 3).forEach((controller) => controller.close());
  for (const response of await Promise.all(waiting)) equal(response.status, 200);
  ok(engine.admission.reserve(LIMITS.bodyBytes));
});

Deno.test("a declared length sets nothing aside beyond what comes", async () => {
  const engine = engineFor(() => 1);
  const handler = createHandler({ engine });
  const half = (): Request =>
    post(new ReadableStream({ start: (it) => it.enqueue(new Uint8Array(1)) }), {
      "content-length": String(8 * 1024 * 1024),
    });
  for (let count = 0; count < 1_000; count++) handler(half());
  await new Promise((resolve) => setTimeout(resolve, 50));
  equal((await handler(post("{}"))).status, 200);
});

Deno.test("an output that is too large is its node's error, and says where", async () => {
  const long = "x".repeat(1024).repeat(1024 * 500);
  const handler = handlerFor(() => ({ rows: [{ id: 1 }, { text: long }] }));
  const response = await handler(post("{}"));
  equal(response.status, 422);
  const { errors } = await response.json();
  equal(errors[0], "node n threw: returned more than 32 MiB; the limit was passed at rows.1.text");
});

Deno.test("a result that cannot be written is a 422, so that nobody runs it again", async () => {
  let runs = 0;
  const handler = handlerFor(() => {
    runs++;
    Object.defineProperty(Object.prototype, "toJSON", {
      configurable: true,
      value: () => {
        throw new Error("broken");
      },
    });
    return "done";
  });
  const response = await handler(post("{}"));
  delete (Object.prototype as { toJSON?: unknown }).toJSON;
  equal(response.status, 422);
  match((await response.json()).errors[0], /the result could not be written: broken/);
  equal(runs, 1);
});

Deno.test("a body that does not come is given up, and its connection with it", async () => {
  const clock = new FakeClock();
  const engine = engineFor(() => 1, { clock });
  const handler = createHandler({ engine });
  const never = new ReadableStream<Uint8Array>({ start: (it) => it.enqueue(new Uint8Array(1)) });
  const long = handler(post(never));
  const short = handler(post(new ReadableStream(), { "content-length": "10" }));
  await new Promise((resolve) => setTimeout(resolve, 10));
  clock.advance(30_001);
  for (const response of await Promise.all([long, short])) {
    equal(response.status, 408);
    equal(response.headers.get("connection"), "close");
  }
});
