export { context, propagation, SpanKind, SpanStatusCode, trace } from "npm:@opentelemetry/api@1.10.0";
