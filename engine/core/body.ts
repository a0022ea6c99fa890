/** Reading the body of a request, with a limit. */

import type { Json } from "../mod.ts";

/** Larger bodies are answered with 413. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** A body that cannot be an input; `status` is the answer's. */
export class BodyError extends Error {
  override readonly name = "BodyError";

  constructor(readonly status: 400 | 413, message: string) {
    super(message);
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The body as JSON; an empty one is `{}`. */
export async function readJson(request: Request, limit = MAX_BODY_BYTES): Promise<Json> {
  return parseJson(await readBytes(request, limit));
}

/** Counts while it reads when the request does not say how long it is. */
export function readBytes(request: Request, limit = MAX_BODY_BYTES): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared === null) return collect(request.body, limit);
  if (Number(declared) > limit) return Promise.reject(tooLarge(limit));
  return readWhole(request);
}

export function parseJson(bytes: Uint8Array): Json {
  if (bytes.length === 0) return {};
  try {
    const text = decode(bytes);
    return text.trim() === "" ? {} : JSON.parse(text);
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "it is not UTF-8";
    throw new BodyError(400, `the body is not JSON: ${reason}`);
  }
}

const SHORT = 256;

/** Most bodies are short and ASCII, and calling the decoder takes longer than reading them here. */
function decode(bytes: Uint8Array): string {
  if (bytes.length > SHORT) return decoder.decode(bytes);
  let text = "";
  for (const byte of bytes) {
    if (byte > 0x7f) return decoder.decode(bytes);
    text += String.fromCharCode(byte);
  }
  return text;
}

/**
 * The server ends a body at its declared length, so that this cannot exceed the limit. Touching
 * `request.body` would turn the body into a stream first, which costs as much as a whole run.
 */
async function readWhole(request: Request): Promise<Uint8Array> {
  try {
    return await request.bytes();
  } catch {
    throw new BodyError(400, "the body ended early");
  }
}

async function collect(
  body: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body ?? []) {
      size += chunk.length;
      if (size > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof BodyError ? error : new BodyError(400, "the body ended early");
  }
  return concat(chunks, size);
}

function concat(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

function tooLarge(limit: number): BodyError {
  return new BodyError(413, `the body is larger than ${limit} bytes`);
}
