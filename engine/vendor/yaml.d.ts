/** The part of the `yaml` package that the engine uses. */

export interface YamlProblem {
  readonly message: string;
}

export interface YamlDocument {
  readonly errors: readonly YamlProblem[];
  toJS(options?: { maxAliasCount?: number }): unknown;
}

export function parseDocument(
  text: string,
  options?: { prettyErrors?: boolean; logLevel?: "silent" },
): YamlDocument;
