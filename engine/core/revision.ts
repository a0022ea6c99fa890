/**
 * What an engine has loaded, as short hashes by the rule of the command-line tool, which computes
 * them of what the cluster holds. Whether the two agree is what `tntc status`, `audit` and `deploy`
 * ask.
 */

import type { Gauge } from "./metrics.ts";

/** Contents by path; the order does not matter. */
export type Files = ReadonlyMap<string, Uint8Array>;

/**
 * The file of a mounted Secret that makes its hash unguessable: without it, a hash of a short
 * password would be as good as the password.
 */
export const SALT = ".tentacular-salt";

export interface Loaded {
  /** Hash of the workflow's files. */
  readonly revision: string;
  /** What the command line says that it should be. */
  readonly expected: string;
  /** Salted hash of the mounted Secret; `none` without a file, `unsalted` when it has no salt. */
  readonly secrets: string;
}

/**
 * The first 16 hexadecimal digits of SHA-256 over every path and content, each with its length, in
 * the order of the paths' bytes.
 */
export async function hashFiles(files: Files): Promise<string> {
  const encoder = new TextEncoder();
  // Keys of ConfigMaps and Secrets are ASCII, where the order of code units is that of bytes.
  const paths = [...files.keys()].sort();
  const parts = paths.flatMap((path) => {
    const [name, content] = [encoder.encode(path), files.get(path) ?? new Uint8Array()];
    return [encoder.encode(`${name.length}:${content.length}:`), name, content];
  });
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", concatenate(parts)));
  return digest.subarray(0, 8).toHex();
}

/** {@linkcode Loaded.secrets} of the files of a mounted Secret. */
export async function hashSecrets(mounted: Files): Promise<string> {
  if (mounted.size === 0) return "none";
  return mounted.has(SALT) ? await hashFiles(mounted) : "unsalted";
}

/** 1 while the files are not those that the deployment names. */
export function revisionMismatch(loaded: () => Loaded): Gauge {
  return {
    name: "tentacular_revision_mismatch",
    help: "Whether the workflow's files are not of the deployed revision.",
    read: () => [["", loaded().revision === loaded().expected ? 0 : 1]],
  };
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
