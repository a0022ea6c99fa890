/**
 * Whether a webhook's request comes from whom it says. One entry for each way to prove that; what
 * they have in common is that a request with no proof in its headers costs nothing but that look.
 */

import type { Json } from "../mod.ts";
import { formatDuration } from "./duration.ts";
import { importKey, sign, verify } from "./primordials.ts";
import type {
  BearerVerification,
  HmacVerification,
  TimedVerification,
  Verification,
} from "./verification.ts";

/** A request that is not to be trusted: 401, or 503 when the fault is on this side. */
export class VerifyError extends Error {
  override readonly name = "VerifyError";

  constructor(readonly status: 401 | 503, message: string) {
    super(message);
  }
}

/** A request that is to be verified. */
export interface Delivery {
  readonly headers: Headers;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Only called when the headers may hold a proof: what nobody vouches for is not read. */
  readonly body: () => Promise<Uint8Array>;
}

/** A way to prove who sends. */
interface Scheme<V> {
  /**
   * Throws a {@linkcode VerifyError} when the delivery is not genuine. Gives what the same request
   * has again when somebody repeats it; nothing where that is no proof of a repetition.
   */
  readonly prove: (verification: V, secret: string, delivery: Delivery) => Promise<string[]>;
  /** What the sender calls the delivery, also when it is sent again. */
  readonly id?: (headers: Headers, input: Json) => unknown;
}

const SCHEMES: {
  readonly [Type in Verification["type"]]: Scheme<Extract<Verification, { type: Type }>>;
} = {
  hmac: { prove: proveHmac },
  // https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
  "standard-webhooks": { prove: proveStandard, id: (headers) => standardHeader(headers, "id")[1] },
  // https://docs.stripe.com/webhooks#verify-manually
  stripe: { prove: proveStripe, id: (_, input) => member(input, "id") },
  // https://docs.slack.dev/authentication/verifying-requests-from-slack
  slack: { prove: proveSlack, id: (_, input) => member(input, "event_id") },
  bearer: { prove: proveBearer },
};

/** {@linkcode Scheme.prove} of the scheme. */
export function prove<V extends Verification>(
  verification: V,
  secret: string,
  delivery: Delivery,
): Promise<string[]> {
  return (SCHEMES[verification.type] as unknown as Scheme<V>).prove(verification, secret, delivery);
}

/** {@linkcode Scheme.id} of the scheme. */
export function idOf({ type }: Verification, headers: Headers, input: Json): string | undefined {
  const id = SCHEMES[type].id?.(headers, input);
  return typeof id === "string" && id !== "" ? id : undefined;
}

async function proveHmac(
  { algorithm, header, prefix, encoding }: HmacVerification,
  secret: string,
  { headers, body }: Delivery,
): Promise<string[]> {
  const value = present(headers.get(header), header);
  const signature = value.startsWith(prefix) ? once(value.slice(prefix.length), header) : "";
  return await matching(header, [decoders[encoding](signature)], {
    algorithm,
    key: encode(secret),
    content: body,
  });
}

async function proveStandard(
  { toleranceMs }: TimedVerification,
  secret: string,
  { headers, now, body }: Delivery,
): Promise<string[]> {
  const [, id] = required(standardHeader(headers, "id"));
  const [clock, at] = required(standardHeader(headers, "timestamp"));
  const [header, list] = required(standardHeader(headers, "signature"));
  requireFresh(clock, at, now, toleranceMs);
  const signatures = once(list, header).split(" ").filter((it) => it.startsWith("v1,"));
  return await matching(header, signatures.map((it) => decoders.base64(it.slice(3))), {
    key: standardKey(secret),
    content: async () => concat(`${id}.${at}.`, await body()),
  });
}

/** Svix, from which the standard comes, sends the headers under its own name. */
function standardHeader(headers: Headers, part: string): [name: string, value: string | null] {
  const [own, svix] = [`webhook-${part}`, `svix-${part}`];
  return headers.has(own) || !headers.has(svix)
    ? [own, headers.get(own)]
    : [svix, headers.get(svix)];
}

function standardKey(secret: string): Uint8Array {
  const key = decoders.base64(secret.replace(/^whsec_/, ""));
  if (key === undefined || key.length === 0) {
    throw new VerifyError(503, "its secret is not whsec_ followed by base64");
  }
  return key;
}

async function proveStripe(
  { toleranceMs }: TimedVerification,
  secret: string,
  { headers, now, body }: Delivery,
): Promise<string[]> {
  const header = "Stripe-Signature";
  const parts = present(headers.get(header), header).split(",").map((it) => it.trim());
  const valuesOf = (name: string): string[] =>
    parts.filter((it) => it.startsWith(`${name}=`)).map((it) => it.slice(name.length + 1));
  const [at = "", ...more] = valuesOf("t");
  if (more.length > 0) throw new VerifyError(401, `${header} is there more than once`);
  requireFresh(header, at, now, toleranceMs);
  return await matching(header, valuesOf("v1").map(decoders.hex), {
    key: encode(secret),
    content: async () => concat(`${at}.`, await body()),
  });
}

