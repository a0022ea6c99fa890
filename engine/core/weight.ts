/** What JSON will take in memory once it is parsed, from a look at its text. */

/** Sizes in V8 on a 64-bit machine, without pointer compression. */
const CONTAINER = 40;
const STRING = 24;
const MEMBER = 12;
const ELEMENT = 8;

/** Below this the text is not looked at: eight times its length is near the worst case. */
const SMALL = 16 * 1024;
const SMALL_FACTOR = 8;

/** The largest input: with the copy of an output and the text of an answer, it fills a pod's heap. */
export const MAX_INPUT_WEIGHT = 40 * 1024 * 1024;

/**
 * An estimate in bytes. `[[],[],...]` takes thirteen times its length, a text as much as it has
 * characters. Anything that is no JSON weighs something, too.
 */
export function weighJson(bytes: Uint8Array): number {
  if (bytes.length < SMALL) return bytes.length * SMALL_FACTOR;
  let weight = bytes.length;
  let quoted = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (quoted) {
      if (byte === 0x5c) index++;
      else if (byte === 0x22) quoted = false;
    } else weight += weightOf(byte, quoted = byte === 0x22);
  }
  return weight;
}

function weightOf(byte: number | undefined, opensString: boolean): number {
  if (opensString) return STRING;
  switch (byte) {
    case 0x5b: // [
    case 0x7b: // {
      return CONTAINER;
    case 0x2c: // ,
      return ELEMENT;
    case 0x3a: // :
      return MEMBER;
    default:
      return 0;
  }
}
