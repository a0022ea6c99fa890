/** Engines without a process: programs from functions. */

import type { Context } from "../../mod.ts";
import type { Clock } from "../clock.ts";
import { systemClock } from "../clock.ts";
import { Engine } from "../engine.ts";
import { createProgram, type Program } from "../program.ts";
import type { Secrets } from "../secrets.ts";
import { readWorkflow } from "../workflow.ts";

export type Code = (ctx: Context, input: unknown) => unknown;

export interface Setup {
  readonly workflow?: Readonly<Record<string, unknown>>;
  readonly secrets?: Secrets;
  readonly lines?: string[];
  readonly clock?: Clock;
}

/** A workflow of one node. */
export function programFor(code: Code, setup: Setup = {}): Program {
  return createProgram({
    workflow: readWorkflow({ name: "w", nodes: { n: { path: "n.ts" } }, ...setup.workflow }),
    nodes: [code],
    secrets: setup.secrets ?? {},
    loaded: { revision: "rev", expected: "rev", secrets: "none" },
    root: "file:///w/",
    log: { sink: (line) => void setup.lines?.push(line), inspect: String },
    clock: setup.clock ?? systemClock,
    fetch,
  });
}

export function engineFor(code: Code, setup: Setup = {}): Engine {
  let runs = 0;
  return new Engine(programFor(code, setup), () => `run-${++runs}`);
}