async function proveSlack(
  { toleranceMs }: TimedVerification,
  secret: string,
  { headers, now, body }: Delivery,
): Promise<string[]> {
  const [clock, header] = ["X-Slack-Request-Timestamp", "X-Slack-Signature"];
  const at = present(headers.get(clock), clock);
  const value = once(present(headers.get(header), header), header);
  requireFresh(clock, at, now, toleranceMs);
  const signature = value.startsWith("v0=") ? decoders.hex(value.slice(3)) : undefined;
  return await matching(header, [signature], {
    key: encode(secret),
    content: async () => concat(`v0:${at}:`, await body()),
  });
}

/** Whoever repeats such a request has the token, and needs no repetition. */
async function proveBearer(
  { header }: BearerVerification,
  secret: string,
  { headers }: Delivery,
): Promise<string[]> {
  const name = header ?? "Authorization";
  const value = present(headers.get(name), name);
  const token = header === undefined ? /^bearer +(.+)$/i.exec(value)?.[1] : value;
  if (token === undefined || !await isSame(secret, token)) {
    throw new VerifyError(401, `${name} does not hold the token`);
  }
  return [];
}

/** Takes as long wherever two texts differ: compared are their MACs, by the cryptography itself. */
async function isSame(one: string, other: string): Promise<boolean> {
  const key = await hmacKey("sha256", encode(one));
  const mac = new Uint8Array(await sign("HMAC", key, encode(one)));
  return await verify("HMAC", key, mac, encode(other));
}

/** More are nobody's who changes keys, and each takes a look at the whole body. */
const MOST_SIGNATURES = 5;

interface Signed {
  /** `sha256` when absent. */
  readonly algorithm?: HmacVerification["algorithm"];
  readonly key: Uint8Array;
  readonly content: () => Promise<Uint8Array>;
}

/** The signature that is the content's, as what a repetition has again. Compared in constant time. */
async function matching(
  header: string,
  signatures: readonly (Uint8Array | undefined)[],
  { algorithm = "sha256", key, content }: Signed,
): Promise<string[]> {
  const candidates = signatures.filter((it) => it !== undefined).slice(0, MOST_SIGNATURES);
  if (candidates.length === 0) throw new VerifyError(401, `${header} holds no signature`);
  const imported = await hmacKey(algorithm, key);
  const bytes = await content();
  for (const candidate of candidates) {
    if (await verify("HMAC", imported, candidate, bytes)) return [`signature ${candidate.toHex()}`];
  }
  throw new VerifyError(401, `${header} is not this body's signature`);
}

function hmacKey(algorithm: HmacVerification["algorithm"], key: Uint8Array): Promise<CryptoKey> {
  const hash = algorithm.replace("sha", "SHA-");
  return importKey("raw", key, { name: "HMAC", hash }, false, ["sign", "verify"]);
}

function requireFresh(header: string, at: string, now: number, toleranceMs: number): void {
  if (!/^\d{1,12}$/.test(at)) throw new VerifyError(401, `${header} holds no time in seconds`);
  const age = now - Number(at) * 1000;
  if (Math.abs(age) <= toleranceMs) return;
  const away = `${Math.round(Math.abs(age) / 1000)} s ${age > 0 ? "ago" : "from now"}`;
  const tolerance = formatDuration(toleranceMs);
  throw new VerifyError(401, `${header} says ${away}, beyond the tolerance of ${tolerance}`);
}

function required([name, value]: [string, string | null]): [name: string, value: string] {
  return [name, present(value, name)];
}

function present(value: string | null, header: string): string {
  if (value === null || value === "") throw new VerifyError(401, `${header} is missing`);
  return value;
}

/** Headers of one name are joined: which of them is meant would be a guess. */
function once(value: string, header: string): string {
  if (value.includes(", ")) throw new VerifyError(401, `${header} is there more than once`);
  return value;
}

const decoders = {
  hex: (text: string): Uint8Array | undefined => decoded(() => Uint8Array.fromHex(text)),
  base64: (text: string): Uint8Array | undefined => decoded(() => Uint8Array.fromBase64(text)),
};

function decoded(decode: () => Uint8Array): Uint8Array | undefined {
  try {
    const bytes = decode();
    return bytes.length === 0 ? undefined : bytes;
  } catch {
    return undefined;
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function concat(start: string, body: Uint8Array): Uint8Array {
  const head = encode(start);
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

function member(input: Json, key: string): unknown {
  return typeof input === "object" && input !== null && !Array.isArray(input)
    ? input[key]
    : undefined;
}
