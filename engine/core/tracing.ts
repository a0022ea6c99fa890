/** Spans, as far as runs are concerned. Who makes them is decided in edge/telemetry.ts. */

/** Where a run came from, in the names of OpenTelemetry's semantic conventions. */
export type Origin = Readonly<Record<string, string>>;

export interface Tracing {
  /** A run begins in the current context, or in the one that a message brought along. */
  run(workflow: string, runId: string, origin?: Origin): RunSpan;
  /** Calls back in the context that the headers of a message describe. */
  within<T>(headers: Readonly<Record<string, string>>, call: () => T): T;
}

export interface RunSpan {
  node(name: string): NodeSpan;
  end(errors: readonly string[]): void;
}

export interface NodeSpan {
  /** Calls back in the context of this span, so that whatever it starts is below it. */
  within<T>(call: () => T): T;
  attemptFailed(attempt: number, type: string, message: string): void;
  end(attempts: number, failed: boolean): void;
}
