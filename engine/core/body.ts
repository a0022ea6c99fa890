/** Reading the body of a request, with limits on its size, its time, and what it takes in memory. */

import type { Json } from "../mod.ts";
import type { Admission } from "./admission.ts";
import type { Clock } from "./clock.ts";
import { Deadlines } from "./deadlines.ts";
import { parse, rejected, then } from "./primordials.ts";
import { MAX_INPUT_WEIGHT, weighJson } from "./weight.ts";

/** Larger bodies are answered with 413. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** A body that is not here by then will not come. */
const BODY_TIMEOUT_MS = 30_000;

/** The server sets the declared length aside at once: only so much, for every connection. */
const SET_ASIDE = 64 * 1024;

/** A body that cannot be an input; `status` is the answer's. */
export class BodyError extends Error {
  override readonly name = "BodyError";

  constructor(readonly status: 400 | 408 | 413 | 503, message: string) {
    super(message);
  }
}

/** An input with what it takes in memory. */
export interface Weighed {
  readonly input: Json;
  readonly weight: number;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

export function parseJson(bytes: Uint8Array): Json {
  if (bytes.length === 0) return {};
  try {
    const text = decode(bytes);
    return text.trim() === "" ? {} : parse(text);
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "it is not UTF-8";
    throw new BodyError(400, `the body is not JSON: ${reason}`);
  }
}

/** {@linkcode parseJson} of what fits into memory, once there is room for it. */
export function parseWeighed(bytes: Uint8Array, admission: Admission): Weighed {
  const weight = weighJson(bytes);
  if (weight > MAX_INPUT_WEIGHT) {
    throw new BodyError(413, `the body would take ${mebibytes(weight)} MiB of memory`);
  }
  if (!admission.admits(weight)) throw new BodyError(503, "too much is under way");
  return { input: parseJson(bytes), weight };
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
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

function same(bytes: Uint8Array): Uint8Array {
  return bytes;
}

/** Reads bodies as far as there is room for all of them together. */
export class BodyReader {
  readonly #admission: Admission;
  readonly #now: () => number;
  readonly #parse = (bytes: Uint8Array): Weighed => parseWeighed(bytes, this.#admission);
  readonly #deadlines: Deadlines;

  /** Time is that of the wall here: asking for the other takes a call into the runtime, for each request. */
  constructor(admission: Admission, clock: Clock) {
    this.#admission = admission;
    const now = (): number => clock.now();
    this.#now = now;
    const after: Clock["after"] = (milliseconds, callback) => clock.after(milliseconds, callback);
    this.#deadlines = new Deadlines({ now, monotonic: now, after });
  }

  /** The body as JSON; an empty one is `{}`. */
  readJson(request: Request): Promise<Weighed> {
    return this.#readAs(request, MAX_BODY_BYTES, this.#parse);
  }

  read(request: Request, limit = MAX_BODY_BYTES): Promise<Uint8Array> {
    return this.#readAs(request, limit, same);
  }

  /**
   * A short body is read at once, a long one counted while it comes: what a request says about its
   * length costs its sender nothing.
   */
  #readAs<T>(request: Request, limit: number, use: (bytes: Uint8Array) => T): Promise<T> {
    const declared = Number(request.headers.get("content-length") ?? NaN);
    if (declared > limit) return rejected(tooLarge(limit));
    return declared <= SET_ASIDE
      ? this.#readShort(request, declared, use)
      : this.#collect(request.body, limit, use);
  }

  /** Not an async function: nearly every body comes this way, and each promise has its price. */
  #readShort<T>(request: Request, length: number, use: (bytes: Uint8Array) => T): Promise<T> {
    if (!this.#admission.reserve(length)) return rejected(tooMuch());
    return new Promise((resolve, reject) => {
      const deadline = this.#deadlines.set(BODY_TIMEOUT_MS, this.#now(), () => {
        this.#admission.release(length);
        reject(tooSlow());
      });
      then(request.bytes(), (bytes) => {
        if (!deadline.cancel()) return;
        this.#admission.release(length);
        try {
          // The server refuses requests that declare a length beside another way to end.
          if (bytes.length > length) throw tooLarge(length);
          resolve(use(bytes));
        } catch (error) {
          reject(error);
        }
      }, () => {
        if (deadline.cancel()) this.#admission.release(length);
        reject(endedEarly());
      });
    });
  }

  async #collect<T>(
    body: ReadableStream<Uint8Array> | null,
    limit: number,
    use: (bytes: Uint8Array) => T,
  ): Promise<T> {
    const reader = body?.getReader();
    if (reader === undefined) return use(new Uint8Array());
    const chunks: Uint8Array[] = [];
    const size = { bytes: 0 };
    const giveUp = (): void => void reader.cancel().catch(() => {});
    try {
      await this.#inTime(this.#drain(reader, chunks, size, limit), giveUp);
    } catch (error) {
      giveUp();
      throw error;
    } finally {
      this.#admission.release(size.bytes);
    }
    return use(concat(chunks, size.bytes));
  }

  async #drain(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    chunks: Uint8Array[],
    size: { bytes: number },
    limit: number,
  ): Promise<void> {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (size.bytes + value.length > limit) throw tooLarge(limit);
      if (!this.#admission.reserve(value.length)) throw tooMuch();
      size.bytes += value.length;
      chunks.push(value);
    }
  }

  /** Rejects with a `BodyError` and nothing else. */
  #inTime<T>(reading: Promise<T>, giveUp: () => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const deadline = this.#deadlines.set(BODY_TIMEOUT_MS, this.#now(), () => {
        giveUp();
        reject(tooSlow());
      });
      then(reading, (value) => {
        deadline.cancel();
        resolve(value);
      }, (error) => {
        deadline.cancel();
        reject(error instanceof BodyError ? error : endedEarly());
      });
    });
  }
}

function concat(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
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

function tooSlow(): BodyError {
  return new BodyError(408, `the body did not come within ${BODY_TIMEOUT_MS / 1000} s`);
}

function endedEarly(): BodyError {
  return new BodyError(400, "the body ended early");
}

function tooMuch(): BodyError {
  return new BodyError(503, "too many bodies are being read");
}
