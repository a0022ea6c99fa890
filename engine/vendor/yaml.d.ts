/** The part of the `js-yaml` package that the engine uses. */

/** Which tags are known; opaque to the engine. */
export interface Schema {
  readonly name?: string;
}

/** What YAML 1.2 calls its core schema: strings, numbers, true and false, null. */
export const CORE_SCHEMA: Schema;

export class YAMLException extends Error {
  readonly reason: string;
  /** Counted from zero. */
  readonly mark?: { readonly line: number; readonly column: number; readonly snippet: string };
}

export function load(text: string, options: { schema: Schema }): unknown;
