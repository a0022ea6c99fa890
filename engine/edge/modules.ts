/** Imports the nodes of a workflow. */

import type { NodeFunction } from "../mod.ts";
import { messageOf } from "../core/errors.ts";
import { WorkflowError } from "../core/shape.ts";
import type { NodeSpec } from "../core/workflow.ts";

/** All at once, in the order of `specs`; throws for the first, in that order, that cannot be. */
export async function importNodes(
  directory: string,
  specs: readonly NodeSpec[],
): Promise<NodeFunction[]> {
  const root = await Deno.realPath(directory);
  const imports = await Promise.allSettled(specs.map((spec) => importNode(root, directory, spec)));
  return imports.map((it) => {
    if (it.status === "rejected") throw it.reason;
    return it.value;
  });
}

async function importNode(root: string, directory: string, spec: NodeSpec): Promise<NodeFunction> {
  const path = `${directory}/${spec.path}`;
  await requireInside(root, path, spec);
  const module = await importModule(path, spec);
  if (typeof module["default"] !== "function") {
    throw failure(spec, "has no default export that is a function");
  }
  return module["default"] as NodeFunction;
}

/** Through symbolic links as well. */
async function requireInside(root: string, path: string, spec: NodeSpec): Promise<void> {
  const real = await Deno.realPath(path).catch((error) => {
    const absent = error instanceof Deno.errors.NotFound;
    throw failure(spec, absent ? "does not exist" : messageOf(error));
  });
  if (!real.startsWith(`${root}/`)) throw failure(spec, "is outside the workflow's directory");
}

async function importModule(path: string, spec: NodeSpec): Promise<Record<string, unknown>> {
  try {
    return await import(fileUrl(path));
  } catch (error) {
    throw failure(spec, `cannot be imported: ${messageOf(error)}`);
  }
}

function failure(spec: NodeSpec, problem: string): WorkflowError {
  return new WorkflowError(`node ${spec.name}: ${spec.path} ${problem}`);
}

/** For an absolute path, with what a URL would read otherwise escaped. */
export function fileUrl(path: string): string {
  return `file://${path.split("/").map(encodeURIComponent).join("/")}`;
}
