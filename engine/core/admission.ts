/**
 * One door in front of all triggers: it bounds the runs under way, what their inputs take in memory,
 * and the bodies that are being read. What does not fit is refused before anything has run, so that
 * asking again is safe.
 */

const MIB = 1024 * 1024;

/** What a pod of 256 MiB, whose heap may grow to 160, can hold beside itself (measured). */
export const LIMITS: AdmissionLimits = {
  runs: 1_000,
  inputBytes: 48 * MIB,
  bodyBytes: 26 * MIB,
};

export interface AdmissionLimits {
  /** Runs under way. */
  readonly runs: number;
  /** What the inputs of runs under way take in memory, as `weighJson` estimates it. */
  readonly inputBytes: number;
  /** Bodies that are being read. */
  readonly bodyBytes: number;
}

export class Admission {
  readonly #limits: AdmissionLimits;
  #runs = 0;
  #inputBytes = 0;
  #bodyBytes = 0;
  #waiting: (() => void)[] = [];

  constructor(limits = LIMITS) {
    this.#limits = limits;
  }

  /** Whether a run with such an input may start. One that is larger than the limit runs alone. */
  admits(inputBytes: number): boolean {
    if (this.#runs >= this.#limits.runs) return false;
    return this.#inputBytes === 0 || this.#inputBytes + inputBytes <= this.#limits.inputBytes;
  }

  /** Resolves when {@linkcode admits} may have become true. */
  async changed(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  enter(inputBytes: number): void {
    this.#runs++;
    this.#inputBytes += inputBytes;
  }

  leave(inputBytes: number): void {
    this.#runs--;
    this.#inputBytes -= inputBytes;
    if (this.#waiting.length > 0) this.#waiting.splice(0).forEach((wake) => wake());
  }

  /** Sets bytes aside for a body; false when there is no room. */
  reserve(bytes: number): boolean {
    if (this.#bodyBytes + bytes > this.#limits.bodyBytes) return false;
    this.#bodyBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bodyBytes -= bytes;
  }
}
