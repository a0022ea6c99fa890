/** Imports the nodes of a workflow. */

import type { NodeFunction } from "../mod.ts";
import { messageOf } from "../core/errors.ts";
import { WorkflowError } from "../core/shape.ts";
import type { NodeSpec } from "../core/workflow.ts";
import { dirname } from "./files.ts";
import { type LoadingParts, loadNode } from "./loading.ts";

/**
 * One after the other, so that it is known which of them is being loaded.
 *
 * A module is evaluated once for each URL. The fragment of a later `generation` makes another URL
 * of the same file, for the nodes and, passed on by the hook, for everything that they import.
 */
export async function importNodes(
  directory: string,
  specs: readonly NodeSpec[],
  loading: LoadingParts,
  generation = 0,
): Promise<NodeFunction[]> {
  if (generation > 0) await passGenerationOn(directory);
  const fragment = generation > 0 ? `#generation=${generation}` : "";
  const root = await Deno.realPath(directory);
  const nodes: NodeFunction[] = [];
  for (const [index, spec] of specs.entries()) {
    const load = (): Promise<NodeFunction> => importNode(root, directory, spec, fragment);
    nodes.push(await loadNode(loading, spec, index, load));
  }
  return nodes;
}

let hooked = false;

/** Imported here, as only `--watch` needs it. */
async function passGenerationOn(directory: string): Promise<void> {
  if (hooked) return;
  hooked = true;
  const { registerHooks } = await import("node:module");
  const own = `${fileUrl(directory)}/`;
  registerHooks({
    resolve: (specifier, context, next) => {
      const resolved = next(specifier, context);
      const fragment = /#generation=\d+$/.exec(context.parentURL ?? "")?.[0];
      if (fragment === undefined || !resolved.url.startsWith(own)) return resolved;
      return { ...resolved, url: resolved.url.replace(/#.*$/, "") + fragment };
    },
  });
}

async function importNode(
  root: string,
  directory: string,
  spec: NodeSpec,
  fragment: string,
): Promise<NodeFunction> {
  const path = `${directory}/${spec.path}`;
  await requireInside(root, path, spec);
  nameFile(path);
  const module = await importModule(fileUrl(path) + fragment, spec);
  const problem = problemOf(module["default"]);
  if (problem !== undefined) throw failure(spec, `${problem}: write ${FORM}`);
  return module["default"] as NodeFunction;
}

const FORM = "export default async function run(ctx, input) { ... }";

/** Why the engine cannot call a default export. */
function problemOf(code: unknown): string | undefined {
  if (typeof code !== "function") return "has no default export that is a function";
  if (/^class\b/.test(Function.prototype.toString.call(code))) {
    return "exports a class by default, which cannot be called";
  }
  const kind = Object.prototype.toString.call(code);
  return kind.includes("Generator")
    ? "exports a generator by default, whose values nothing takes"
    : undefined;
}

/** As modules that were CommonJS before they were bundled look for files beside them. */
function nameFile(path: string): void {
  Object.assign(globalThis, { __filename: path, __dirname: dirname(path) });
}

/** Through symbolic links as well. */
async function requireInside(root: string, path: string, spec: NodeSpec): Promise<void> {
  const real = await Deno.realPath(path).catch((error) => {
    const absent = error instanceof Deno.errors.NotFound;
    throw failure(spec, absent ? "does not exist" : messageOf(error));
  });
  if (!real.startsWith(`${root}/`)) throw failure(spec, "is outside the workflow's directory");
}

async function importModule(url: string, spec: NodeSpec): Promise<Record<string, unknown>> {
  try {
    return await import(url);
  } catch (error) {
    throw failure(spec, `cannot be imported: ${readable(messageOf(error))}`);
  }
}

/** Deno colours its excerpts even where nobody sees it, and users know nothing of generations. */
function readable(message: string): string {
  // deno-lint-ignore no-control-regex -- the escape that colours begin with
  return message.replace(/\x1b\[[0-9;]*m/g, "").replace(/#generation=\d+/g, "");
}

function failure(spec: NodeSpec, problem: string): WorkflowError {
  return new WorkflowError(`node ${spec.name}: ${spec.path} ${problem}`);
}

/** For an absolute path, with what a URL would read otherwise escaped. */
export function fileUrl(path: string): string {
  return `file://${path.split("/").map(encodeURIComponent).join("/")}`;
}
