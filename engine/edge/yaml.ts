/** YAML text to plain values. */

import {
  CORE_SCHEMA,
  FAILSAFE_SCHEMA,
  load,
  mergeTag,
  nullCoreTag,
  type Schema,
  YAMLException,
} from "../vendor/yaml.js";

/**
 * What `tntc validate` accepts is within these limits, so that a workflow that is deployed never
 * meets them: values that aliases or merge keys add, and lists and mappings within each other.
 */
const MOST_EXPANDED = 10_000;
const DEEPEST = 256;

const LIMITS = { maxDepth: DEEPEST + 1, maxTotalMergeKeys: MOST_EXPANDED };
const VALUE_SCHEMA = CORE_SCHEMA.withTags(mergeTag);
const TEXT_SCHEMA = FAILSAFE_SCHEMA.withTags(nullCoreTag, mergeTag);

/** Throws a `SyntaxError` whose message has line, column and the lines around them. */
export function parseYaml(text: string): unknown {
  return parse(text, VALUE_SCHEMA, describe);
}

/**
 * YAML text to maps, lists and texts: a scalar is what was written, character by character, unless it
 * is null. Throws a `SyntaxError` with line and column that shows nothing of the text.
 */
export function parseYamlTexts(text: string): unknown {
  return parse(text, TEXT_SCHEMA, place);
}

function parse(text: string, schema: Schema, say: (error: YAMLException) => string): unknown {
  const value = loadYaml(text, schema, say);
  new Expansion().measure(value);
  return value;
}

function loadYaml(text: string, schema: Schema, say: (error: YAMLException) => string): unknown {
  try {
    return load(text, { schema, ...LIMITS });
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

/**
 * How much larger a value is when all its aliases are written out. An alias is the very object that
 * its anchor stands at, so a few lines can stand for more than any memory holds, or for no end.
 */
class Expansion {
  /** Values within each list and mapping that has been looked at; 0 while it still is. */
  readonly #sizes = new Map<object, number>();
  #added = 0;

  measure(value: unknown): number {
    if (typeof value !== "object" || value === null) return 1;
    const known = this.#sizes.get(value);
    if (known === 0) throw new SyntaxError("an alias stands within the value of its own anchor");
    if (known !== undefined) return this.#repeat(known);
    this.#sizes.set(value, 0);
    const size = Object.values(value).reduce<number>((sum, it) => sum + this.measure(it), 1);
    this.#sizes.set(value, size);
    return size;
  }

  #repeat(size: number): number {
    this.#added += size;
    if (this.#added <= MOST_EXPANDED) return size;
    throw new SyntaxError(`aliases add more than ${MOST_EXPANDED} values`);
  }
}

function describe({ reason, mark }: YAMLException): string {
  if (mark === undefined) return reason;
  return `${reason} at line ${mark.line + 1}, column ${mark.column + 1}\n${mark.snippet}`;
}
