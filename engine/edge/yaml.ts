/** YAML text to plain values. */

import { parseDocument } from "../vendor/yaml.js";

/** Throws an error whose message has line and column. */
export function parseYaml(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: true, logLevel: "silent" });
  const [problem] = document.errors;
  if (problem !== undefined) throw new SyntaxError(problem.message.trim());
  return document.toJS({ maxAliasCount: 100 });
}
