import { deepEqual, equal } from "node:assert/strict";
import { headers } from "../vendor/nats.js";
import { RunningEngine } from "./harness.ts";
import { NatsServer, TOKEN } from "./nats_server.ts";

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
}

/** What OTLP sends, as far as spans are concerned. */
interface Export {
  readonly resourceSpans?: readonly {
    readonly scopeSpans: readonly { readonly spans: Span[] }[];
  }[];
}

/** A collector for OTLP over HTTP, in JSON. */
class Collector implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly spans: Span[] = [];

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        const { resourceSpans = [] }: Export = await request.json();
        this.spans.push(...resourceSpans.flatMap((it) => it.scopeSpans).flatMap((it) => it.spans));
        return new Response("{}", { headers: { "content-type": "application/json" } });
      },
    );
  }

  get env(): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "50",
    };
  }

  named(name: string): Span {
    const found = this.spans.find((it) => it.name === name);
    if (found === undefined) {
      throw new Error(`no span ${name} among ${this.spans.map((it) => it.name)}`);
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function attribute(span: Span, key: string): unknown {
  return Object.values(span.attributes.find((it) => it.key === key)?.value ?? {})[0];
}

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`;

const NODES = {
  a: "export default () => 1;",
  b: "export default () => { throw new TypeError('no luck'); };",
};

Deno.test("a run and its nodes are spans of the request's trace", async () => {
  await using collector = new Collector();
  const engine = await RunningEngine.start({
    nodes: NODES,
    workflow: { edges: [{ from: "a", to: "b" }] },
    env: collector.env,
  });
  await using _ = engine;
  const response = await engine.post("/run", "{}", { traceparent: TRACEPARENT });
  const { runId } = await response.json();
  equal(await engine.stop("SIGINT"), 0);
  const run = collector.named("run tested");
  const [a, b] = [collector.named("node a"), collector.named("node b")];
  deepEqual([run.traceId, a.traceId, b.traceId], [TRACE, TRACE, TRACE]);
  deepEqual([a.parentSpanId, b.parentSpanId], [run.spanId, run.spanId]);
  equal(attribute(run, "tentacular.run.id"), runId);
  equal(attribute(b, "error.type"), "TypeError");
  deepEqual([a.status.code ?? 0, b.status.code, b.status.message], [0, 2, "no luck"]);
  equal(run.status.message, "node b threw: no luck");
});

Deno.test("a message's run is in the trace that its headers name", async () => {
  await using collector = new Collector();
  await using server = await NatsServer.start();
  const engine = await RunningEngine.start({
    nodes: { a: NODES.a },
    workflow: { triggers: [{ type: "queue", subject: "in" }], config: { nats_url: server.url } },
    secrets: { nats: { token: TOKEN } },
    net: [server.url],
    env: collector.env,
  });
  await using _ = engine;
  await engine.line(/subscribed to/);
  const client = await server.client();
  const traced = headers();
  traced.set("traceparent", TRACEPARENT);
  await client.request("in", "{}", { timeout: 20_000, headers: traced });
  await client.close();
  equal(await engine.stop("SIGINT"), 0);
  const run = collector.named("run tested");
  deepEqual([run.traceId, run.parentSpanId], [TRACE, "b7ad6b7169203331"]);
  deepEqual([attribute(run, "messaging.system"), attribute(run, "messaging.destination.name")], [
    "nats",
    "in",
  ]);
});
