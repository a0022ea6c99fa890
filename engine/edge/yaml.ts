/** YAML text to plain values. */

import { CORE_SCHEMA, load, YAMLException } from "../vendor/yaml.js";

/** Throws a `SyntaxError` whose message has line, column and the lines around them. */
export function parseYaml(text: string): unknown {
  try {
    return load(text, { schema: CORE_SCHEMA });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new SyntaxError(describe(error));
  }
}

function describe({ reason, mark }: YAMLException): string {
  if (mark === undefined) return reason;
  return `${reason} at line ${mark.line + 1}, column ${mark.column + 1}\n${mark.snippet}`;
}
