/** The part of the `js-yaml` package that the engine uses. */

/** How values of one YAML tag are read. */
export interface Tag {
  readonly tagName: string;
}

/** Which tags are known. */
export interface Schema {
  readonly name?: string;
  withTags(...tags: readonly Tag[]): Schema;
}

/** What YAML 1.2 calls its core schema: strings, numbers, true and false, null. */
export const CORE_SCHEMA: Schema;

/** Strings, lists and maps: every scalar is what was written. */
export const FAILSAFE_SCHEMA: Schema;

/** What is `null`, `~` or not there, unless it is quoted. */
export const nullCoreTag: Tag;

/** `<<`, whose value's entries become those of the mapping it stands in. */
export const mergeTag: Tag;

export class YAMLException extends Error {
  readonly reason: string;
  /** Counted from zero. */
  readonly mark?: { readonly line: number; readonly column: number; readonly snippet: string };
}

export interface LoadOptions {
  readonly schema: Schema;
  /** Lists and mappings within each other, at most. */
  readonly maxDepth: number;
  /** Mappings that `<<` takes and keys that it looks at, at most. */
  readonly maxTotalMergeKeys: number;
}

export function load(text: string, options: LoadOptions): unknown;
