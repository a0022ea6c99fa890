/** The part of the `js-yaml` package that the engine uses. */

/** Which tags are known; opaque to the engine. */
export interface Schema {
  readonly name?: string;
  withTags(...tags: readonly Tag[]): Schema;
}

/** How a tag is recognised; opaque to the engine. */
export interface Tag {
  readonly tagName?: string;
}

/** What YAML 1.2 calls its core schema: strings, numbers, true and false, null. */
export const CORE_SCHEMA: Schema;

/** Strings, lists and maps: every scalar is what was written. */
export const FAILSAFE_SCHEMA: Schema;

/** What is `null`, `~` or not there, unless it is quoted. */
export const nullCoreTag: Tag;

export class YAMLException extends Error {
  readonly reason: string;
  /** Counted from zero. */
  readonly mark?: { readonly line: number; readonly column: number; readonly snippet: string };
}

export function load(text: string, options: { schema: Schema }): unknown;
