/**
 * The process behind `tntc test`: takes fixtures on standard input, runs them one after the other,
 * and answers on standard output until the input ends.
 *
 * It runs with the right to read the workflow and the engine, and no other.
 */

import type { NodeFunction } from "../mod.ts";
import type { Clock } from "../core/clock.ts";
import { stderrSink } from "../edge/log.ts";
import { fileUrl, importNodes } from "../edge/modules.ts";
import type { NodeSpec } from "../core/workflow.ts";
import { readFixture } from "./fixture.ts";
import { inputLines } from "./lines.ts";
import { type Answer, type Job, RECORD_SEPARATOR, type Setup } from "./protocol.ts";
import { messageOf } from "../core/errors.ts";
import { Suite } from "./suite.ts";

/** Deep enough to see through a library to the node that called it. */
const STACK_FRAMES = 50;

/**
 * Holds on to what a fixture may replace for its node. Its timers are those of `AbortSignal`, which
 * are there when a process starts: the first look at `setTimeout` alone takes a fifth of that time.
 */
function realClock(): Clock {
  const dateNow = Date.now;
  const monotonic = performance.now.bind(performance);
  const timeout = AbortSignal.timeout;
  return {
    now: () => dateNow(),
    monotonic,
    after: (milliseconds, callback) => {
      const signal = timeout(milliseconds);
      signal.addEventListener("abort", callback);
      return () => signal.removeEventListener("abort", callback);
    },
  };
}

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

function openSuite({ workflow, directory }: Setup): Suite {
  const load = async (spec: NodeSpec): Promise<NodeFunction> => {
    const [code] = await importNodes(directory, [spec]);
    if (code === undefined) throw new Error(`${spec.path} was not imported`);
    return code;
  };
  const root = `${fileUrl(directory)}/`;
  return new Suite({ workflow, root, load, clock: realClock(), hasTimers: watchTimers(), inspect });
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
function answerer(word: string): (answer: Answer) => void {
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
let answer: ((answer: Answer) => void) | undefined;
for await (const line of inputLines()) {
  if (suite === undefined || answer === undefined) {
    const setup: Setup = JSON.parse(line);
    suite = openSuite(setup);
    answer = answerer(setup.word);
    takeOverGlobals(suite);
    continue;
  }
  answer(await work(suite, JSON.parse(line)));
}
// A timer that a node left behind keeps nothing alive.
Deno.exit(0);
