/**
 * OpenTelemetry, by way of Deno's own exporter. `OTEL_DENO=true` in the environment switches it on,
 * together with the spans that Deno itself makes for requests it serves and sends.
 */

import type { NodeSpan, Origin, RunSpan, Tracing } from "../core/tracing.ts";
import {
  type Context,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "../vendor/telemetry.js";

const NAME = "tentacular";

export class OpenTelemetry implements Tracing {
  run(workflow: string, runId: string, origin?: Origin): RunSpan {
    const ids = { "tentacular.workflow.name": workflow, "tentacular.run.id": runId };
    const kind = origin === undefined ? SpanKind.INTERNAL : SpanKind.CONSUMER;
    const options = { kind, attributes: { ...ids, ...origin } };
    const span = trace.getTracer(NAME).startSpan(`run ${workflow}`, options, context.active());
    return new OpenRunSpan(span, trace.setSpan(context.active(), span));
  }

  within<T>(headers: Readonly<Record<string, string>>, call: () => T): T {
    return context.with(propagation.extract(context.active(), headers), call);
  }
}

class OpenRunSpan implements RunSpan {
  readonly #span: Span;
  readonly #context: Context;

  constructor(span: Span, within: Context) {
    this.#span = span;
    this.#context = within;
  }

  node(name: string): NodeSpan {
    const attributes = { "tentacular.node.name": name };
    const span = trace.getTracer(NAME).startSpan(`node ${name}`, { attributes }, this.#context);
    return new OpenNodeSpan(span, trace.setSpan(this.#context, span));
  }

  end(errors: readonly string[]): void {
    const [message] = errors;
    if (message !== undefined) fail(this.#span, message);
    this.#span.end();
  }
}

class OpenNodeSpan implements NodeSpan {
  readonly #span: Span;
  readonly #context: Context;
  #problem = "aborted";

  constructor(span: Span, within: Context) {
    this.#span = span;
    this.#context = within;
  }

  within<T>(call: () => T): T {
    return context.with(this.#context, call);
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
    if (failed) fail(this.#span, this.#problem);
    this.#span.end();
  }
}

function fail(span: Span, message: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}
