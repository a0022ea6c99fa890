/** What a node did besides returning something: calls it made, and ways around the contract. */

import type { Json } from "../mod.ts";

/** A request that a mock answered. */
export interface Call {
  readonly dependency: string;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON as its value, other text as a string; absent when there was none. */
  readonly body?: Json;
}

/** Something a sealed pod would refuse, the contract does not say, or nobody should do. */
export interface Deviation {
  readonly type:
    | "direct-fetch"
    | "direct-secrets"
    | "undeclared-dependency"
    | "undeclared-use"
    | "secret-in-url";
  /** The URL or the service, `ctx.secrets`, or the dependency's name. */
  readonly subject: string;
  /** Of an undeclared use: whose it is. */
  readonly node?: string;
  /** Where in the workflow's files, when the stack tells. */
  readonly place?: Place;
}

/** Line and column count from one; the file is relative to the workflow's directory. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Everything that one node did, in order. */
export class DeedRecord {
  readonly accesses = new Set<string>();
  readonly calls: Call[] = [];
  readonly deviations: Deviation[] = [];
  /** Why a call was refused that no fixture allows for. */
  readonly problems: string[] = [];

  /** `root` is the URL of the workflow's directory, ending in `/`. */
  constructor(readonly root: string) {}

  deviates(type: Deviation["type"], subject: string, node?: string): void {
    const place = placeOf(new Error().stack ?? "", this.root);
    this.deviations.push({
      type,
      subject,
      ...(node === undefined ? {} : { node }),
      ...(place === undefined ? {} : { place }),
    });
  }
}

/** The innermost frame in a file of the workflow. */
function placeOf(stack: string, root: string): Place | undefined {
  for (const frame of stack.split("\n")) {
    const start = frame.indexOf(root);
    if (start < 0) continue;
    const match = /^(.+):(\d+):(\d+)\)?$/.exec(frame.slice(start + root.length));
    if (match === null) continue;
    const [, file = "", line, column] = match;
    return { file: decodeURIComponent(file), line: Number(line), column: Number(column) };
  }
  return undefined;
}
