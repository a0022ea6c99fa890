/** `verify` of a webhook trigger: how whoever sends to it proves who they are. */

import { parseDuration } from "./duration.ts";
import type { Shape } from "./shape.ts";

/** A secret, as workflow.yaml writes it: `service.key`. */
export interface SecretRef {
  readonly service: string;
  readonly key: string;
}

/** A signature of the body in a header. */
export interface HmacVerification {
  readonly type: "hmac";
  readonly algorithm: typeof ALGORITHMS[number];
  /** The header's name, as it is written. */
  readonly header: string;
  /** What stands before the signature. */
  readonly prefix: string;
  readonly encoding: typeof ENCODINGS[number];
  readonly secret: SecretRef;
}

/** A signature of the body and of the time when it was made, by a convention of its own. */
export interface TimedVerification {
  readonly type: typeof TIMED[number];
  /** How far that time may be from this clock's, to either side. */
  readonly toleranceMs: number;
  readonly secret: SecretRef;
}

/** A token that is the secret itself. */
export interface BearerVerification {
  readonly type: "bearer";
  /** The header that is the token, instead of `Authorization: Bearer <token>`. */
  readonly header?: string;
  readonly secret: SecretRef;
}

export type Verification = HmacVerification | TimedVerification | BearerVerification;

const ALGORITHMS = ["sha1", "sha256", "sha512"] as const;
const ENCODINGS = ["hex", "base64"] as const;
const TIMED = ["standard-webhooks", "stripe", "slack"] as const;

/** What Standard Webhooks, Stripe and Slack recommend. */
const DEFAULT_TOLERANCE_MS = 5 * 60 * 1000;

/** Deliveries have to be remembered for as long, so that none is run twice. */
const LONGEST_TOLERANCE_MS = 60 * 60 * 1000;

/** A field name (RFC 9110, section 5.1). */
const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What any key about verification contains. */
const STEMS = [
  "verif",
  "secret",
  "signature",
  "hmac",
  "authen",
  "authori",
  "token",
  "bearer",
  "password",
  "credential",
] as const;

/** What such a key may be meant to be when it is misspelt. */
const WORDS = [
  "verify",
  "provider",
  "secret",
  "signature",
  "hmac",
  "auth",
  "basicauth",
  "token",
  "password",
] as const;

/** Whether a key of a webhook is about who may send: `verfy` must not leave it open. As `tntc validate` decides. */
export function isAboutVerification(key: string): boolean {
  const letters = key.replaceAll(/[^A-Za-z]/g, "").toLowerCase();
  return STEMS.some((it) => letters.includes(it)) || WORDS.some((it) => isNear(letters, it));
}

/** Whether one or two mistakes in typing turn one word into the other: one only, in words of up to four letters. */
function isNear(letters: string, word: string): boolean {
  const most = Math.min(letters.length, word.length) > 4 ? 2 : 1;
  return Math.abs(letters.length - word.length) <= most && distance(letters, word) <= most;
}

/** Letters to insert, leave out, replace or swap with their neighbour. */
function distance(from: string, to: string): number {
  let [before, last]: [number[], number[]] = [
    [],
    Array.from({ length: to.length + 1 }, (_, i) => i),
  ];
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      const swapped = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const around = swapped ? (before[j - 2] ?? Infinity) + 1 : Infinity;
      row.push(Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, replaced, around));
    }
    [before, last] = [last, row];
  }
  return last[to.length] ?? 0;
}

export function readVerification(shape: Shape): Verification {
  const secret = readSecretRef(shape.get("secret"));
  const hmac = shape.get("hmac");
  if (!hmac.absent) {
    if (!shape.get("type").absent) shape.fail("expected either hmac or type");
    return { type: "hmac", ...readHmac(shape), secret };
  }
  const type = oneOf(shape.get("type"), [...TIMED, "bearer"]);
  if (type !== "bearer") return { type, toleranceMs: readTolerance(shape), secret };
  const header = shape.get("header").optional(readHeader);
  return { type, ...(header === undefined ? {} : { header }), secret };
}

function readHmac(shape: Shape): Omit<HmacVerification, "type" | "secret"> {
  return {
    algorithm: oneOf(shape.get("hmac"), ALGORITHMS),
    header: readHeader(shape.get("header")),
    prefix: shape.get("prefix").optional((it) => it.string()) ?? "",
    encoding: shape.get("encoding").optional((it) => oneOf(it, ENCODINGS)) ?? "hex",
  };
}

function readHeader(shape: Shape): string {
  const name = shape.string();
  return HEADER.test(name) ? name : shape.fail("expected the name of a header");
}

function readTolerance(shape: Shape): number {
  const tolerance = shape.get("tolerance").optional((it) => {
    const milliseconds = parseDuration(it.string());
    return milliseconds && milliseconds <= LONGEST_TOLERANCE_MS
      ? milliseconds
      : it.fail("expected a duration such as 30s or 5m, above zero and at most 1h");
  });
  return tolerance ?? DEFAULT_TOLERANCE_MS;
}

function oneOf<T extends string>(shape: Shape, known: readonly T[]): T {
  const text = shape.string();
  return known.find((it) => it === text) ?? shape.fail(`expected one of ${known.join(", ")}`);
}

export function readSecretRef(shape: Shape): SecretRef {
  const [service, key, more] = shape.string().split(".");
  if (!service || !key || more !== undefined) return shape.fail("expected service.key");
  return { service, key };
}
