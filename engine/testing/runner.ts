/**
 * The process behind `tntc test`: takes fixtures on standard input, runs them one after the other,
 * and answers on standard output until the input ends.
 *
 * It runs with the right to read the workflow and the engine, and no other.
 */

import type { NodeFunction } from "../mod.ts";
import { systemClock } from "../core/clock.ts";
import { createLogger } from "../core/log.ts";
import { Journal } from "../edge/journal.ts";
import { logOptions, stderrSink } from "../edge/log.ts";
import { hideMachine } from "../edge/machine.ts";
import { fileUrl, importNodes } from "../edge/modules.ts";
import type { NodeSpec } from "../core/workflow.ts";
import type { LoadingParts } from "../edge/loading.ts";
import { readFixture } from "./fixture.ts";
import { inputLines } from "./lines.ts";
import { type Answer, type Job, type Loading, RECORD_SEPARATOR, type Setup } from "./protocol.ts";
import { messageOf } from "../core/errors.ts";
import { explainForTests } from "../core/refusal.ts";
import { Suite } from "./suite.ts";

/** Deep enough to see through a library to the node that called it. */
const STACK_FRAMES = 50;

/**
 * Watches for whoever reads a global timer function, from now on, and says whether anybody has. A
 * node may keep what it read, so once is for ever.
 */
function watchTimers(): () => boolean {
  let read = false;
  for (const name of ["setTimeout", "setInterval"]) {
    const property = Object.getOwnPropertyDescriptor(globalThis, name);
    const get = property?.get;
    if (get === undefined) return () => true;
    Object.defineProperty(globalThis, name, {
      ...property,
      get: () => {
        read = true;
        return get.call(globalThis);
      },
    });
  }
  return () => read;
}

/** How long a module takes is for whoever waits for the answer to judge. */
const parts: LoadingParts = {
  log: createLogger("engine", logOptions((text) => text)),
  journal: Journal.none,
  begins: () => {},
};

function openSuite({ workflow, directory }: Setup, announce: (news: Loading) => void): Suite {
  const known = new Map<string, NodeFunction>();
  const load = async (spec: NodeSpec): Promise<NodeFunction> => {
    const loaded = known.get(spec.path);
    if (loaded !== undefined) return loaded;
    announce({ loading: spec.name });
    const [code] = await importNodes(directory, [spec], parts);
    announce({ loading: null });
    if (code === undefined) throw new Error(`${spec.path} was not imported`);
    known.set(spec.path, code);
    return code;
  };
  const root = `${fileUrl(directory)}/`;
  return new Suite({ workflow, root, load, clock: systemClock, hasTimers: watchTimers(), inspect });
}

function inspect(value: unknown): string {
  return Deno.inspect(value, { colors: false, depth: 8, breakLength: Infinity, compact: true });
}

/** Before any node is imported: one may keep what it finds while it loads. */
function takeOverGlobals(suite: Suite): void {
  const print = (...parts: unknown[]): void => {
    const line = parts.map((it) => typeof it === "string" ? it : inspect(it)).join(" ");
    if (suite.current === undefined) stderrSink(line);
    else suite.current.print(line);
  };
  Object.assign(console, { log: print, info: print, debug: print, warn: print, error: print });
  globalThis.fetch = (input, init) => {
    const refuse = (): never => {
      throw new TypeError("fetch is for nodes that run, not for modules that load");
    };
    return suite.current?.fetch(input, init) ?? Promise.try(refuse);
  };
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    suite.current?.fail(event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    suite.current?.fail(event.error);
  });
}

async function work(suite: Suite, { id, node, fixture: given }: Job): Promise<Answer> {
  try {
    const fixture = readFixture(given);
    if (node === undefined) {
      const { testPipeline } = await import("./pipeline.ts");
      return { id, ...await testPipeline(suite, fixture) };
    }
    return { id, report: await suite.testNode(node, fixture) };
  } catch (error) {
    return { id, report: unusable(error) };
  }
}

function unusable(error: unknown): Answer["report"] {
  return {
    durationMs: 0,
    error: { message: messageOf(error), frames: [] },
    timedOut: false,
    differences: [],
    callDifferences: [],
    accesses: [],
    calls: [],
    deviations: [],
    log: [],
  };
}

/**
 * Writes answers with functions as they are before any node is loaded: one that a node has put in their place would read
 * the word.
 */
function answerer(word: string): (answer: Answer | Loading) => void {
  const { stringify } = JSON;
  const encode = TextEncoder.prototype.encode.bind(new TextEncoder());
  const { subarray } = Uint8Array.prototype;
  const rest = Function.prototype.call.bind(subarray) as (
    bytes: Uint8Array,
    start: number,
  ) => Uint8Array;
  const write = Deno.stdout.writeSync.bind(Deno.stdout);
  return (answer) => {
    let bytes: Uint8Array = encode(`\n${RECORD_SEPARATOR}${word} ${stringify(answer)}\n`);
    while (bytes.length > 0) bytes = rest(bytes, write(bytes));
  };
}

Error.stackTraceLimit = STACK_FRAMES;
let suite: Suite | undefined;
let answer: ((answer: Answer | Loading) => void) | undefined;
for await (const line of inputLines()) {
  if (suite === undefined || answer === undefined) {
    const setup: Setup = JSON.parse(line);
    answer = answerer(setup.word);
    suite = openSuite(setup, answer);
    takeOverGlobals(suite);
    hideMachine();
    explainForTests();
    continue;
  }
  answer(await work(suite, JSON.parse(line)));
}
// A timer that a node left behind keeps nothing alive.
Deno.exit(0);
