/** One fixture with everything around its node. */

import type { Json, NodeFunction } from "../mod.ts";
import { TimeoutError } from "../core/attempt.ts";
import type { Clock } from "../core/clock.ts";
import { deepFreeze } from "../core/context.ts";
import { framesOf, messageOf } from "../core/errors.ts";
import { createLogger, type LogOptions } from "../core/log.ts";
import { createMask } from "../core/mask.ts";
import { readSecrets, secretTexts } from "../core/secrets.ts";
import { WorkflowError } from "../core/shape.ts";
import { type NodeSpec, readWorkflow, type Workflow } from "../core/workflow.ts";
import { differencesOfCalls } from "./calls.ts";
import { globalFetch, type Surroundings } from "./context.ts";
import { type Difference, differences } from "./diff.ts";
import type { Fixture } from "./fixture.ts";
import { freeze } from "./frozen.ts";
import { MockServer } from "./mocks.ts";
import { type Call, DeedRecord, type Deviation } from "./record.ts";
import { targetFinder } from "./targets.ts";

/** What came of one fixture. It passed when there is neither `error` nor a difference. */
export interface Report {
  /** Of the node alone, in milliseconds. */
  readonly durationMs: number;
  readonly output?: Json;
  /** What the node threw, or why it could not be tested; `frames` are lines of the stack. */
  readonly error?: { readonly message: string; readonly frames: readonly string[] };
  /** Whether the node went on when its time was over: what it does now nobody knows. */
  readonly timedOut: boolean;
  readonly differences: readonly Difference[];
  readonly callDifferences: readonly Difference[];
  readonly accesses: readonly string[];
  readonly calls: readonly Call[];
  readonly deviations: readonly Deviation[];
  readonly log: readonly string[];
}

export interface SuiteParts {
  /** workflow.yaml as JSON. */
  readonly workflow: Readonly<Record<string, unknown>>;
  /** URL of the workflow's directory, ending in `/`. */
  readonly root: string;
  readonly load: (spec: NodeSpec) => Promise<NodeFunction>;
  readonly clock: Clock;
  /** Whether any node may have set a timer. */
  readonly hasTimers: () => boolean;
  readonly inspect: (value: unknown) => string;
}

/** What the global `fetch` and the console of whatever runs at the moment go to. */
export interface Current {
  readonly fetch: typeof fetch;
  readonly print: (line: string) => void;
  /** For what nobody awaits and nobody catches. */
  readonly fail: (thrown: unknown) => void;
}

/** How a call ended: with an output or with something thrown. */
export interface Outcome {
  readonly durationMs: number;
  readonly output?: Json;
  readonly thrown?: unknown;
}

export class Stage {
  readonly record: DeedRecord;
  readonly surroundings: Surroundings;
  readonly log: string[] = [];
  readonly #dependencies: Workflow["dependencies"];

  /** `workflow` is `parts.workflow`, read. */
  constructor(readonly parts: SuiteParts, readonly fixture: Fixture, workflow: Workflow) {
    const contract = mergedContract(parts.workflow["contract"], fixture.contract);
    this.#dependencies = fixture.contract === undefined
      ? workflow.dependencies
      : readWorkflow({ ...parts.workflow, contract }).dependencies;
    const own = parts.workflow["contract"] === undefined
      ? this.#dependencies
      : workflow.dependencies;
    const secrets = deepFreeze(structuredClone(readSecrets(fixture.secrets)));
    this.record = new DeedRecord(parts.root);
    this.surroundings = {
      plan: {
        config: deepFreeze({ ...workflow.config, ...structuredClone(fixture.config) }),
        secrets,
        dependencies: this.#dependencies,
        logger: (attempt) => createLogger(attempt.node, this.#logOptions()),
      },
      record: this.record,
      mocks: new MockServer(fixture.mocks),
      findTarget: targetFinder(this.#dependencies, contract),
      declared: new Set(own.keys()),
      uses: new Map(workflow.nodes.map(({ name, uses }) => [name, uses])),
      mask: createMask(secretTexts(secrets)),
    };
  }

  #logOptions(): LogOptions {
    return { sink: (line) => this.print(line), mask: (text) => text, inspect: this.parts.inspect };
  }

  print(line: string): void {
    this.log.push(line);
  }

  /** A mock that nothing can ask for is a mistake in the fixture. */
  check(): void {
    const { mocks } = this.fixture;
    const unknown = Object.keys(mocks).find((name) => !this.#dependencies.has(name));
    if (unknown === undefined) return;
    const declared = [...this.#dependencies.keys()].join(", ") || "none";
    throw new WorkflowError(
      `mocks.${unknown}: the contract has no such dependency (declared: ${declared})`,
    );
  }

  /** With the fixture's clock, and with everything global that a node can reach going to it. */
  async play<T>(
    holder: { current: Current | undefined },
    act: (failure: Promise<never>) => Promise<T>,
  ): Promise<T> {
    const failure = Promise.withResolvers<never>();
    failure.promise.catch(() => {}); // Whoever listens comes later, or never.
    holder.current = {
      fetch: globalFetch(this.surroundings),
      print: (line) => this.print(line),
      fail: failure.reject,
    };
    const thaw = this.fixture.now === undefined ? undefined : freeze(this.fixture.now);
    try {
      return await act(failure.promise);
    } finally {
      thaw?.();
      holder.current = undefined;
    }
  }

  report({ durationMs, thrown }: Outcome, output?: Json): Report {
    const { expected, expectCalls } = this.fixture;
    const { accesses, calls, deviations, root } = this.record;
    const failed = thrown !== undefined;
    const compare = !failed && expected !== undefined && output !== undefined;
    return {
      durationMs,
      ...(output === undefined ? {} : { output }),
      ...(failed ? { error: { message: messageOf(thrown), frames: framesOf(thrown, root) } } : {}),
      timedOut: thrown instanceof TimeoutError,
      differences: compare ? differences(expected, output) : [],
      callDifferences: failed ? [] : differencesOfCalls(expectCalls, calls),
      accesses: [...accesses],
      calls,
      deviations,
      log: this.log,
    };
  }
}

function mergedContract(own: unknown, more: Fixture["contract"]): unknown {
  if (more === undefined) return own;
  const base = own as { dependencies?: object } | undefined;
  const added = more["dependencies"] as object | undefined;
  return { ...base, ...more, dependencies: { ...base?.dependencies, ...added } };
}
