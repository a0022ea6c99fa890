/**
 * Reads each `yaml` of a JSON list as the engine does at its start, and fails at the first that it
 * refuses or reads otherwise than `reads` says. Run by `tests/conformance.rs`.
 */

import { deepEqual } from "node:assert/strict";
import { compileGraph } from "../core/graph.ts";
import { readWorkflow } from "../core/workflow.ts";
import { parseYaml } from "../edge/yaml.ts";

interface File {
  readonly yaml: string;
  readonly reads: unknown;
}

const files: readonly File[] = JSON.parse(await Deno.readTextFile(Deno.args[0] ?? ""));
for (const { yaml, reads } of files) {
  const { version: _, dependencies, nodes, ...rest } = readWorkflow(parseYaml(yaml));
  compileGraph(nodes.map((it) => it.name), rest.edges);
  const paths = nodes.map((it) => ({ ...it, path: it.path.replace(/^\.\//, "") }));
  const read = { ...rest, nodes: paths, dependencies: Object.fromEntries(dependencies) };
  deepEqual(read, reads, yaml);
}
console.log(`${files.length} files read alike`);
