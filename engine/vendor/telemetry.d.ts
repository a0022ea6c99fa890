/** The part of `@opentelemetry/api` that the engine uses. */

export interface SpanContext {
  readonly traceId: string;
}

export interface Span {
  setAttribute(name: string, value: string | number | boolean): this;
  setStatus(status: { code: number; message?: string }): this;
  addEvent(name: string, attributes?: Readonly<Record<string, string | number>>): this;
  end(): void;
}

export interface SpanOptions {
  readonly kind?: number;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

/** Opaque to the engine. */
export interface Context {
  getValue(key: symbol): unknown;
}

export interface Tracer {
  startSpan(name: string, options?: SpanOptions, context?: Context): Span;
}

export const context: {
  active(): Context;
  with<T>(context: Context, call: () => T): T;
};

export const propagation: {
  extract(context: Context, carrier: Readonly<Record<string, string>>): Context;
};

export const trace: {
  getTracer(name: string): Tracer;
  setSpan(context: Context, span: Span): Context;
};

export const SpanKind: { readonly INTERNAL: number; readonly CONSUMER: number };
export const SpanStatusCode: { readonly ERROR: number };
