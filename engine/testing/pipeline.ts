/** The whole graph with mocks in place of everything outside. */

import { compileGraph } from "../core/graph.ts";
import { Deadlines } from "../core/deadlines.ts";
import { messageOf } from "../core/errors.ts";
import { Run, type RunPlan, type RunResult } from "../core/run.ts";
import type { Json, NodeFunction } from "../mod.ts";
import { MockContext } from "./context.ts";
import type { Fixture } from "./fixture.ts";
import { type Report, Stage } from "./stage.ts";
import { nextTurns, type Suite } from "./suite.ts";

/** A fixture's `expected` has the outputs of the nodes that it speaks about. Never rejects. */
export async function testPipeline(
  suite: Suite,
  fixture: Fixture,
): Promise<{ report: Report; run?: RunResult }> {
  const stage = new Stage(suite.parts, fixture, suite.workflow);
  try {
    stage.check();
    // One after the other, so that it is known which of them is being loaded.
    const code: NodeFunction[] = [];
    for (const spec of suite.workflow.nodes) code.push(await suite.parts.load(spec));
    const run = new Run(planOf(suite, stage, code), crypto.randomUUID(), fixture.input);
    const result = await stage.play(suite, (failure) => finish(suite, run, failure));
    return { report: reportOf(stage, result), run: result };
  } catch (error) {
    return { report: stage.report({ durationMs: 0, thrown: error }) };
  }
}

async function finish(suite: Suite, run: Run, failure: Promise<never>): Promise<RunResult> {
  const result = await Promise.race([run.start().result, failure]);
  await Promise.race([nextTurns(suite.parts), failure]);
  return result;
}

function reportOf(stage: Stage, { success, errors, timing, outputs }: RunResult): Report {
  const { durationMs } = timing;
  if (!success) return stage.report({ durationMs, thrown: errors.join("\n") });
  const { expected } = stage.fixture;
  const told = Object.entries(outputs).filter(([node]) => Object.hasOwn(Object(expected), node));
  return stage.report({ durationMs }, expected === undefined ? outputs : Object.fromEntries(told));
}

function planOf(
  { workflow, parts: { clock } }: Suite,
  stage: Stage,
  code: NodeFunction[],
): RunPlan {
  return {
    graph: compileGraph(workflow.nodes.map(({ name }) => name), workflow.edges),
    nodes: workflow.nodes.map(({ timeoutMs, retries }, index) => ({
      timeoutMs,
      retries,
      call: (attempt, input: Json) =>
        code[index]?.(new MockContext(stage.surroundings, attempt), input),
    })),
    revision: null,
    clock,
    deadlines: new Deadlines(clock),
    observer: {
      attemptFailed: ({ node }, thrown) => stage.print(`[${node}] ERROR ${messageOf(thrown)}`),
    },
    mask: (text) => text,
  };
}
