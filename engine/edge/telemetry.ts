/**
 * OpenTelemetry, by way of Deno's own exporter. `OTEL_DENO=true` in the environment switches it on,
 * together with the spans that Deno itself makes for requests it serves and sends.
 */

import type { NodeSpan, Origin, RunSpan, Tracing } from "../core/tracing.ts";
import type { Context, Span } from "../vendor/telemetry.js";

type Api = typeof import("../vendor/telemetry.js");

const NAME = "tentacular";

/**
 * `undefined` when telemetry is off. Deno registers itself with the API's global when it is on,
 * which can be seen without a permission to read the environment.
 */
export async function createTracing(): Promise<Tracing | undefined> {
  if (!(Symbol.for("opentelemetry.js.api.1") in globalThis)) return undefined;
  return new OpenTelemetry(await import("../vendor/telemetry.js"));
}

class OpenTelemetry implements Tracing {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  run(workflow: string, runId: string, origin?: Origin): RunSpan {
    const { context, SpanKind, trace } = this.#api;
    const ids = { "tentacular.workflow.name": workflow, "tentacular.run.id": runId };
    const kind = origin === undefined ? SpanKind.INTERNAL : SpanKind.CONSUMER;
    const options = { kind, attributes: { ...ids, ...origin } };
    const span = trace.getTracer(NAME).startSpan(`run ${workflow}`, options, context.active());
    return new OpenRunSpan(this.#api, span, trace.setSpan(context.active(), span));
  }

  within<T>(headers: Readonly<Record<string, string>>, call: () => T): T {
    const { context, propagation } = this.#api;
    return context.with(propagation.extract(context.active(), headers), call);
  }
}

class OpenRunSpan implements RunSpan {
  readonly #api: Api;
  readonly #span: Span;
  readonly #context: Context;

  constructor(api: Api, span: Span, context: Context) {
    this.#api = api;
    this.#span = span;
    this.#context = context;
  }

  node(name: string): NodeSpan {
    const { trace } = this.#api;
    const attributes = { "tentacular.node.name": name };
    const span = trace.getTracer(NAME).startSpan(`node ${name}`, { attributes }, this.#context);
    return new OpenNodeSpan(this.#api, span, trace.setSpan(this.#context, span));
  }

  end(errors: readonly string[]): void {
    const [message] = errors;
    if (message !== undefined) fail(this.#api, this.#span, message);
    this.#span.end();
  }
}

class OpenNodeSpan implements NodeSpan {
  readonly #api: Api;
  readonly #span: Span;
  readonly #context: Context;
  #problem = "aborted";

  constructor(api: Api, span: Span, context: Context) {
    this.#api = api;
    this.#span = span;
    this.#context = context;
  }

  within<T>(call: () => T): T {
    return this.#api.context.with(this.#context, call);
  }

  /** As the conventions have it for exceptions, but for the stack, which only the log has. */
  attemptFailed(attempt: number, type: string, message: string): void {
    this.#problem = message;
    this.#span.setAttribute("error.type", type);
    this.#span.addEvent("exception", {
      "exception.type": type,
      "exception.message": message,
      "tentacular.attempt": attempt,
    });
  }

  end(attempts: number, failed: boolean): void {
    this.#span.setAttribute("tentacular.node.attempts", attempts);
    if (failed) fail(this.#api, this.#span, this.#problem);
    this.#span.end();
  }
}

function fail({ SpanStatusCode }: Api, span: Span, message: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}
