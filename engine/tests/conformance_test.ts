/**
 * The engine's reader on the workflow files of `tests/conformance`: it gives the verdict that
 * `tntc validate` gives, but where the case says why not, and reads the same from each.
 */

import { deepEqual, equal } from "node:assert/strict";
import { compileGraph } from "../core/graph.ts";
import { isAboutVerification } from "../core/verification.ts";
import { readWorkflow, type Workflow } from "../core/workflow.ts";
import { parseYaml } from "../edge/yaml.ts";

interface Verdict {
  readonly valid: boolean;
  /** Why the engine says the opposite, when it does. */
  readonly engine?: string;
}

const cases = new URL("../../tests/conformance/", import.meta.url);
const verdicts: Record<string, Verdict> = await readJson("verdicts.json");
const reads: Record<string, unknown> = await readJson("reads.json");

async function readJson<T>(name: string): Promise<T> {
  return JSON.parse(await Deno.readTextFile(new URL(name, cases)));
}

async function read(name: string): Promise<Workflow> {
  const text = await Deno.readTextFile(new URL(`${name}.yaml`, cases));
  const workflow = readWorkflow(parseYaml(text));
  compileGraph(workflow.nodes.map((it) => it.name), workflow.edges);
  return workflow;
}

async function accepts(name: string): Promise<boolean> {
  try {
    await read(name);
    return true;
  } catch {
    return false;
  }
}

Deno.test("the engine starts on what is valid and refuses the rest, but where a case says why", async () => {
  for (const [name, { valid, engine }] of Object.entries(verdicts)) {
    equal(await accepts(name), valid === (engine === undefined), name);
  }
});

Deno.test("the engine never refuses what tntc validate accepts", () => {
  const refused = Object.entries(verdicts).filter(([, it]) => it.valid && it.engine !== undefined);
  deepEqual(refused, []);
});

Deno.test("the engine tells keys about verification from others as tntc validate does", async () => {
  const keys: Record<string, boolean> = await readJson("keys-of-webhooks.json");
  const found = Object.keys(keys).map((key) => [key, isAboutVerification(key)]);
  deepEqual(Object.fromEntries(found), keys);
});

Deno.test("the engine reads from a file what tntc reads", async () => {
  equal(Object.keys(reads).length, Object.values(verdicts).filter((it) => it.valid).length);
  for (const [name, expected] of Object.entries(reads)) {
    const { version: _, dependencies, ...rest } = await read(name);
    deepEqual({ ...rest, dependencies: Object.fromEntries(dependencies) }, expected, name);
  }
});
