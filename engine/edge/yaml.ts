/** YAML text to plain values. */

import {
  CORE_SCHEMA,
  FAILSAFE_SCHEMA,
  load,
  nullCoreTag,
  type Schema,
  YAMLException,
} from "../vendor/yaml.js";

const TEXT_SCHEMA = FAILSAFE_SCHEMA.withTags(nullCoreTag);

/** Throws a `SyntaxError` whose message has line, column and the lines around them. */
export function parseYaml(text: string): unknown {
  return parse(text, CORE_SCHEMA, describe);
}

/**
 * YAML text to maps, lists and texts: a scalar is what was written, character by character, unless it
 * is null. Throws a `SyntaxError` with line and column that shows nothing of the text.
 */
export function parseYamlTexts(text: string): unknown {
  return parse(text, TEXT_SCHEMA, place);
}

function parse(text: string, schema: Schema, say: (error: YAMLException) => string): unknown {
  try {
    return load(text, { schema });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new SyntaxError(say(error));
  }
}

/** The parser's reason can quote a name or a tag. */
function place({ reason, mark }: YAMLException): string {
  const why = reason.replace(/[\s:]*["'`<!].*$/s, "");
  return mark === undefined ? why : `${why} at line ${mark.line + 1}, column ${mark.column + 1}`;
}

function describe({ reason, mark }: YAMLException): string {
  if (mark === undefined) return reason;
  return `${reason} at line ${mark.line + 1}, column ${mark.column + 1}\n${mark.snippet}`;
}
