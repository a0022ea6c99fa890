/** Runs nodes under test, one after the other, and says what came of it. */

import type { NodeFunction } from "../mod.ts";
import { Attempt } from "../core/attempt.ts";
import type { Clock } from "../core/clock.ts";
import { Deadlines } from "../core/deadlines.ts";
import { copyJson } from "../core/json.ts";
import { WorkflowError } from "../core/shape.ts";
import { type NodeSpec, readWorkflow, type Workflow } from "../core/workflow.ts";
import { MockContext } from "./context.ts";
import type { Fixture } from "./fixture.ts";
import { type Current, type Outcome, type Report, Stage, type SuiteParts } from "./stage.ts";

export class Suite {
  readonly parts: SuiteParts;
  readonly workflow: Workflow;
  current: Current | undefined;

  constructor(parts: SuiteParts) {
    this.parts = parts;
    this.workflow = readWorkflow(parts.workflow);
  }

  /** Never rejects. */
  async testNode(name: string, fixture: Fixture): Promise<Report> {
    const stage = new Stage(this.parts, fixture, this.workflow);
    try {
      const spec = this.workflow.nodes.find((it) => it.name === name);
      if (spec === undefined) throw new WorkflowError(`there is no node ${name}`);
      stage.check();
      const code = await this.parts.load(spec);
      const outcome = await stage.play(this, (fail) => callNode(stage, spec, code, fail));
      return stage.report(outcome, outcome.output);
    } catch (error) {
      return stage.report({ durationMs: 0, thrown: error });
    }
  }
}

async function callNode(
  stage: Stage,
  spec: NodeSpec,
  code: NodeFunction,
  failure: Promise<never>,
): Promise<Outcome> {
  const { clock } = stage.parts;
  const attempt = new Attempt("", spec.name, 1);
  const began = clock.monotonic();
  const call = (): unknown =>
    code(new MockContext(stage.surroundings, attempt), copyJson(stage.fixture.input));
  try {
    const value = await Promise.race([settled(attempt, call, spec, clock), failure]);
    const durationMs = clock.monotonic() - began;
    await Promise.race([nextTurns(stage.parts), failure]);
    return { durationMs, output: copyJson(value) };
  } catch (error) {
    return { durationMs: clock.monotonic() - began, thrown: error ?? new Error("threw nothing") };
  }
}

function settled(
  attempt: Attempt,
  call: () => unknown,
  { timeoutMs: milliseconds }: NodeSpec,
  clock: Clock,
): Promise<unknown> {
  const from = clock.monotonic();
  const limit = { milliseconds, from, clock, deadlines: new Deadlines(clock) };
  return new Promise((resolve, reject) => {
    attempt.start(call, limit, { succeeded: resolve, failed: reject });
  });
}

/**
 * Rejections that nobody caught are told when a turn of the event loop is over, and a message waits
 * for the end of that turn. Where somebody has a timer, one of no time waits for what timers of no
 * time do, which takes a millisecond or more.
 */
export async function nextTurns({ clock, hasTimers }: SuiteParts): Promise<void> {
  if (hasTimers()) await new Promise<void>((resolve) => clock.after(0, resolve));
  const { port1, port2 } = new MessageChannel();
  await new Promise((resolve) => {
    port2.onmessage = resolve;
    port1.postMessage(null);
  });
  port1.close();
  port2.close();
}
